import os
import pathlib
import sys
from collections.abc import Callable
from typing import NamedTuple

# Small matrices: threads that wait for each other are 50 times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import hypothesis
import numpy as np
import pytest

import recbole_edlae  # noqa: F401  before any test imports RecBole
from tests.browser import open_browser
from tests.shop import shop_text

ROOT = pathlib.Path(__file__).parents[1]
hypothesis.settings.register_profile("project", deadline=None)  # a slow machine is no fault
hypothesis.settings.load_profile("project")
DATA = pathlib.Path(os.environ.get("RECBOLE_EDLAE_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """RecBole writes to the working directory and reads sys.argv: every test gets its own of both."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["pytest"])


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """data_path of a dataset `tiny`: 60 users, 30 items, two groups with tastes of their own, ratings and repeats."""
    generator = np.random.default_rng(7)
    folder = tmp_path_factory.mktemp("data") / "tiny"
    folder.mkdir()
    lines = ["user_id:token\titem_id:token\trating:float\ttimestamp:float"]
    for user in range(60):
        taste = np.where(np.arange(30) % 2 == user % 2, 4.0, 1.0) / np.arange(2, 32)
        for item in generator.choice(
            30, size=generator.integers(6, 14), replace=False, p=taste / taste.sum()
        ):
            lines.append(f"u{user}\ti{item}\t{generator.integers(1, 6)}\t{generator.integers(1000)}")
    lines.append(lines[1])
    (folder / "tiny.inter").write_text("\n".join(lines) + "\n")
    return str(folder.parent)


@pytest.fixture
def settings(tiny):
    """Config settings that keep RecBole quiet and quick on `tiny`."""
    return {
        "data_path": tiny,
        "state": "ERROR",
        "show_progress": False,
        "epochs": 3,
        "train_batch_size": 64,
    }


@pytest.fixture
def shared_data():
    """Folder with real data that cannot be shipped: RECBOLE_EDLAE_DATA, or shared/data beside the checkout."""
    if not (DATA / "ml-1m" / "ml-1m.inter").is_file():
        pytest.skip(f"no ml-1m in {DATA}; RECBOLE_EDLAE_DATA names the folder that has it")
    return str(DATA)


@pytest.fixture(scope="module")
def browser():
    """One window of a headless chromium; skips where there is none."""
    with open_browser() as window:
        yield window


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


class Outcome(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


def runs_commands(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """Return what runs ``recbole-edlae WORDS`` in this process; a traceback fails the test."""
    from recbole_edlae import cli
    from recbole_edlae.cli import errors

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
def command(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """How ``recbole-edlae WORDS`` ends."""
    return runs_commands(capsys, monkeypatch)


# It does not ask for the fixture above: tests that are parametrized over commands have another one of that name.
@pytest.fixture
def refused(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The one line on standard error with which a command ends, with status 2."""
    run = runs_commands(capsys, monkeypatch)

    def call(*words: str) -> str:
        outcome = run(*words)
        assert outcome.status == 2, outcome
        lines = outcome.err.strip().splitlines()
        assert len(lines) == 1 and ": error: " in lines[0], outcome.err
        return lines[0]

    return call


@pytest.fixture
def datasets(monkeypatch: pytest.MonkeyPatch) -> list:
    """The tables that RecBole reads in this test: users, items and number of interactions of each, as it is read."""
    from recbole.data.dataset import Dataset

    read, stock = [], Dataset._data_processing

    def remember(dataset: Dataset) -> None:
        stock(dataset)
        users, items = (
            dataset.field2id_token[field][1:].tolist() for field in (dataset.uid_field, dataset.iid_field)
        )
        read.append((sorted(users), sorted(items), dataset.inter_num))

    monkeypatch.setattr(Dataset, "_data_processing", remember)
    return read
