"""The papers' figures: what decides whether a claim holds, and the whole way on a small dataset."""

import json

import numpy as np
import pytest
import torch
import yaml

from recbole_edlae import cli
from recbole_edlae.analysis.similarity import median_cosine
from recbole_edlae.papers import claims, page, proposition, similarities, study, table1
from recbole_edlae.papers.claims import Verdict, in_words
from recbole_edlae.papers.figure import Figure
from recbole_edlae.papers.page import FIGURES
from recbole_edlae.papers.plan import KEYS, PLANS, read_plan
from recbole_edlae.runs.records import Records
from tests.conftest import ROOT

PLAN = {
    "dataset": "tiny",
    "config_files": ["protocol.yaml"],
    "rank": 4,
    "ranks": [2, 4, 1000],
    "rows": {
        "weight_decay": {"reg_weight": 1.0},
        "free_diagonal": {"reg_weight": [1.0, 10.0]},
        "DLAE": {"dropout_prob": 0.5, "reg_weight": 1.0},
        "sampled": {"dropout_prob": 0.5, "reg_weight": 0.0, "epochs": 2},
        "EDLAE": {"dropout_prob": [0.2, 0.5], "reg_weight": 1.0},
        "zero_diagonal": {"reg_weight": 1.0},
        "full_rank": {"dropout_prob": 0.2, "reg_weight": 1.0},
    },
    "times": {"ranks": [2, 4], "repeats": 1},
    "proposition": {"widths": [2, 4], "epochs": 2},
    "activations": {"names": ["sigmoid", "relu", "tanh"], "seeds": [1], "epochs": 2},
}


@pytest.fixture
def plan(protocol, tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(PLAN))
    return str(path)


def outcomes(**means):
    return {
        name: {"values": np.full(100, mean) + np.tile([-0.01, 0.01], 50)} for name, mean in means.items()
    }


def holds(name, data):
    """Whether each claim of a figure holds; "within chance" where a number is against it."""
    verdicts = FIGURES[name].verdicts(data)
    return ["within chance" if verdict.within_chance else verdict.holds for verdict in verdicts]


def test_lead_is_paired():
    both = outcomes(a=0.5, b=0.4)
    assert claims.lead(both["a"], both["b"]) == [pytest.approx(0.1), pytest.approx(0)]
    assert claims.standard_error(both["a"]["values"]) == pytest.approx(0.01 / np.sqrt(99))


def curves(admm, closed, zero, free):
    def leads(first, second):
        return [[a - b, 0.001] for a, b in zip(first, second)]

    each = {"EDLAE": admm, "closed_form": closed, "zero_diagonal": zero, "free_diagonal": free}
    return {
        "metric": "ndcg@100",
        "ranks": [10, 1000],
        "curves": {name: [[value, 0.01] for value in values] for name, values in each.items()},
        "leads": {
            "EDLAE over zero_diagonal": leads(admm, zero),
            "EDLAE over free_diagonal": leads(admm, free),
            "free_diagonal over zero_diagonal": leads(free, zero),
            "closed_form over EDLAE": leads(closed, admm),
        },
    }


@pytest.mark.parametrize(
    "values, expected",
    [
        (([0.3, 0.4], [0.3, 0.4], [0.2, 0.4], [0.3, 0.35]), [True, True, True, True]),
        (([0.3, 0.4], [0.3, 0.4], [0.2, 0.41], [0.3, 0.35]), [False, True, True, True]),
        (([0.3, 0.4], [0.3, 0.4], [0.3, 0.4], [0.3, 0.35]), [True, None, True, True]),
        (([0.3, 0.4], [0.3, 0.38], [0.2, 0.3], [0.3, 0.4]), [True, True, False, False]),
        (([0.3, 0.4], [0.3, 0.3979], [0.2, 0.4021], [0.3, 0.3]), [None, True, True, None]),
        (
            ([0.3, 0.4], [0.3, 0.3995], [0.2, 0.4005], [0.3, 0.3]),
            ["within chance", True, True, "within chance"],
        ),
        (([0.3, 0.4], [0.3, 0.39999], [0.2, 0.40001], [0.3, 0.3]), [True, True, True, True]),
    ],
)
def test_claims_about_ranks(values, expected):
    assert holds("rank", curves(*values)) == expected


