"""A new model is one Python file and one YAML file: nothing else names it."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT

MODEL = '''
r"""
Throwaway
################################################
Reference:
    Nobody. "Nothing" in 2026.
"""

import torch

from recbole_edlae.model.linear import LinearAutoEncoder
from recbole_edlae.model.paper import Paper


class Throwaway(LinearAutoEncoder):
    r"""Throwaway is the identity, shrunk."""

    paper = Paper(title="Nothing", authors="Nobody", venue="Nowhere", year=2026, link="https://example.org")
    search_space = """
        shrinkage choice [0.5,2.0]
    """

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.shrinkage = config["shrinkage"]

    def solve(self, G, progress):
        G = G.double()
        return (G / (G.diagonal() + self.shrinkage)).float()
'''
SETTINGS = """\
reg_weight: 1.0           # (float) Not used, ranging in [0, inf)
dropout_prob: 0.0         # (float) Not used, ranging in [0, 1)
user_weight_power: 0.0    # (float) How much less active users weigh, ranging in (-inf, inf)
item_weight_power: 0.0    # (float) How much less popular items weigh, ranging in (-inf, inf)
shrinkage: 1.0            # (float) What is added to the diagonal, ranging in (0, inf)
"""


@pytest.mark.slow
def test_a_new_model_is_one_file_and_one_yaml(tmp_path, tiny):
    clone = tmp_path / "clone"
    for folder in ("recbole_edlae", "configs", "tests"):
        shutil.copytree(ROOT / folder, clone / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "setup.cfg", clone)
    (clone / "recbole_edlae" / "model" / "throwaway.py").write_text(MODEL)
    (clone / "recbole_edlae" / "properties" / "model" / "Throwaway.yaml").write_text(SETTINGS)
    environment = {**os.environ, "PYTHONPATH": str(clone)}

    def run(*words):
        command = [sys.executable, "-W", "ignore", "-m", *words]
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=clone, env=environment, timeout=600
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    contract = run(
        "pytest", "-q", "-p", "no:cacheprovider", "tests/model/test_contract.py", "-k", "Throwaway"
    )
    assert " passed" in contract and "failed" not in contract
    assert "--shrinkage=1.0  (float)" in run("recbole_edlae", "run", "--model=Throwaway", "--help")
    data = ["--dataset=tiny", f"--data_path={tiny}"]
    tuned = run("recbole_edlae", "tune", "--model=Throwaway", *data)
    assert "shrinkage:" in tuned and "model: Throwaway" in tuned
    board = run("recbole_edlae", "leaderboard", "--models", "Throwaway", "EDLAE", "--seeds", "1", *data)
    assert "Throwaway" in board and "EDLAE" in board
