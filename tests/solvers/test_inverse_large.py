"""The inverse at a size where OpenBLAS's own factorization ends the process (`make test-large`)."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import psutil
import pytest
import scipy.linalg
import torch

from recbole_edlae.solvers import SymmetricTiles
from recbole_edlae.solvers.steps import inverse
from tests.conftest import ROOT

ITEMS = 30_000
NEEDED = 6 * 2**30  # the matrix, what the interpreter and its libraries take, and some room


def has_avx512() -> bool:
    """Return whether the processor can run the kernels that crash."""
    path = pathlib.Path("/proc/cpuinfo")
    return path.is_file() and "avx512f" in path.read_text(encoding="utf-8")


@pytest.mark.large
@pytest.mark.slow
@pytest.mark.skipif(psutil.virtual_memory().available < NEEDED, reason="less than 6 GiB of memory are free")
def test_a_matrix_of_30_000_rows_on_two_threads() -> None:
    environment = os.environ | {"OMP_NUM_THREADS": "2"}
    environment.pop("OPENBLAS_CORETYPE", None)
    if has_avx512():
        environment["OPENBLAS_CORETYPE"] = "SkylakeX"
    command = [sys.executable, "-W", "ignore", "-m", "tests.solvers.large_inverse", str(ITEMS)]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1800)
    assert ended.returncode == 0, f"the process ended with {ended.returncode}: {ended.stderr[-2000:]}"
    found = json.loads(ended.stdout)
    if has_avx512() and "scipy.libs" in found["kernels"]:
        assert found["kernels"]["scipy.libs"] == "SkylakeX"
    assert found["error"] < 1e-5


def test_no_factorization_sees_more_than_a_tile(monkeypatch: pytest.MonkeyPatch) -> None:
    """The crash itself needs 30,000 rows: see above."""
    rows, factor = [], scipy.linalg.get_lapack_funcs

    def watched(names: tuple[str, ...], dtype: np.dtype) -> list:
        potrf, *others = factor(names, dtype=dtype)
        return [lambda tile, **options: (rows.append(len(tile)), potrf(tile, **options))[1], *others]

    # A dense matrix of more rows than LAPACK may see is torch's.
    monkeypatch.setattr("recbole_edlae.solvers._matrix.LAPACK_ROWS", 50)
    for module in ("_matrix", "scale.inverse"):
        monkeypatch.setattr(f"recbole_edlae.solvers.{module}.get_lapack_funcs", watched)
    inverse(torch.eye(60))
    inverse(SymmetricTiles.of(torch.eye(5000)))
    assert rows and max(rows) <= 832