def test_claims_about_similarities():
    def data(zero, free):
        return {"medians": {name: {"balanced U": each, "balanced V": each} for name, each in
                            (("zero_diagonal", zero), ("free_diagonal", free), ("EDLAE", 0.0))}}  # fmt: skip

    assert holds("similarities", data(0.1, 0.9)) == [True, True, True]
    assert holds("similarities", data(0.19, 0.18)) == [False, False, False]
    assert holds("similarities", data(0.1801, 0.1802)) == [False, False, False]  # both are shown as 0.18


def test_claims_about_table_1():
    def data(**leads):
        names = ["free_diagonal over weight_decay", "DLAE over free_diagonal", "DLAE over sampled"]
        names += [f"EDLAE over {row}" for row in table1.LABELS if row != "EDLAE"]
        return {"leads": {name: [leads.get(name.replace(" ", "_"), 0.01), 0.001] for name in names}}

    assert holds("table1", data()) == [True] * 4
    assert holds("table1", data(EDLAE_over_sampled=0.001)) == [True, True, True, None]
    assert holds("table1", data(EDLAE_over_DLAE=-0.01)) == [True, True, True, False]
    assert holds("table1", data(DLAE_over_free_diagonal=0.001)) == [True, None, True, True]
    assert holds("table1", data(DLAE_over_sampled=-0.01)) == [True, True, False, True]
    assert holds("table1", data(DLAE_over_sampled=-0.001)) == [True, True, "within chance", True]


def test_claims_about_times_and_the_proposition():
    data = {"ranks": [1, 2], "closed_form": [1.0, 1.0], "admm": [2.0, 5.0]}
    assert holds("times", data) == [True, True]
    assert holds("times", data | {"admm": [1.9, 5.0]}) == [True, False]
    assert holds("times", data | {"admm": [1.96, 1.94]}) == [False, True]  # shown as 1.9 and 2.0
    data = {"widths": [1, 2], "bound": [0.5, 0.4], "errors": {"deep": [0.5, 0.41]}}
    assert holds("proposition", data) == [True]
    assert holds("proposition", data | {"errors": {"deep": [0.5, 0.39]}}) == [False]
    assert holds("proposition", data | {"errors": {"deep": [0.5, 0.39998]}}) == [
        True
    ]  # shown as 1.0000 of the bound
    assert holds("proposition", data | {"errors": {"deep": [0.5, 0.39996]}}) == [False]  # shown as 0.9999


def test_claims_about_activations():
    def data(zeros=(0.0, 0.3, 0.0), **ndcg):
        properties = [{"zero_codes": share, "zero_entries": 0.5} for share in zeros]
        return {
            "metric": "ndcg@5",
            "runs": [
                {
                    "activation": name,
                    "properties": {"order_agreement": value, **of_codes},
                    "test": {"ndcg@5": value},
                }
                for (name, value), of_codes in zip(ndcg.items(), properties)
            ],
        }

    assert holds("activations", data(sigmoid=0.3, relu=0.2, tanh=0.1)) == [True, True, True, True]
    assert holds("activations", data(sigmoid=0.2, relu=0.3, tanh=0.1)) == [True, True, False, False]
    assert holds("activations", data((0.0, 0.0, 0.0), sigmoid=0.3, relu=0.2, tanh=0.1))[:2] == [True, False]
    assert holds("activations", data((1e-5, 1e-5, 0.0), sigmoid=0.3, relu=0.2, tanh=0.1))[:2] == [
        False,
        True,
    ]
    two = data(sigmoid=0.3, relu=0.2, tanh=0.1)
    two["runs"] += data(sigmoid=0.15, relu=0.1, tanh=0.1)["runs"]  # another seed
    assert holds("activations", two) == [True, True, None, None]


