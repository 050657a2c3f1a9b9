"""The command, from its words to its files."""

import csv
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import yaml
from recbole.quick_start import run_recbole

from recbole_edlae import cli
from recbole_edlae._files import CONFIGS
from recbole_edlae.evaluation.per_user import PerUser
from recbole_edlae.leaderboard import report
from recbole_edlae.leaderboard.results import build
from recbole_edlae.leaderboard.settings import read_settings
from recbole_edlae.runs.records import Records
from recbole_edlae.runs.runner import Runner
from recbole_edlae.settings import registry
from recbole_edlae.settings.registry import RECBOLE_PROPERTIES
from tests.runs.conftest import QUICK

MODELS = {
    "EDLAE": {"reg_weight": 5.0},
    "EDLAE + weights": {"model": "EDLAE", "user_weight_power": 0.5},
    "Pop": {},
}
TABLES = ("csv", "md", "tex")


def lines(folder):
    return [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]


@pytest.fixture
def leaderboard(board_file, tmp_path):
    """Runs the command in a folder of its own, and returns that."""

    def run(*words, models=MODELS, output="out", **more):
        cli.main(["leaderboard", "--settings", board_file(models, **more), "--output", output, *words])
        return tmp_path / output

    return run


def test_numbers_are_run_recboles(leaderboard, protocol):
    board = json.loads((leaderboard(models={**MODELS, **QUICK}) / "leaderboard.json").read_text())[
        "boards"
    ][0]
    assert board["metrics"][0] == "ndcg@5" and len(board["rows"]) == len(MODELS) + len(QUICK)
    for row in board["rows"]:
        own = {**row["settings"], "seed": 2020, "state": "ERROR", "show_progress": False}
        stock = run_recbole(row["model"], "tiny", [protocol], own)
        assert row["metrics"] == dict(stock["test_result"])
        for name, (low, high) in row["intervals"].items():
            assert low - 5e-5 <= row["metrics"][name] <= high + 5e-5
    values = [row["metrics"]["ndcg@5"] for row in board["rows"]]
    assert values == sorted(values, reverse=True)


def test_two_runs_give_identical_tables(leaderboard):
    first, second = leaderboard("--seeds", "1", "2"), leaderboard("--seeds", "1", "2", output="again")
    for kind in TABLES:
        assert (first / f"leaderboard.{kind}").read_bytes() == (second / f"leaderboard.{kind}").read_bytes()


def test_a_failing_model_is_a_row_that_says_why(leaderboard, capsys):
    folder = leaderboard(models={"NCEPLRec": {"rank": -5}, **MODELS})
    shown = capsys.readouterr().out
    assert (
        re.search(r"^NCEPLRec failed: InvalidParameterError: .*-5", shown, re.M)
        and "EDLAE + weights" in shown
    )
    rows = list(csv.DictReader((folder / "leaderboard.csv").open()))
    assert [row["kind"] for row in rows] == ["run", "run", "run", "failed"] and "-5" in rows[-1]["note"]
    assert "failed: InvalidParameterError" in (folder / "leaderboard.html").read_text()


def test_nothing_finished_is_run_again_and_failures_are(leaderboard, monkeypatch):
    models = {"NCEPLRec": {"rank": -5}, **MODELS}
    folder = leaderboard(models=models)
    ran, stock = [], Runner.run
    monkeypatch.setattr(
        Runner, "run", lambda self, run, phases: (ran.append(run.label), stock(self, run, phases))[1]
    )
    leaderboard(models={**models, "EASE": {}, "EDLAE too": {"model": "EDLAE", "reg_weight": 5.0}})
    assert ran == ["NCEPLRec", "EASE"]
    assert {"EASE", "EDLAE too"} <= {
        row["label"] for row in csv.DictReader((folder / "leaderboard.csv").open())
    }


def test_settings_from_the_command_line_are_for_all_rows(leaderboard, tmp_path):
    folder = leaderboard("--reg_weight=7.0", "--topk=[5]", "--seed=3", "--models", "EDLAE", "EASE")
    for record in lines(folder):
        settings = record["identity"]["settings"]
        assert settings["reg_weight"] == 7.0 and settings["topk"] == [5] and settings["seed"] == 3
    assert [record["model"] for record in lines(folder)] == ["EDLAE", "EASE"]


def test_a_row_shows_the_settings_that_it_ran_with(leaderboard):
    own = {"reg_weight": 5.0, "dropout_prob": 0.1}
    folder = leaderboard("--reg_weight=7.0", models={"mine": {"model": "EDLAE", **own}})
    (row,) = json.loads((folder / "leaderboard.json").read_text())["boards"][0]["rows"]
    assert row["settings"] == {**own, "reg_weight": 7.0}


def test_what_a_killed_process_left_of_a_report_is_removed(leaderboard):
    folder = leaderboard()
    written = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("records")]
    parts = [path.with_name(f"{path.name}.999999999.part") for path in written]
    for part in parts:
        part.touch()
    leaderboard()
    assert len(parts) == 5 + len(MODELS) and not any(part.exists() for part in parts)


