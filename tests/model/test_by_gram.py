"""What a fit says before it allocates, and when it refuses to."""

import logging
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import get_model

from recbole_edlae import cli
from recbole_edlae.model import by_gram
from recbole_edlae.solvers.scale.gram import gram_workspace
from tests.conftest import ROOT

FULL, LOW = ("EDLAE", {}), ("LowRankEDLAE", {"rank": 5})
LOW_PASS = ("EDLAE", {"low_pass_weight": 0.3, "low_pass_rank": 5})


def model_of(name, data_path, dataset="tiny", **settings):
    config = Config(name, dataset, config_dict={"data_path": data_path, "state": "ERROR", **settings})
    return get_model(name)(config, data_preparation(config, create_dataset(config))[0].dataset)


def without_gram(*_, **__):
    pytest.fail("it had begun")


@pytest.mark.parametrize("name, settings", [FULL, LOW, LOW_PASS, ("DLAE", {}), ("DLAE", {"rank": 5})])
def test_a_fit_that_does_not_fit_is_refused_before_it_begins(name, settings, tiny, monkeypatch):
    model = model_of(name, tiny, **settings)
    needed = 4 * model.peak_values(model.n_items**2, "cpu") + gram_workspace(model.interactions, False)
    monkeypatch.setattr(by_gram, "memory_at_hand", lambda device: needed)
    model.fit()
    monkeypatch.setattr(by_gram, "memory_at_hand", lambda device: needed - 1)
    with pytest.raises(
        MemoryError, match=r"a fit on 31 items: .* of .*item_inter_num_interval.* about 30 items would"
    ):
        model.fit(gram=without_gram)


PEAK = """
import sys
from recbole_edlae.model import closed_form
from recbole_edlae.solvers import SparseGram
from recbole_edlae.solvers.memory import packed_values
from recbole_edlae.solvers.scale.gram import gram_workspace
from tests.model.test_by_gram import model_of, resident

closed_form.DENSE_ITEMS = int(sys.argv[2])
SparseGram.is_quicker = lambda *_: sys.argv[5] == "users"
settings = eval(sys.argv[4])
model_of(sys.argv[3], sys.argv[1], "warm", **settings).fit()  # loads and compiles what the measured fit runs
model = model_of(sys.argv[3], sys.argv[1], "large", **settings)
before = resident("VmRSS", reset=True)
model.fit()
packed = model.n_items > closed_form.DENSE_ITEMS
matrix = packed_values(model.n_items) if packed else model.n_items**2
if packed and model.takes_inverse and sys.argv[5] == "users":
    matrix = SparseGram(model.interactions).peak_values()
held = 4 * model.peak_values(matrix, "cpu") + gram_workspace(model.interactions, packed)
print(resident("VmHWM") - before, held)
"""


