"""A plan of the papers' figures is checked as a whole before its first run."""

import pathlib

import pytest
import yaml

from tests.runs.shop_commands import split


def write_plan(**rows):
    own = {"weight_decay": {"reg_weight": 1.0}, "free_diagonal": {"reg_weight": 1.0}}
    own |= {
        "DLAE": {"dropout_prob": 0.5},
        "sampled": {"epochs": 2},
        "EDLAE": {},
        "zero_diagonal": {},
        "full_rank": {},
    }
    plan = {
        "dataset": "shop",
        "config_files": ["protocol.yaml"],
        "rank": 4,
        "ranks": [2, 4],
        "rows": {**own, **rows},
    }
    plan |= {
        "times": {"ranks": [2]},
        "proposition": {"widths": [2]},
        "activations": {"names": ["relu"], "seeds": [1]},
    }
    pathlib.Path("plan.yaml").write_text(yaml.safe_dump(plan))
    return ["reproduce", "rank", "--settings=plan.yaml", "--output=out"]


@pytest.fixture
def drawn(monkeypatch):
    monkeypatch.setattr("recbole_edlae.cli.reproduce.load_pyplot", lambda: None)


def test_every_candidate_is_checked_before_the_first_run(shop_folder, refused, drawn, no_data):
    first = {"EDLAE": {"dropout_prob": [0.1, 0.2]}}  # would be run before the others
    words = write_plan(**first, full_rank={"dropout_prob": [0.5, 1.5]})
    assert "dropout_prob must be float in [0, 1), got 1.5" in refused(*words)
    words = write_plan(**first, zero_diagonal={"reg_weight": [1.0, 2.0, -1.0]})
    assert "reg_weight must be float in [0, inf), got -1.0" in refused(*words)


def test_a_split_without_test_or_validation_is_refused(shop_folder, refused, drawn, no_data):
    assert "no test part, and figures show what was measured on it" in refused(
        *write_plan(), split("LS: valid_only")
    )
    assert "no validation part" in refused(*write_plan(), split("LS: test_only"))