def test_a_row_may_be_a_file_that_tune_wrote(leaderboard, tmp_path):
    (tmp_path / "best.yaml").write_text(
        "model: EDLAE\ndataset: tiny\nreg_weight: 7.0\nvalid_metric: NDCG@5\n"
    )
    folder = leaderboard(models={"tuned": "best.yaml"})
    (row,) = json.loads((folder / "leaderboard.json").read_text())["boards"][0]["rows"]
    assert (row["label"], row["model"], row["settings"]) == ("tuned", "EDLAE", {"reg_weight": 7.0})


def test_report_formats(leaderboard, tmp_path):
    (tmp_path / "published.csv").write_text("# from\nmodel,ndcg@5,source\nEASE & Co,0.9,A paper\n")
    folder = leaderboard(models={**MODELS, "a_b % {c}": {"model": "EASE"}}, reference="published.csv")
    texts = {kind: (folder / f"leaderboard.{kind}").read_text() for kind in (*TABLES, "html", "json")}
    rows = list(csv.DictReader(texts["csv"].splitlines()))
    assert rows[0]["label"] == "EASE & Co" and rows[0]["kind"] == "published" and len(rows) == 5
    table = [line for line in texts["md"].splitlines() if line.startswith("|")]
    assert len(table) == 7 and len({line.count("|") for line in table}) == 1
    assert r"EASE \& Co (published) & 0.9000 &" in texts["tex"] and r"a\_b \% \{c\} &" in texts["tex"]
    for part in (r"\toprule", r"\midrule", r"\bottomrule", r"\begin{tabular}{lrrrr}"):
        assert texts["tex"].count(part) == 1
    assert texts["tex"].count("{") == texts["tex"].count("}")
    data = json.loads(texts["json"])
    assert data["command"].startswith("recbole-edlae leaderboard --settings")
    assert {"machine", "recbole", "recbole-edlae", "torch"} <= set(data["environment"])


def test_a_mark_stands_beside_its_row_in_every_format(leaderboard):
    models = {"Pop": {}, "EDLAE": {"reg_weight": 1.0}}
    folder = leaderboard(models=models, marks={"EDLAE": "seen & marked"})
    for kind, text in {
        "md": r"seen \& marked",
        "tex": r"seen \& marked",
        "html": ">seen &amp; marked<",
    }.items():
        assert (folder / f"leaderboard.{kind}").read_text().count(text) == 1
    rows = json.loads((folder / "leaderboard.json").read_text())["boards"][0]["rows"]
    assert {row["label"]: row["mark"] for row in rows} == {"EDLAE": "seen & marked", "Pop": ""}


def test_a_setting_of_the_command_line_is_shown_and_takes_the_mark(leaderboard):
    models = {"BPR": {"embedding_size": 4}, "EDLAE": {"reg_weight": 1.0}}
    marks = {"BPR": "validation", "EDLAE": "validation"}
    folder = leaderboard("--dropout_prob=0.4", "--topk=[5]", models=models, marks=marks)
    rows = {
        row["label"]: row
        for row in json.loads((folder / "leaderboard.json").read_text())["boards"][0]["rows"]
    }
    assert rows["EDLAE"]["mark"] == "" and rows["EDLAE"]["settings"] == {
        "reg_weight": 1.0,
        "dropout_prob": 0.4,
    }
    assert rows["BPR"]["mark"] == "validation" and rows["BPR"]["settings"] == {"embedding_size": 4}


def test_labels_of_marks_are_text_as_written(tmp_path, protocol):
    text = "models:\n  on: {model: EDLAE}\n  2020: {model: EDLAE}\nmarks: {on: a, 2020: b}\n"
    (tmp_path / "board.yaml").write_text(text)
    assert read_settings(tmp_path / "board.yaml")["marks"] == {"on": "a", "2020": "b"}


def test_page_is_whole_and_loads_nothing(leaderboard):
    page = (
        leaderboard(models={"</script><b>&": {"model": "EASE"}, **MODELS}) / "leaderboard.html"
    ).read_text()
    assert not re.findall(r"""(?:src|href|url\(|@import|https?:)[^"']*["']?\s*(?:https?:)?//""", page)
    assert not re.search(r"https?://", page) and page.count("</script>") == 2

    class Page(HTMLParser):
        opened = []  # noqa: RUF012
        data = ""

        def handle_starttag(self, tag, attributes):
            assert tag not in ("img", "iframe", "object", "embed") and not (
                tag == "script" and "src" in dict(attributes)
            )
            if tag not in ("meta", "link"):
                self.opened.append(tag)

        def handle_endtag(self, tag):
            assert self.opened.pop() == tag

        def handle_data(self, text):
            if self.opened[-1:] == ["script"] and not self.data:
                self.data = text

    parser = Page()
    parser.feed(page)
    assert not parser.opened and len(json.loads(parser.data)["boards"][0]["rows"]) == 4


