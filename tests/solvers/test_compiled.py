"""Compiled loops where nothing can be kept on the disk: they are compiled, and only that."""

import os
import pathlib
import subprocess
import sys
from collections.abc import Callable

import pytest
from numba.core import caching

from recbole_edlae.solvers.scale.compiled import compiled


def double(x: int) -> int:
    return 2 * x


@pytest.fixture
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """Folder in which Numba keeps what it has compiled."""
    monkeypatch.setattr("numba.config.CACHE_DIR", str(tmp_path))
    return tmp_path


def files(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(path for path in folder.rglob("*.double-*") if path.is_file())


def test_it_is_kept_on_the_disk(folder: pathlib.Path) -> None:
    assert compiled(double)(3) == 6
    assert [path.suffix for path in files(folder)] == [".nbc", ".nbi"]
    again = compiled(double)
    assert again(4) == 8 and sum(again._compiled().stats.cache_hits.values()) == 1


def test_no_folder_to_write_to(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    for name in ("UserProvidedCacheLocator", "InTreeCacheLocator", "UserWideCacheLocator"):
        monkeypatch.setattr(
            getattr(caching, name), "get_cache_path", lambda _: str(tmp_path / "file" / "cache")
        )
    assert compiled(double)(3) == 6


def test_a_full_disk(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(caching.IndexDataCacheFile, "_save_index", full)
    assert compiled(double)(3) == 6


DAMAGE: dict[str, Callable[[pathlib.Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_text("garbage"),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-50]),
}


@pytest.mark.parametrize("suffix", [".nbc", ".nbi"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_files_are_written_anew(folder: pathlib.Path, damage: str, suffix: str) -> None:
    compiled(double)(3)
    for path in files(folder):
        if path.suffix == suffix:
            DAMAGE[damage](path)
    assert compiled(double)(3) == 6
    again = compiled(double)
    assert again(4) == 8 and sum(again._compiled().stats.cache_hits.values()) == 1


@pytest.mark.slow
def test_a_fit_without_package_folder_and_home(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").touch()
    program = (
        "import numpy as np, scipy.sparse as sp\n"
        "from numba.core import caching\n"
        f"caching.InTreeCacheLocator.get_cache_path = lambda _: {str(tmp_path / 'file')!r}\n"
        "from recbole_edlae.solvers import neighbors\n"
        "X = sp.csr_matrix((np.random.default_rng(0).random((20, 6)) < 0.5).astype(float))\n"
        "print(neighbors(X, 2, dropout=0.3, l2=1.0).shape)\n"
    )
    home = {"HOME": str(tmp_path / "file"), "XDG_CACHE_HOME": str(tmp_path / "file"), "NUMBA_CACHE_DIR": ""}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, **home},
    )
    assert done.stdout == "(6, 6)\n", done.stderr
