"""The same trials on a real Ray cluster of this machine, with two workers."""

import os
import pathlib
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
import scipy.sparse as sp
import torch

from recbole_edlae import cli
from recbole_edlae.runs.records import Records
from recbole_edlae.runs.shards import gram_of_shards
from recbole_edlae.solvers import activity_weight, gram
from tests.conftest import ROOT

SPACE = "reg_weight choice [2.0,20.0,200.0]\ndropout_prob choice [0.1,0.5]\n"
pytestmark = pytest.mark.slow


@pytest.fixture
def cluster(tmp_path_factory, monkeypatch):
    """`ray start --head` with two workers; its processes, and no others, are ended afterwards."""
    try:
        import ray
        import ray.tune  # noqa: F401
    except Exception as error:
        pytest.skip(f"ray cannot be imported here: {type(error).__name__}: {error}")
    folder = tmp_path_factory.mktemp("ray")
    command = [
        pathlib.Path(sys.executable).with_name("ray"),
        "start",
        "--head",
        "--num-cpus=2",
        "--port=6399",
        "--block",
    ]
    command += ["--include-dashboard=false", "--disable-usage-stats", f"--temp-dir={folder}"]
    with open(folder / "log", "w") as log:
        head = subprocess.Popen(
            command, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:6399")
    try:
        for _ in range(60):
            if "Ray runtime started" in (folder / "log").read_text():
                break
            assert head.poll() is None, (folder / "log").read_text()
            time.sleep(1)
        yield
    finally:
        processes = [*psutil.Process(head.pid).children(recursive=True), psutil.Process(head.pid)]
        for process in processes:
            process.kill()
        psutil.wait_procs(processes, timeout=10)


def test_gram_of_shards(cluster, tmp_path):
    X = sp.random(1000, 300, density=0.05, format="csr", random_state=0)
    X.data[:] = 1
    files = [tmp_path / f"{number}.npz" for number in range(10)]
    for number, file in enumerate(files):
        sp.save_npz(file, X[number * 100 : number * 100 + 100])
    assert torch.equal(gram_of_shards(files, engine="ray"), gram(X))
    weighted = gram(X, activity_weight(np.diff(X.indptr), 0.5))
    in_memory = [X[first : first + 100] for first in range(0, 1000, 100)]
    G = gram_of_shards(in_memory, user_weight_power=0.5, engine="ray", workers=3)
    torch.testing.assert_close(G, weighted, rtol=1e-5, atol=0)


def results(folder):
    return {key: (each["valid"], each.get("test")) for key, each in Records(folder).read().items()}


def test_sweep_and_leaderboard(cluster, protocol, board_file, tmp_path):
    (tmp_path / "space").write_text(SPACE)
    words = ["tune", "--dataset", "tiny", "--space", "space", "--config_files", protocol]
    board = [
        "leaderboard",
        "--settings",
        board_file({"EDLAE": {}, "EASE": {}, "NCEPLRec": {"rank": -5}, "Pop": {}}),
    ]
    for engine in ("sequential", "ray"):
        cli.main([*words, "--engine", engine, "--output", f"tune-{engine}"])
        cli.main([*board, "--engine", engine, "--output", f"board-{engine}"])
    assert len(results("tune-ray")) == 7 and results("tune-ray") == results("tune-sequential")
    best = [
        pathlib.Path(f"tune-{engine}/best.yaml").read_text().split("\n", 1)[1]
        for engine in ("sequential", "ray")
    ]
    assert best[0] == best[1]
    for kind in ("csv", "md", "tex"):
        files = [pathlib.Path(f"board-{engine}/leaderboard.{kind}") for engine in ("sequential", "ray")]
        assert files[0].read_text() == files[1].read_text()
