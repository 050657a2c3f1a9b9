"""A command that trains many models is quiet, and changes nothing in RecBole for that."""

import logging
import os

import pytest
import torch
from recbole.config import Config
from recbole.trainer import trainer as trainers

from recbole_edlae.runs.preparation import build_trainer
from recbole_edlae.runs.quiet import quiet


@pytest.fixture
def build(tiny, protocol, tmp_path, monkeypatch):
    """A function that builds RecBole's trainer in an empty folder, and returns what it has written there."""
    config = Config(
        "BPR", "tiny", [protocol], {"data_path": tiny, "checkpoint_dir": str(tmp_path / "saved")}
    )
    monkeypatch.chdir(tmp_path)

    def call():
        trainer = build_trainer(config, torch.nn.Linear(1, 1))
        trainer.tensorboard.add_scalar("Loss/Train", 1.0, 0)
        return "log_tensorboard" in os.listdir()

    return call


def test_only_quiet_trainers_write_nothing_for_tensorboard(build):
    with quiet():
        with quiet():
            assert not build()
        assert not build()
    assert build()


def test_an_error_ends_the_quiet(build):
    level = logging.getLogger().level
    with pytest.raises(KeyError), quiet():
        raise KeyError
    assert build() and logging.getLogger().level == level


def test_recboles_functions_stay_in_place():
    before = dict(vars(trainers))
    with quiet():
        assert vars(trainers) == before