@pytest.mark.parametrize(
    "holds, within_chance, words",
    [
        ([True], [False], "holds"),
        ([True, True], [False, True], "holds within chance"),
        ([True, None], [True, False], "holds in part"),
        ([True, False], [False, False], "holds in part"),
        ([None, False], [False, False], "does not hold here"),
        ([None], [False], "not decided here"),
    ],
)
def test_verdicts_in_words(holds, within_chance, words):
    assert (
        in_words([Verdict(held, "", by_chance) for held, by_chance in zip(holds, within_chance)]) == words
    )


def test_a_lead_counts_where_it_is_more_than_chance():
    assert [claims.ahead([mean, 1.0]) for mean in (1.9, 2.0, -1.9, -2.0)] == [None, True, None, False]
    assert (
        claims.ahead([2.0, 1.0], comparisons=4) is None and claims.ahead([2.6, 1.0], comparisons=4) is True
    )
    assert (
        claims.ahead([4e-5, 1e-6]) is None and claims.ahead([6e-5, 1e-6]) is True
    )  # shown as 0.0000 and 0.0001
    assert claims.never_behind([[1.0, 1.0], [0.0, 1.0]], "") == Verdict(True, "")
    assert claims.never_behind([[1.0, 1.0], [-1.9, 1.0]], "") == Verdict(True, "", within_chance=True)
    assert claims.never_behind([[1.0, 1.0], [-2.0, 1.0]], "") == Verdict(None, "")
    assert claims.never_behind([[1.0, 1.0], [-2.3, 1.0]], "") == Verdict(False, "")
    assert claims.never_behind([[-2.0, 1.0]], "") == Verdict(False, "")
    assert claims.together([True, True]) is True and claims.together([True, None]) is None
    assert claims.together([None, False]) is False


def test_median_cosine_against_every_pair():
    E = np.random.default_rng(0).normal(size=(6, 3))
    groups = np.array([[0, 1, 2], [3, 4, 5]])
    wanted = [
        np.median(
            [
                E[i] @ E[j] / np.linalg.norm(E[i]) / np.linalg.norm(E[j])
                for i in group
                for j in group
                if i < j
            ]
        )
        for group in groups
    ]
    np.testing.assert_allclose(median_cosine(E, groups), wanted)


def test_balanced_factors_share_the_singular_values():
    u, v = torch.randn(7, 3, dtype=torch.float64), torch.randn(7, 3, dtype=torch.float64)
    p, q = similarities.balanced(u, v)
    torch.testing.assert_close(p @ q.T, u @ v.T)
    torch.testing.assert_close(p.T @ p, torch.linalg.svdvals(u @ v.T)[:3].diag())
    torch.testing.assert_close(q.T @ q, p.T @ p)


