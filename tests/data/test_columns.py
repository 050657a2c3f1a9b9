"""Columns that settings name are looked for in the first lines of the files, before data are read."""

import pathlib

import pytest
from recbole.data.dataset import Dataset
from recbole.quick_start import run_recbole

from recbole_edlae import cli

HEADER = "user_id:token\titem_id:token\trating:float\ttimestamp:float"
ALL = "--load_col=None"
LABELED = {"eval_args": {"mode": "labeled"}, "metrics": ["RMSE"], "valid_metric": "RMSE", "load_col": None}


@pytest.fixture
def with_header(tmp_path, tiny):
    """Writes the rows of `tiny` under another header, as the dataset `own` in the folder `dataset`."""

    def write(header):
        rows = pathlib.Path(tiny, "tiny", "tiny.inter").read_text().partition("\n")[2]
        path = tmp_path / "dataset" / "own" / "own.inter"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{header}\n{rows}")

    return write


@pytest.fixture
def unread(monkeypatch):
    """Data are not read."""
    monkeypatch.setattr(Dataset, "_load_data", lambda *_: pytest.fail("data were read"))


@pytest.fixture
def refused(capsys, unread):
    """The one line with which `run` refuses some words, before data are read."""

    def call(*words):
        with pytest.raises(SystemExit) as stopped:
            cli.run(["--dataset=own", *words])
        error = capsys.readouterr().err
        assert stopped.value.code == 2 and error.count("\n") == 1, error
        return error

    return call


@pytest.mark.parametrize("words", [[], [ALL], ["--load_col={'inter':['session_id','item_id']}"]])
def test_a_file_without_the_column_of_users(words, with_header, refused):
    with_header(HEADER.replace("user_id", "session_id"))
    error = refused(*words)
    assert "USER_ID_FIELD: every model needs it, and dataset/own/own.inter has no column user_id" in error
    assert "session_id" in error.partition("it has")[2]


@pytest.mark.parametrize(
    "key, column, words",
    [
        ("ITEM_ID_FIELD", "item_id", []),
        ("TIME_FIELD", "timestamp", [ALL, "--eval_args={'order':'TO'}"]),
        ("TIME_FIELD", "timestamp", [ALL, "--eval_args={'split':{'TS':[0.8,0.1,0.1]}}"]),
        (
            "LABEL_FIELD",
            "label",
            [ALL, "--eval_args={'mode':'labeled'}", "--metrics=['AUC']", "--valid_metric=AUC"],
        ),
    ],
)
def test_a_file_without_another_column_that_is_needed(key, column, words, with_header, refused):
    with_header(HEADER.replace(column, f"my_{column}"))
    assert f"{key}: " in refused(*words)


def test_the_advice_for_a_column_of_users_can_be_followed(with_header, settings, capsys):
    with_header(HEADER.replace("user_id", "session_id"))
    with pytest.raises(SystemExit):
        cli.run(["--dataset=own", "--USER_ID_FIELD=session_id"])
    assert "name it in load_col: {inter: [item_id, session_id]}" in capsys.readouterr().err
    followed = {"USER_ID_FIELD": "session_id", "load_col": {"inter": ["item_id", "session_id"]}}
    result = run_recbole("EDLAE", "own", config_dict={**settings, "data_path": "dataset", **followed})
    assert result["test_result"]["ndcg@10"] > 0


@pytest.mark.parametrize("model", ["AutoRec", "BPR"])
def test_labels_that_are_missing_are_named_before_data_are_read_from_python_too(
    model, tiny, settings, unread
):
    with pytest.raises(
        ValueError, match=r"LABEL_FIELD: mode labeled in eval_args needs it, .* has no column label"
    ):
        run_recbole(model, "tiny", config_dict={**settings, **LABELED})


def test_labels_made_by_a_threshold_need_no_column(settings):
    labeled = {**LABELED, "threshold": {"rating": 3}, "metrics": ["AUC"], "valid_metric": "AUC"}
    assert run_recbole("BPR", "tiny", config_dict={**settings, **labeled})["test_result"]["auc"] > 0


@pytest.mark.parametrize(
    "words, message",
    [
        (["--unused_col={'inter':['price']}"], "unused_col: no column price is loaded of inter"),
        (["--unused_col={'user':['age']}"], "unused_col: no column age is loaded of user"),
        (["--unused_col={'inter':['item_id']}"], "unused_col: inter has item_id, the ITEM_ID_FIELD"),
        (["--normalize_field=['price']"], "normalize_field: the column price is not loaded"),
        (["--numerical_features=['price']"], "numerical_features: the column price is not loaded"),
        (["--discretization={'price':{}}"], "discretization: the column price is not loaded"),
        (["--alias_of_item_id=['price']"], "alias_of_item_id: the column price is not loaded"),
        (["--preload_weight={'item_id':'price'}"], "preload_weight: the column price is not loaded"),
        (["--additional_feat_suffix=['net']"], "additional_feat_suffix: dataset/own has no own.net"),
    ],
)
def test_settings_that_name_columns_or_files_that_are_not_there(words, message, with_header, refused):
    with_header(HEADER)
    assert message in refused(*words)


def test_a_column_may_be_dropped_after_the_split(with_header, settings):
    with_header(HEADER)
    own = {"data_path": "dataset", "load_col": None, "unused_col": {"inter": ["timestamp", "rating"]}}
    assert run_recbole("EDLAE", "own", config_dict={**settings, **own})["test_result"]["ndcg@10"] > 0