def test_best_is_marked_only_where_it_is_significant(leaderboard):
    folder = leaderboard(
        models={"EASE": {}, "EDLAE as EASE": {"model": "EDLAE", "dropout_prob": 0.0, "reg_weight": 250.0}}
    )
    assert "**" not in (folder / "leaderboard.md").read_text()
    board = json.loads((folder / "leaderboard.json").read_text())["boards"][0]
    assert all(p == 1 for table in board["p_values"].values() for row in table["p"] for p in row)


def test_a_model_far_ahead_is_marked(tmp_path):
    records, outcomes = Records(tmp_path), {}
    for key, share in (("good", 0.9), ("bad", 0.2), ("worse", 0.1)):
        hits = np.random.default_rng(0).random((300, 5)) < share
        users = PerUser(np.arange(300), hits, np.full(300, 5))
        settings = {"valid_metric": "NDCG@5", "seed": 1}
        test = {"ndcg@5": round(users.metric("ndcg@5").mean(), 4)}
        record = {
            "key": key,
            "status": "ok",
            "model": "EASE",
            "test": test,
            "fit_seconds": 1.0,
            "bigger": True,
        }
        outcomes[key] = [{**record, "identity": {"settings": settings}}]
        records.append(outcomes[key][0], users)
    built = build("d", outcomes, records, settings={label: {} for label in outcomes})
    assert built.best("ndcg@5").label == "good"
    built.best("ndcg@5").mark = "seen"
    assert report.markdown(built).count("**") == 2 and r"\textbf{" in report.latex(built)
    assert report.terminal(built).count("*") == 1


WRONG = {
    "--models EDLEA": r"unknown model 'EDLEA'; did you mean EDLAE\?",
    "--dataset nowhere": "dataset: there is no nowhere",
    "--config_files none.yaml": "config_files: no file none.yaml",
    "--settings none.yaml": "no file none.yaml",
    "--dropout_prob=2": r"EDLAE: dropout_prob must be float in \[0, 1\), got 2",
    "--epohcs=2": "unknown setting 'epohcs'; did you mean epochs?",
    "--reference none.csv": "reference: .*none.csv",
    "EDLAE": "'EDLAE' is neither an option nor a setting",
}


@pytest.mark.parametrize("words", WRONG)
def test_wrong_words(words, refused):
    assert re.search(WRONG[words], refused("leaderboard", *words.split()))


def test_wrong_settings_files(refused, board_file, tmp_path):
    assert "unknown key 'mdels'; did you mean models?" in refused(
        "leaderboard", "--settings", board_file({}, mdels={})
    )
    assert "must map names to settings" in refused("leaderboard", "--settings", board_file(["EDLAE"]))
    assert "no file" in refused("leaderboard", "--settings", board_file({"EDLAE": "none.yaml"}))
    assert "must be one of EDLAE; got 'EDLE'" in refused(
        "leaderboard", "--settings", board_file({"EDLAE": {}}, marks={"EDLE": "seen"})
    )
    assert "marks in" in refused("leaderboard", "--settings", board_file({"EDLAE": {}}, marks={"EDLAE": 1}))
    assert "marks in" in refused("leaderboard", "--settings", board_file({"EDLAE": {}}, marks=["EDLAE"]))
    error = refused(
        "leaderboard", "--settings", board_file({"mine": {"model": "EDLAE", "reg_wieght": 1.0}})
    )
    assert "mine: unknown setting 'reg_wieght'; did you mean reg_weight?" in error


@pytest.mark.parametrize(
    "path", sorted((CONFIGS / "leaderboard").glob("*.yaml")), ids=lambda path: path.stem
)
def test_our_own_settings_files_can_be(path):
    content = yaml.safe_load(path.read_text())
    for file in (*content["config_files"], *filter(None, [content.get("reference")])):
        assert (path.parent / file).is_file()
    rows = [row for row in content["models"].values() if isinstance(row, str)]
    if untuned := [row for row in rows if not (path.parent / row).is_file()]:
        pytest.skip(f"not tuned yet: {', '.join(untuned)}")
    for label, settings in read_settings(path)["models"].items():
        model = (settings or {}).get("model", label)
        assert model in registry.registered() or (RECBOLE_PROPERTIES / "model" / f"{model}.yaml").is_file()


@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on(board_file, killed_again_and_again, tmp_path):
    models = {f"EDLAE {i}": {"model": "EDLAE", "reg_weight": float(i)} for i in range(1, 13)}
    out, undisturbed = killed_again_and_again("leaderboard", "--settings", board_file(models), records=12)
    for kind in TABLES:
        assert (out / f"leaderboard.{kind}").read_bytes() == (
            undisturbed / f"leaderboard.{kind}"
        ).read_bytes()
