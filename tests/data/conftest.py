import types

import numpy as np
import pytest
from recbole.quick_start import quick_start

PARTS = ("train", "validation_tr", "validation_te", "test_tr", "test_te")


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    """RecBole's report of the machine sleeps for a second."""
    monkeypatch.setattr(quick_start, "get_environment", lambda _: types.SimpleNamespace(draw=str))


@pytest.fixture
def write_parts(tmp_path):
    """Writes the five files of a user split as a dataset, and returns Config settings for it."""

    def write(name, parts):
        folder = tmp_path / name
        folder.mkdir()
        for part in PARTS:
            lines = [f"{user}\t{item}" for user, items in parts[part].items() for item in items]
            text = "\n".join(["user_id:token\titem_id:token", *lines])
            (folder / f"{name}.{part}.inter").write_text(text + "\n")
        return {
            "data_path": str(tmp_path), "benchmark_filename": list(PARTS), "state": "ERROR", "show_progress": False,
            "epochs": 2, "train_batch_size": 16, "metrics": ["NDCG", "LiangRecall"], "topk": [2, 5],
            "valid_metric": "LiangRecall@5", "eval_batch_size": 100000,
        }  # fmt: skip

    return write


@pytest.fixture
def parts():
    """40 users to train on, 5 + 5 held out, 20 items in two tastes; item i0 … i19 are all in training."""
    generator = np.random.default_rng(3)

    def draw(user, number):
        taste = np.where(np.arange(20) % 2 == user % 2, 4.0, 1.0)
        return [f"i{each}" for each in generator.choice(20, number, replace=False, p=taste / taste.sum())]

    train = {f"u{u}": draw(u, 8) for u in range(38)} | {
        "all": [f"i{i}" for i in range(19)],
        "rest": ["i19", "i3"],
    }
    held_out = {"train": train}
    for part in ("validation", "test"):
        items = {f"{part}{u}": draw(u, 9) for u in range(5)}
        held_out[f"{part}_tr"] = {user: each[:6] for user, each in items.items()}
        held_out[f"{part}_te"] = {user: each[6:] for user, each in items.items()}
    return held_out
