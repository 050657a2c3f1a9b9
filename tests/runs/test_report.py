"""What a leaderboard says of measurements that are made up: who is best, what nobody knows, and names of any kind."""

import csv
import dataclasses
import html
import io
import json
import re
import urllib.parse

import numpy as np
import pytest

from recbole_edlae.evaluation.per_user import PerUser
from recbole_edlae.leaderboard import report
from recbole_edlae.leaderboard.reference import read_reference
from recbole_edlae.leaderboard.results import build
from recbole_edlae.runs.records import Records


def made_up(folder, shares, reference=(), users=300):
    """The leaderboard of rows whose recommendations are hits with some probability."""
    records = Records(folder)
    outcomes = {}
    for number, (label, share) in enumerate(shares.items()):
        hits = np.random.default_rng(0).random((users, 5)) < share
        per_user = PerUser(np.arange(users), hits, np.full(users, 5))
        record = record_of(number, 1, {"ndcg@5": round(per_user.metric("ndcg@5").mean(), 4)})
        outcomes[label] = [record]
        records.append(record, per_user)
    return build("d", outcomes, records, settings={label: {} for label in outcomes}, reference=reference)


def record_of(number, seed, test, **more):
    """A record of a run that is made up."""
    identity = {"settings": {"valid_metric": next(iter(test)).upper(), "seed": seed}}
    record = {"key": f"{number:016x}", "status": "ok", "model": "EASE", "test": test, "fit_seconds": 1.0}
    return {**record, "identity": identity, **more}


def test_seeds_count_alike_for_every_user(tmp_path):
    records = Records(tmp_path)
    outcomes = {"a": [], "b": []}
    for seed in (1, 2):
        for number, label in enumerate(outcomes):
            is_ahead = (seed == 1) == (label == "a")  # each row with one of the seeds
            per_user = PerUser(np.arange(50), np.full((50, 1), is_ahead), np.ones(50, dtype=int))
            record = record_of(10 * seed + number, seed, {"hit@1": float(is_ahead)})
            records.append(record, per_user)
            outcomes[label].append(record)
    built = build("d", outcomes, records, settings={"a": {}, "b": {}})
    assert [row.metrics["hit@1"] for row in built.rows] == [0.5, 0.5]
    assert built.p_values["hit@1"].loc["a", "b"] == 1


@pytest.mark.parametrize(("bigger", "order"), [(True, ["c", "a", "b"]), (False, ["b", "a", "c"])])
def test_rows_are_ordered_by_what_is_better(tmp_path, bigger, order):
    values = {"a": 0.9, "b": 0.8, "c": 1.0}
    outcomes = {
        label: [record_of(number, 1, {"rmse": value}, bigger=bigger)]
        for number, (label, value) in enumerate(values.items())
    }
    built = build("d", outcomes, Records(tmp_path), settings={label: {} for label in values})
    assert [row.label for row in built.rows] == order


def test_a_row_ahead_of_some_and_not_of_all_is_not_marked(tmp_path):
    built = made_up(tmp_path, {"good": 0.9, "near": 0.898, "bad": 0.2})
    table = built.p_values["ndcg@5"]
    assert table.loc["good", "bad"] < 0.05 < table.loc["good", "near"]
    assert built.best("ndcg@5") is None
    assert "**" not in report.markdown(built) and "textbf" not in report.latex(built)


def test_what_one_user_cannot_tell_is_null(tmp_path):
    report.write([made_up(tmp_path, {"good": 0.9, "bad": 0.2}, users=1)], tmp_path, "command")
    for kind in ("json", "html"):
        assert "NaN" not in (tmp_path / f"leaderboard.{kind}").read_text()
    board = json.loads((tmp_path / "leaderboard.json").read_text())["boards"][0]
    assert board["users"] == 1 and board["p_values"]["ndcg@5"]["p"] == [[1, 1], [1, 1]]
    assert [row["intervals"] for row in board["rows"]] == [{"ndcg@5": None}] * 2


def test_charts_are_drawn_of_one_user(tmp_path, browser):
    report.write([made_up(tmp_path, {"good": 0.9, "bad": 0.2}, users=1)], tmp_path, "command")
    browser.call("/url", url=(tmp_path / "leaderboard.html").as_uri())
    for figure in ("scatter", "intervals"):
        assert browser.run(f"return document.querySelectorAll('.{figure} circle').length") == 2


def test_a_metric_that_is_no_number_comes_last_and_is_null(tmp_path):
    built = made_up(tmp_path, {"good": 0.9, "bad": 0.2})
    built.rows[0].metrics["ndcg@5"] = float("nan")
    report.write([built], tmp_path, "command")
    board = json.loads((tmp_path / "leaderboard.json").read_text())["boards"][0]
    assert board["rows"][0]["metrics"] == {"ndcg@5": None}