@pytest.mark.slow
def test_every_figure_is_measured_drawn_and_on_record(plan, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    cli.main(["reproduce", "--settings", plan, "--output=out"])
    records = (tmp_path / "out" / "records.jsonl").read_bytes()
    text = (tmp_path / "out" / "results.md").read_text()
    for name, figure in FIGURES.items():
        stem = tmp_path / "out" / "results" / f"tiny-{name}"
        assert 3_000 < stem.with_suffix(".png").stat().st_size < 100_000
        data = json.loads(stem.with_suffix(".json").read_text())["data"]
        assert figure.title in text and figure.table(data) in text and f"(results/tiny-{name}.png)" in text
        assert all(claim in text for claim in figure.claims)
    assert json.loads(stem.with_suffix(".json").read_text())["command"] == (
        "recbole-edlae reproduce activations --dataset=tiny --settings=" + plan
    )
    ranks = json.loads((tmp_path / "out" / "results" / "tiny-rank.json").read_text())["data"]["ranks"]
    assert ranks == [2, 4]  # there are not 1000 items

    monkeypatch.setattr("recbole_edlae.runs.runner.Runner.run", lambda *_: pytest.fail("it was on record"))

    def trained(*_):
        pytest.fail("it was on record")

    trained.__module__ = proposition.__name__  # a measurement is known by the code of its module
    monkeypatch.setattr(proposition, "_trained", trained)
    cli.main(["reproduce", "--settings", plan, "--output=out"])
    assert (tmp_path / "out" / "records.jsonl").read_bytes() == records
    assert (tmp_path / "out" / "results.md").read_text() == text


def test_times_of_made_up_data_stand_beside_those_of_a_dataset(plan, tmp_path):
    pytest.importorskip("matplotlib")
    cli.main(["reproduce", "times", "--settings", plan, "--items=60", "--ranks", "2", "5", "--output=out"])
    result = json.loads((tmp_path / "out" / "results" / "synthetic-60-times.json").read_text())
    assert result["data"]["items"] == 60 and result["data"]["ranks"] == [2, 5]
    text = (tmp_path / "out" / "results.md").read_text()
    assert (
        "### synthetic-60: " in text and "| 1.4e+04 | 3.6e+04 |" in text and "| 2.5e+05 | 3.1e+05 |" in text
    )


def test_the_best_on_validation_is_chosen(plan, tmp_path):
    records = Records(tmp_path / "records")
    chosen = study.Study(study.Protocol(read_plan("tiny", plan)), records).best("EDLAE", rank=4)
    scores = {
        record["identity"]["settings"]["dropout_prob"]: record["score"]
        for record in records.read().values()
    }
    assert len(scores) == 2 and chosen == {"dropout_prob": max(scores, key=scores.get), "reg_weight": 1.0}


@pytest.mark.parametrize(
    "words, reason",
    [
        (["table2"], "FIGURE must be one of table1, "),
        (["--dataset", "ml-10m"], "unknown dataset 'ml-10m'; did you mean ml-1"),
        (["--dataset", "yelp"], "unknown dataset 'yelp'; there are ml-100k, ml-1m, "),
        (["--settings", "nothing.yaml"], "no file nothing.yaml"),
        (["--reg_wieght=1"], "unknown setting 'reg_wieght'"),
        (["--dropout_prob=2.0"], "dropout_prob must be float in"),
        (["--items=50"], "reproduce times --items N"),
        (["rank", "--items=50"], "reproduce times --items N"),
    ],
)
def test_wrong_words(words, reason, refused, monkeypatch):
    monkeypatch.setattr("recbole_edlae.cli.reproduce.load_pyplot", lambda: None)
    assert reason in refused("reproduce", *words)


@pytest.mark.parametrize(
    "change, reason", [({"rnak": 3}, "settings must be one of rank, "), ({"rows": {"x": {}}}, "rows")]
)
def test_wrong_settings(change, reason, refused, plan, tmp_path, monkeypatch):
    monkeypatch.setattr("recbole_edlae.cli.reproduce.load_pyplot", lambda: None)
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(PLAN | change))
    assert reason in refused("reproduce", "--settings", plan, "--dataset=tiny")


@pytest.mark.parametrize("path", sorted(PLANS.glob("*.yaml")), ids=lambda path: path.stem)
def test_settings_that_come_along(path):
    content = yaml.safe_load(path.read_text())
    assert content["dataset"] == path.stem and content.keys() == set(KEYS)
    assert content["rows"].keys() == study.ROWS.keys() - {"closed_form"}
    assert all((path.parent / file).is_file() for file in content["config_files"])


@pytest.mark.parametrize("number, row", list(enumerate(table1.LABELS, 1)))
def test_the_configs_of_table_1_are_its_rows(number, row):
    content = yaml.safe_load((ROOT / "configs" / "table1" / f"row{number}.yaml").read_text())
    assert study.ROWS[row].items() <= content.items()


def test_the_page_in_docs_is_what_its_measurements_say():
    folder = ROOT / "docs" / "results"
    assert (ROOT / "docs" / "results.md").read_text() == page.text(folder, "results")
    assert all(path.stat().st_size < 100_000 for path in folder.iterdir())


def test_every_figure_is_reproduced_and_named():
    assert {type(figure) for figure in FIGURES.values()} == set(Figure.__subclasses__())
    for name, figure in FIGURES.items():
        assert figure.name == name and figure.title and all(claim.endswith(".") for claim in figure.claims)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "docs" / "results").glob("*.json")), ids=lambda path: path.stem
)
def test_every_claim_has_a_verdict(path):
    result = json.loads(path.read_text())
    figure = FIGURES[result["figure"]]
    assert len(figure.verdicts(result["data"])) == len(figure.claims)
