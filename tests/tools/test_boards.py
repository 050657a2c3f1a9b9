"""The page of leaderboards is what its tool writes from the records, and the README's numbers are on record."""

import json
import re

import pytest

from recbole_edlae.leaderboard.settings import read_settings
from tests.conftest import ROOT
from tools import boards

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def docs(tmp_path, monkeypatch):
    """A folder of docs that the tool writes to, with the records of this one."""
    (tmp_path / "boards").mkdir()
    for path in (ROOT / "docs" / "boards").glob("*.json"):
        (tmp_path / "boards" / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(boards, "DOCS", tmp_path)
    return tmp_path


def tables():
    """Yield the rows of the README's tables of results: label, and heading → number as it is written."""
    for block in re.findall(r"(?:^\|.*\|\n)+", README, re.M):
        head, _, *lines = (
            [cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()
        )
        if any("@" in cell for cell in head):
            yield from ((cells[0], dict(zip(head[1:], cells[1:]))) for cells in lines)
    for block in re.findall(r"^```text\n(model .*?)^```", README, re.M | re.S):
        head, _, *lines = (re.split(r"\s{2,}", line.strip()) for line in block.splitlines())
        yield from ((cells[0], dict(zip(head[1:], cells[1:]))) for cells in lines)


def test_the_page_is_written_from_the_records(docs):
    boards.main([])
    assert (docs / "boards.md").read_text() == (ROOT / "docs" / "boards.md").read_text(encoding="utf-8")


def test_a_folder_takes_the_place_of_the_record(docs, tmp_path):
    record = json.loads((docs / "boards" / "ml-100k.json").read_text())
    board = record["board"]
    board["rows"][0]["metrics"]["ndcg@10"] = 0.98765
    published = {
        "label": "Theirs",
        "kind": "published",
        "metrics": {"ndcg@10": 0.5},
        "mark": "tuned on test",
    }
    board["rows"].append({**board["rows"][0], **published, "note": "A paper", "intervals": {}})
    folder = tmp_path / "mine"
    folder.mkdir()
    data = {
        "command": "recbole-edlae leaderboard --mine",
        "environment": record["environment"],
        "boards": [board],
    }
    (folder / "leaderboard.json").write_text(json.dumps(data))
    boards.main([str(folder)])
    section = (docs / "boards.md").read_text().partition("## ml-100k")[2].partition("\n## ")[0]
    assert "$ recbole-edlae leaderboard --mine" in section and "0.9877" in section
    assert (
        re.search(r"\| Theirs \(published\) +\| tuned on test +\|", section)
        and "* Theirs: A paper" in section
    )
    again = json.loads((docs / "boards" / "ml-100k.json").read_text())
    assert all(row["fit_seconds"] is None for row in again["board"]["rows"])


def test_numbers_in_the_readme_are_on_record():
    rows = [row for record in boards.records().values() for row in record["board"]["rows"]]
    found = list(tables())
    assert len(found) > 5
    for label, cells in found:
        numbers = {head.lower(): cell.strip("*") for head, cell in cells.items() if "@" in head and cell}
        assert any(
            row["label"] in label
            and all(
                f"{row['metrics'].get(name, -1):.4f}".endswith(text.lstrip("0"))
                for name, text in numbers.items()
            )
            for row in rows
        ), (label, numbers)


@pytest.mark.parametrize("name", boards.records())
def test_rows_on_record_have_the_marks_of_their_settings_file(name):
    marks = read_settings(ROOT / "configs" / "leaderboard" / f"{name}.yaml")["marks"]
    rows = [row for row in boards.records()[name]["board"]["rows"] if row["kind"] == "run"]
    assert {row["label"]: row["mark"] for row in rows if row.get("mark")} == marks


def test_the_readme_says_what_is_marked():
    """A number is not quoted without how its settings were chosen, unless that was blind."""
    for record in boards.records().values():
        rows = [row for row in record["board"]["rows"] if row["kind"] == "run"]
        blind = [row for row in rows if row["mark"] in ("validation", "authors", "none to choose")]
        of_blind = {f"{value:.4f}"[1:] for row in blind for value in row["metrics"].values()}
        for row in rows:
            numbers = {f"{value:.4f}"[1:] for value in row["metrics"].values()} - of_blind
            if row in blind or not numbers:
                continue
            sentences = [
                each for each in re.split(r"(?<=[.!?])\s", README) if any(n in each for n in numbers)
            ]
            assert all(row["mark"] in " ".join(sentence.split()) for sentence in sentences)