def test_published_rows_may_share_a_name_and_lack_a_source(tmp_path):
    path = tmp_path / "published.csv"
    path.write_text('# from\n\nmodel,source,NDCG@5,mark\nX,,.1,\nX,"table #3, p. 2",.2,tuned\n2020,NA,,\n')
    rows = read_reference(path)
    notes = [(row.label, row.note, row.mark) for row in rows]
    assert notes == [("X", "", ""), ("X", "table #3, p. 2", "tuned"), ("2020", "NA", "")]
    assert [row.metrics for row in rows] == [{"ndcg@5": 0.1}, {"ndcg@5": 0.2}, {}]

    built = made_up(tmp_path, {"good": 0.9, "X": 0.2}, rows)
    assert built.best("ndcg@5").label == "good"
    assert report.latex(built).count("\nX ") == 3 and report.latex(built).count("textbf") == 1
    report.write([built], tmp_path, "command")
    assert "NaN" not in (tmp_path / "leaderboard.json").read_text()


def test_the_page_has_the_csv_file_of_each_dataset(odd, tmp_path):
    other = made_up(tmp_path / "other", {"good": 0.9})
    report.write([odd, other], tmp_path, "command")
    links = re.findall(
        r'href="data:text/csv;charset=utf-8,([^"]*)"', (tmp_path / "leaderboard.html").read_text()
    )
    texts = [urllib.parse.unquote(html.unescape(link)) for link in links]
    assert texts == [report.csv([odd]), report.csv([other])]


@pytest.mark.parametrize(("metric", "said"), [("giniindex@5", "GiniIndex@5"), ("itemcoverage@5", "")])
def test_tables_say_where_lower_is_better(metric, said, tmp_path):
    outcomes = {label: [record_of(number, 1, {metric: 0.5})] for number, label in enumerate("ab")}
    built = build("d", outcomes, Records(tmp_path), settings={"a": {}, "b": {}})
    for text in (report.terminal(built), report.markdown(built), report.latex(built)):
        assert re.findall(r"Lower is better: (\S+)\.", text) == ([said] if said else [])


WRONG_REFERENCES = {
    "model,ndcg@5\nX,.1": "has no column source",
    "# from\nmodel,source,ndcg@5\n\nX,a,0.1*": r"line 4: ndcg@5 must be a number, got '0\.1\*'",
    "model,source,ndcg@5\nX,a,nan": "line 2: ndcg@5 must be a number, got 'nan'",
    "model,source,ndcg@5\n ,a,.1": "line 2 names no model",
    "model,source,ndcg@5\nX,a,.1,.2": "line 2 has more fields than the header",
    'model,source\n"X,a': "cannot be read: unexpected end of data",
    "": "has no column model, source",
}


@pytest.mark.parametrize("text", WRONG_REFERENCES)
def test_wrong_references(text, tmp_path):
    (tmp_path / "published.csv").write_text(text)
    with pytest.raises(ValueError, match=rf"^reference: .*published\.csv,? {WRONG_REFERENCES[text]}"):
        read_reference(tmp_path / "published.csv")


ODD = [
    "a|b",
    "`c` *d* _e_ [f](g)",
    "<b>h</b>&amp;",
    r"\input{i}",
    "two\nlines\x1b",
    "bare\rreturn",
    "[j] 5 % #1 $k$ ~l ^m",
    "*n",
]
FORMULAS = ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\uff1d1"]


@pytest.fixture
def odd(tmp_path):
    """A leaderboard of odd names: of its rows, one of which failed with an odd reason, and of its dataset."""
    built = made_up(tmp_path, dict.fromkeys([*ODD, *FORMULAS], 0.5))
    for row in built.rows:
        if row.label == "+1":
            row.kind = "failed"
            row.note = "".join(ODD)
    return dataclasses.replace(built, dataset="".join(ODD))


def test_markdown_shows_names_as_they_are(odd):
    text = report.markdown(odd)
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 2 + len(ODD) + len(FORMULAS) - 1
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {3}
    without_table_and_escapes = re.sub(r"\\.|^\||\|$|\s\|\s|:?-+:?\|?", "", text, flags=re.M)
    assert not re.search(r"[\\`*_<>|~&$\[]", without_table_and_escapes)


def test_latex_shows_names_as_they_are(odd):
    text = report.latex(odd)
    commands = set(re.findall(r"\\([A-Za-z]+)", text))
    assert commands <= {
        *("begin", "end", "centering", "caption", "label", "toprule", "midrule", "bottomrule"),
        *("textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater", "textbar"),
    }
    assert re.search(r"^\\label\{tab:[\w:.-]+\}$", text, re.M)
    rows = text[text.index("\\midrule\n") : text.index("\\bottomrule")].splitlines()[1:]
    assert len(rows) == len(ODD) + len(FORMULAS) - 1
    for row in rows:
        assert row.endswith(r"\\") and len(re.findall(r"(?<!\\)&", row)) == 1
        assert not row.startswith(("[", "*"))  # which the \\ before it would take
        assert not re.search(r"(?<!\\)[#$%~^_]", row)


def test_a_spreadsheet_finds_no_formula(odd):
    text = report.csv([odd])
    assert text.count("\n") == 1 + len(odd.rows)
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    shown = {re.sub(r"[\t\n\r\x1b]", " ", label) for label in ODD}
    assert {row["label"] for row in rows} == shown | {f"'{label}".replace("\t", " ") for label in FORMULAS}
    assert all(float(row["ndcg@5"]) > 0 for row in rows)