def resident(field, reset=False):
    """Return bytes of resident memory, now (VmRSS) or at most since the last reset (VmHWM)."""
    if reset:
        pathlib.Path("/proc/self/clear_refs").write_text("5")
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Return the folder of two datasets: one of 2,000 items, and one of 300 to warm up with."""
    folder = tmp_path_factory.mktemp("data")
    for name, items in (("large", 2000), ("warm", 300)):
        user = np.repeat(np.arange(1500), 20)
        item = np.concatenate(
            [np.arange(items), np.random.default_rng(0).integers(items, size=len(user) - items)]
        )
        rows = "".join(f"{u}\t{i}\n" for u, i in sorted(set(zip(user.tolist(), item.tolist()))))
        (folder / name).mkdir()
        (folder / name / f"{name}.inter").write_text("user_id:token\titem_id:token\n" + rows)
    return folder


@pytest.mark.parametrize(
    "name, settings, packed",
    [
        (*FULL, True),
        (*FULL, False),
        ("EDLAE", {"low_pass_weight": 0.3, "low_pass_rank": 250}, False),
        ("LowRankEDLAE", {"rank": 60, "max_iter": 2}, True),
        ("LowRankEDLAE", {"rank": 60, "max_iter": 2}, False),
        ("LowRankEDLAE", {"rank": 150, "solver": "als", "max_iter": 2}, True),
        ("EDLAE", {}, "users"),
        (
            "DLAE",
            {"rank": 250, "solver": "free_diagonal"},
            False,
        ),  # above a tenth of the items: a third matrix
    ],
)
def test_what_a_fit_says_it_takes_is_what_it_takes(name, settings, packed, large):
    if not pathlib.Path("/proc/self/clear_refs").exists():
        pytest.skip("peak memory is read from Linux's /proc")
    choice = [str(large), str(0 if packed else 10**9), name, repr(settings), str(packed)]
    command = [sys.executable, "-W", "ignore", "-c", PEAK, *choice]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    peak, said = map(int, done.stdout.split())
    spare = 12 * 2**20  # what the interpreter and the threads' workspaces take
    assert 0.6 * (said - spare) <= peak <= said + spare


def test_memory_that_runs_out_on_a_gpu_is_one_line(tiny, monkeypatch):
    model = model_of("EDLAE", tiny)

    def run_out(*_):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(model, "solve", run_out)
    with pytest.raises(MemoryError, match=r"a fit on 31 items: .*Ways out: "):
        model.fit()


def test_a_fit_with_neighbors_counts_its_pairs_of_items(tiny, monkeypatch):
    model = model_of("EDLAE", tiny, neighbors=3)
    X = model.interactions.toarray() > 0
    together = np.triu(X.T.astype(int) @ X, 1) > 0
    needed = 8 * together.sum() + 24 * X.any(axis=0).sum() * 3
    monkeypatch.setattr(by_gram, "memory_at_hand", lambda device: needed)
    model.fit()
    monkeypatch.setattr(by_gram, "memory_at_hand", lambda device: needed - 1)
    with pytest.raises(MemoryError, match=r"a fit on 31 items with 3 neighbors: .* of .*fewer neighbors"):
        model.fit()


def test_a_fit_says_what_it_takes(tiny, caplog):
    model = model_of("EDLAE", tiny)
    with caplog.at_level(logging.INFO):
        model.fit()
    assert (
        "EDLAE: 31 items: 0.0 GiB of " in caplog.text
        and "3.0e+04 operations to invert, about 0 s" in caplog.text
    )


def test_the_command_line_says_it_in_one_line(tiny, monkeypatch, capsys):
    monkeypatch.setattr(by_gram, "memory_at_hand", lambda device: 0)
    with pytest.raises(SystemExit) as stopped:
        cli.run(["--model=EDLAE", "--dataset=tiny", f"--data_path={tiny}", "--state=ERROR"])
    assert stopped.value.code == 2
    assert "error: a fit on 31 items" in capsys.readouterr().err.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "membership, folder, limit, used, prefix",
    [
        ("0::/job/step", ".", "memory.max", "memory.current", ""),
        (
            "9:cpu:/x\n4:memory:/job/step",
            "memory",
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
            "total_",
        ),
    ],
)
def test_limits_of_control_groups_count(membership, folder, limit, used, prefix, tmp_path):
    (tmp_path / "cgroup").write_text(membership + "\n")
    for group, most in (
        (".", "max" if folder == "." else str(2**63)),
        ("job", "1000"),
        ("job/step", "5000"),
    ):
        place = tmp_path / folder / group
        place.mkdir(parents=True, exist_ok=True)
        (place / limit).write_text(most + "\n")
        (place / used).write_text("400\n")
        (place / "memory.stat").write_text(f"other 7\n{prefix}inactive_file 100\n")
    assert min(by_gram.group_memory(tmp_path / "cgroup", tmp_path)) == 700
    assert list(by_gram.group_memory(tmp_path / "none", tmp_path)) == []


def test_memory_at_hand_is_that_of_this_machine():
    assert 2**20 < by_gram.memory_at_hand(torch.device("cpu")) < 2**50
