"""Values that no run can work with are refused before data are read, by commands and by a Config."""

import pytest
from recbole.config import Config
from recbole.data.dataset import Dataset

from recbole_edlae import cli

NOTHING = ["None", "[]", "{}"]
HUGE = "1" + "0" * 400  # an integer that no float can hold
WRONG = {
    "valid_metric": ["MRR", "5", "Recall@7", "auc", *NOTHING],
    "USER_ID_FIELD": ["None", "5"],
    "ITEM_ID_FIELD": ["None", "[]"],
    "NEG_PREFIX": ["None", ""],
    "LIST_SUFFIX": ["None"],
    "TIME_FIELD": ["5", "[]"],
    "LABEL_FIELD": ["5"],
    "encoding": ["5"],
    "learning_rate": ["None", "x", "-0.1", "inf", HUGE],
    "weight_decay": ["None", "-1", "nan"],
    "eval_step": ["None", "1.5", "x"],
    "loss_decimal_place": ["-1", "None", "1.5"],
    "metric_decimal_place": ["-1", "None"],
    "MAX_ITEM_LIST_LENGTH": ["0", "None"],
    "learner": ["None", "5"],
    "state": ["LOUD", "5"],
    "transform": ["x", "[]"],
    "checkpoint_dir": ["", "None"],
    "data_path": ["", "5"],
    "dataset_save_path": ["5"],
    "dataloaders_save_path": ["5"],
    "clip_grad_norm": ["{'max_norm':'x'}", "{'norm':1}", "{'max_norm':1,'x':1}", f"{{'max_norm':{HUGE}}}"],
    "train_neg_sample_args": [
        *("{'alpha':'x'}", "{'alpha':None}", "{'dynamic':5}", "{'candidate_num':-1}"),
        *("{'candidate_num':'x'}", "{'dynamic':True}", f"{{'alpha':{HUGE}}}"),
    ],
    "numerical_features": ["None", "[5]"],
    "eval_args": [f"{{'split':{{'RS':[0.8,0.1,{HUGE}]}}}}", f"{{'split':{{'US':[-1,2,{HUGE}]}}}}"],
    "threshold": [f"{{'rating':{HUGE}}}"],
    "unused_col": ["{'inter':['user_id']}", "{'item':['item_id']}"],
    "normalize_field": ["['rating']"],
}
CASES = [(key, text) for key, texts in WRONG.items() for text in texts]
MORE = {"normalize_field": {"normalize_all": True}}  # settings with which a value is wrong


@pytest.fixture(autouse=True)
def unread(monkeypatch):
    """Data are not read."""
    monkeypatch.setattr(Dataset, "_load_data", lambda *_: pytest.fail("data were read"))


@pytest.mark.parametrize("model", ["EDLAE", "BPR"])
@pytest.mark.parametrize("key, text", CASES)
def test_a_command_refuses_in_one_line(model, key, text, capsys, tiny):
    words = ["--dataset=tiny", f"--model={model}", f"--{key}={text}"]
    words += [f"--{other}={value}" for other, value in MORE.get(key, {}).items()]
    with pytest.raises(SystemExit) as stopped:
        cli.run([*words, *([] if key == "data_path" else [f"--data_path={tiny}"])])
    error = capsys.readouterr().err
    assert stopped.value.code == 2 and error.count("\n") == 1 and key in error, error


@pytest.mark.parametrize("key, text", CASES)
def test_a_config_refuses(key, text, settings):
    value = Config._convert_config_dict(None, {key: text})[key]
    with pytest.raises(ValueError, match=key):
        Config("EDLAE", "tiny", config_dict={**settings, **MORE.get(key, {}), key: value})


@pytest.mark.parametrize(
    "setting",
    [
        {"valid_metric": "ndcg@10"},
        {"metrics": "NDCG", "topk": 5, "valid_metric": "NDCG@5"},
        {"metrics": ["GAUC"], "valid_metric": "GAUC"},
        {"metrics": ["ItemCoverage", "NDCG"], "valid_metric": "ItemCoverage@10"},
        {"learning_rate": 0, "weight_decay": 1, "eval_step": -1},
        {"clip_grad_norm": {"max_norm": 5, "norm_type": 2}},
        {
            "train_neg_sample_args": {
                "distribution": "popularity",
                "alpha": 0,
                "dynamic": True,
                "candidate_num": 2,
            }
        },
        {"state": None, "transform": None, "TIME_FIELD": None, "RATING_FIELD": None, "LABEL_FIELD": None},
        {"state": "Warning", "loss_decimal_place": 0, "metric_decimal_place": 6},
    ],
    ids=str,
)
def test_what_can_work_is_accepted(setting, settings):
    config = Config("EDLAE", "tiny", config_dict={**settings, **setting})
    assert all(key in config.final_config_dict for key in setting)


def test_a_path_may_be_a_path(settings, tmp_path):
    assert (
        Config("EDLAE", "tiny", config_dict={**settings, "checkpoint_dir": tmp_path})["checkpoint_dir"]
        == tmp_path
    )


@pytest.mark.parametrize(
    "word", ["--data_path=", "--data_path=None", "--valid_metric=MRR", "--learning_rate=None"]
)
@pytest.mark.parametrize("command", ["leaderboard --models EDLAE Pop", "tune --model=EDLAE"])
def test_commands_over_many_runs_refuse_in_one_line_too(command, word, tiny, capsys):
    words = [
        *command.split(),
        "--dataset=tiny",
        word,
        *([] if "data_path" in word else [f"--data_path={tiny}"]),
    ]
    with pytest.raises(SystemExit) as stopped:
        cli.main(words)
    error = capsys.readouterr().err
    assert stopped.value.code == 2 and error.count("\n") == 1 and word[2:].partition("=")[0] in error, error
