"""A made-up shop and the command line as its owner uses it, for inputs that once failed."""

import pathlib
import random
from collections.abc import Callable
from typing import NamedTuple

import pytest

from recbole_edlae import cli
from recbole_edlae.cli import errors

from recbole.data.dataset import Dataset  # isort: skip

HEADER = "user_id:token\titem_id:token\trating:float\ttimestamp:float"
QUIET = ("--dataset=shop", "--state=ERROR", "--show_progress=False", "--epochs=2")


class Outcome(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


def shop_rows() -> list[tuple[str, str, int, int]]:
    """Rows of the shop: users u0 … u39, items i0 … i19, eight random items a user, times in seconds."""
    random.seed(0)
    rows = []
    for user in range(40):
        for place, item in enumerate(random.sample(range(20), 8)):
            rows.append((f"u{user}", f"i{item}", 1 + (user + item) % 5, 1_700_000_000 + 1000 * user + place))
    return rows


def shop_text(rows: list | None = None, header: str = HEADER) -> str:
    """The atomic file of some rows, tab separated."""
    return "\n".join([header, *("\t".join(map(str, row)) for row in rows or shop_rows())]) + "\n"


@pytest.fixture
def write_shop(tmp_path: pathlib.Path) -> Callable[..., pathlib.Path]:
    """Write ``dataset/NAME/NAME.inter`` below the working directory, as text or bytes; return its path."""

    def write(text: str | bytes | None = None, name: str = "shop") -> pathlib.Path:
        path = tmp_path / "dataset" / name / f"{name}.inter"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = shop_text() if text is None else text
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


@pytest.fixture
def command(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """Run ``recbole-edlae WORDS`` in this process; a traceback fails the test."""

    def call(*words: str) -> Outcome:
        monkeypatch.setattr(errors, "debug", False)
        capsys.readouterr()
        status = 0
        try:
            cli.main([*words])
        except SystemExit as stopped:
            status = stopped.code or 0
        out, err = capsys.readouterr()
        return Outcome(status, out, err)

    return call


@pytest.fixture
def refused(command: Callable[..., Outcome]) -> Callable[..., str]:
    """The one line on standard error with which a command ends, with status 2."""

    def call(*words: str) -> str:
        outcome = command(*words)
        assert outcome.status == 2, outcome
        lines = outcome.err.strip().splitlines()
        assert len(lines) == 1 and ": error: " in lines[0], outcome.err
        return lines[0]

    return call


@pytest.fixture
def datasets(monkeypatch: pytest.MonkeyPatch) -> list:
    """The tables that RecBole reads in this test: users, items and number of interactions of each, as it is read."""
    read, stock = [], Dataset._data_processing

    def remember(dataset: Dataset) -> None:
        stock(dataset)
        users, items = (dataset.field2id_token[field][1:].tolist() for field in (dataset.uid_field, dataset.iid_field))
        read.append((sorted(users), sorted(items), dataset.inter_num))

    monkeypatch.setattr(Dataset, "_data_processing", remember)
    return read
