"""The page on estimators: its programs, run in order, print what the page shows."""

import re

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "estimators.md").read_text(encoding="utf-8")


def rounded(text):
    """The text with four decimals: the last ones depend on the machine."""
    return re.sub(r"-?\d+\.\d{4,}", lambda number: f"{float(number[0]):.4f}", text)


def test_every_program_prints_what_is_shown(capsys):
    names = {"__name__": "example"}
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.M | re.S)
    assert len(blocks) > 10
    printed = ""
    for language, block in blocks:
        if language == "python":
            assert printed == "", "the page does not show what was printed"
            exec(block, names)
            printed = capsys.readouterr().out
        else:
            assert language == "text" and rounded(block) == rounded(printed)
            printed = ""
    assert printed == ""
