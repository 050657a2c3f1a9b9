"""What a fit says before it allocates, and when it refuses to."""

import logging

import numpy as np
import pytest
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import get_model

from recbole_edlae import cli
from recbole_edlae.model import resources

FULL, LOW = ("EDLAE", {}), ("LowRankEDLAE", {"rank": 5})


def model_of(name, data_path, **settings):
    config = Config(name, "tiny", config_dict={"data_path": data_path, "state": "ERROR", **settings})
    return get_model(name)(config, data_preparation(config, create_dataset(config))[0].dataset)


def without_gram(*_, **__):
    pytest.fail("it had begun")


@pytest.mark.parametrize("name, settings, matrices", [(*FULL, 1), (*LOW, 2), ("DLAE", {}, 1), ("DLAE", {"rank": 5}, 2)])
def test_a_fit_that_does_not_fit_is_refused_before_it_begins(name, settings, matrices, tiny, monkeypatch):
    model = model_of(name, tiny, **settings)
    needed = 4 * matrices * model.n_items**2 + 24 * model.interactions.nnz
    monkeypatch.setattr(resources, "memory_at_hand", lambda device: needed)
    model.fit()
    monkeypatch.setattr(resources, "memory_at_hand", lambda device: needed - 1)
    with pytest.raises(MemoryError, match=r"a fit on 31 items: .* of .*item_inter_num_interval.* about 30 items would"):
        model.fit(gram=without_gram)


def test_a_fit_with_neighbors_counts_its_pairs_of_items(tiny, monkeypatch):
    model = model_of("EDLAE", tiny, neighbors=3)
    X = model.interactions.toarray() > 0
    together = np.triu(X.T.astype(int) @ X, 1) > 0
    needed = 8 * together.sum() + 24 * X.any(axis=0).sum() * 3
    monkeypatch.setattr(resources, "memory_at_hand", lambda device: needed)
    model.fit()
    monkeypatch.setattr(resources, "memory_at_hand", lambda device: needed - 1)
    with pytest.raises(MemoryError, match=r"a fit on 31 items with 3 neighbors: .* of .*fewer neighbors"):
        model.fit()


def test_a_fit_says_what_it_takes(tiny, caplog):
    model = model_of("EDLAE", tiny)
    with caplog.at_level(logging.INFO):
        model.fit()
    assert "EDLAE: 31 items: 0.0 GiB of " in caplog.text and "3.0e+04 operations, about 0 s" in caplog.text


def test_the_command_line_says_it_in_one_line(tiny, monkeypatch, capsys):
    monkeypatch.setattr(resources, "memory_at_hand", lambda device: 0)
    with pytest.raises(SystemExit) as stopped:
        cli.run(["--model=EDLAE", "--dataset=tiny", f"--data_path={tiny}", "--state=ERROR"])
    assert stopped.value.code == 2
    assert "error: a fit on 31 items" in capsys.readouterr().err.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "membership, folder, limit, used, prefix",
    [
        ("0::/job/step", ".", "memory.max", "memory.current", ""),
        ("9:cpu:/x\n4:memory:/job/step", "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_"),
    ],
)
def test_limits_of_control_groups_count(membership, folder, limit, used, prefix, tmp_path):
    (tmp_path / "cgroup").write_text(membership + "\n")
    for group, most in ((".", "max" if folder == "." else str(2**63)), ("job", "1000"), ("job/step", "5000")):
        place = tmp_path / folder / group
        place.mkdir(parents=True, exist_ok=True)
        (place / limit).write_text(most + "\n")
        (place / used).write_text("400\n")
        (place / "memory.stat").write_text(f"other 7\n{prefix}inactive_file 100\n")
    assert min(resources.group_memory(tmp_path / "cgroup", tmp_path)) == 700
    assert list(resources.group_memory(tmp_path / "none", tmp_path)) == []


def test_memory_at_hand_is_that_of_this_machine():
    assert 2**20 < resources.memory_at_hand(torch.device("cpu")) < 2**50
