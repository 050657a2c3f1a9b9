"""Data split by Liang et al.'s code, read with exactly its users, fold-in and targets."""

import pandas as pd
import pytest
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.quick_start import run_recbole

from recbole_edlae import cli
from tests.conftest import ROOT
from tests.data.conftest import PARTS
from tests.data.test_user_split import masked, rows


@pytest.fixture
def csv_folder(parts, tmp_path):
    """The parts as their files, users and items by number."""
    users = {user: number for number, user in enumerate(user for part in parts.values() for user in part)}
    (tmp_path / "csv").mkdir()
    for part in PARTS:
        lines = [(users[user], item[1:]) for user, items in parts[part].items() for item in items]
        pd.DataFrame(lines, columns=["uid", "sid"]).to_csv(tmp_path / "csv" / f"{part}.csv", index=False)
    return tmp_path / "csv"


def pairs(path):
    return {
        user: set(group.sid) for user, group in pd.read_csv(path, dtype=str).groupby("uid")
    }  # fmt: skip


def test_exactly_those_users_and_items(csv_folder, tmp_path, capsys):
    cli.main(["convert-liang", str(csv_folder), "data/own"])
    assert "test_te: 15 interactions of 5 users" in capsys.readouterr().out
    config = Config(
        "EDLAE", "own", [str(ROOT / "configs" / "liang.yaml")], {"data_path": "data", "topk": [5, 10, 100]}
    )
    train, valid, test = data_preparation(config, create_dataset(config))
    assert rows(train._dataset) == pairs(csv_folder / "train.csv")
    for loader, part in ((valid, "validation"), (test, "test")):
        assert rows(loader._dataset) == pairs(csv_folder / f"{part}_te.csv")
        assert masked(loader) == pairs(csv_folder / f"{part}_tr.csv")


def test_what_is_missing_or_something_else_is_said(csv_folder, capsys):
    def refused():
        with pytest.raises(SystemExit) as stopped:
            cli.main(["convert-liang", str(csv_folder), "data/own"])
        assert stopped.value.code == 2
        return capsys.readouterr().err

    (csv_folder / "test_tr.csv").write_text("user,item\n1,2\n")
    assert "test_tr.csv is no CSV with columns uid and sid" in refused()
    (csv_folder / "test_tr.csv").unlink()
    assert "there is no" in refused() and "test_tr.csv" in refused()


@pytest.mark.slow
def test_published_numbers_of_ease_on_the_split_of_ml_1m(shared_data, tmp_path, capsys):
    """Held against a computation by others: NDCG@100 .4038, Recall@20 .3297, Recall@50 .4386."""
    cli.main(["convert-liang", f"{shared_data}/ml-1m-prosg", "data/ml-1m-prosg"])
    settings = {"data_path": "data", "state": "ERROR", "dropout_prob": 0.0, "reg_weight": 700.0}
    found = run_recbole("EDLAE", "ml-1m-prosg", [str(ROOT / "configs" / "liang.yaml")], settings)[
        "test_result"
    ]
    assert [found[name] for name in ("ndcg@100", "liangrecall@20", "liangrecall@50")] == [
        0.4038,
        0.3297,
        0.4386,
    ]
