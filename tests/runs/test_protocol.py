"""One protocol a board and a sweep: what changes data, candidates or the yardstick is the same, or refused."""

import re

import pytest
import yaml
from recbole.data import create_dataset
from recbole.data import dataset as datasets
from recbole.utils import dataset_arguments, evaluation_arguments, general_arguments

from recbole_edlae import cli
from recbole_edlae.runs import protocol as rules
from recbole_edlae.runs.protocol import MACHINE, OVERWRITTEN, TRAINING, WITHOUT_RESULT, dataset_class
from recbole_edlae.runs.run import make_run
from recbole_edlae.settings.registry import RECBOLE_PROPERTIES

READ = re.compile(r"""config(?:\[|\.get\()\s*["'](\w+)["']""")
# What RecBole's code of data and metrics reads beside the protocol: of its trainer and log, and of transformations.
BESIDE = {"model", "world_size", "local_rank", "single_spec"}
OF_MODELS = {"beta", "convert_token_to_onehot", "ft_ratio", "mask_ratio"}
SET_BY_RECBOLE = {"MASK_INDEX", "MASK_ITEM_SEQ", "POS_ITEMS", "NEG_ITEMS"}


def read_by_data_and_metrics():
    root = RECBOLE_PROPERTIES.parent
    paths = [path for folder in ("data", "sampler", "evaluator") for path in (root / folder).rglob("*.py")]
    return {key for path in paths for key in READ.findall(path.read_text(encoding="utf-8"))}


def test_whatever_recboles_data_and_metrics_read_is_protocol(tiny):
    declared = {*general_arguments, *dataset_arguments, *evaluation_arguments} | read_by_data_and_metrics()
    settings = dict.fromkeys(declared - {"metrics", "topk", "valid_metric", "eval_args", "repeatable"})
    config = make_run("EDLAE", "tiny", (), {"data_path": tiny}).config()
    config.final_config_dict = {**settings, **config.final_config_dict, "of_a_later_version": 1}
    others = declared - rules.protocol(config).keys()
    assert others <= TRAINING | MACHINE | WITHOUT_RESULT | OVERWRITTEN | BESIDE | OF_MODELS | SET_BY_RECBOLE
    assert "of_a_later_version" in rules.protocol(config) and len(rules.protocol(config)) > 50
    assert not rules.protocol(config).keys() & {
        "reg_weight",
        "rank",
        "hidden_size",
        "has_residual",
        "epochs",
    }


RATINGS = "--load_col={'inter': ['user_id', 'item_id', 'rating']}"
ROWS = {
    "item_inter_num_interval": "[17,inf)",
    "user_inter_num_interval": "[8,inf)",
    "repeatable": True,
    "load_col": {"inter": ["user_id", "item_id", "rating"]},
    "rm_dup_inter": "first",
    "filter_inter_by_user_or_item": False,
    "data_path": "elsewhere",
    "metric_decimal_place": 2,
    "valid_metric": "NDCG@3",
    "normalize_all": False,
    "numerical_features": ["rating"],
    "encoding": "latin-1",
    "discretization": {"rating": {"method": "ED", "bucket": 2}},
    "reproducibility": False,
    "tail_ratio": 0.2,
    "topk": [5, 10],
}


@pytest.mark.parametrize("key", ROWS)
def test_a_row_with_a_protocol_of_its_own_is_refused(key, refused, board_file, tiny, tmp_path, no_data):
    (tmp_path / "elsewhere").symlink_to(tiny)
    board = board_file({"EASE": {}, "other": {"model": "EASE", key: ROWS[key]}})
    words = [RATINGS] if key in ("numerical_features", "discretization") else []
    error = refused("leaderboard", "--settings", board, *words)
    assert re.search(
        f"other: {key} is .* here and .* for EASE; rows of a leaderboard share one protocol", error
    )


@pytest.mark.parametrize("key, value", [("dataset", "other"), ("checkpoint_dir", "x"), ("device", "cpu")])
def test_a_row_with_a_setting_that_would_be_ignored_is_refused(key, value, refused, board_file, no_data):
    error = refused("leaderboard", "--settings", board_file({"mine": {"model": "EASE", key: value}}))
    assert f"mine: {key} is " in error


def test_rows_may_differ_in_settings_of_model_training_and_machine(board_file, tmp_path):
    own = {"epochs": 1, "learning_rate": 0.01, "train_batch_size": 32, "eval_batch_size": 50, "worker": 0}
    own |= {"shuffle": False, "train_neg_sample_args": {"distribution": "popularity", "sample_num": 2}}
    board = board_file({"Pop": {}, "BPR": {"embedding_size": 4, **own, "dataset": "tiny", "topk": [3, 5]}})
    cli.main(["leaderboard", "--settings", board, "--output", "out"])
    assert (tmp_path / "out" / "leaderboard.csv").read_text().count(",run,") == 2


SPACES = {
    "valid_metric choice ['NDCG@5','NDCG@3']": "valid_metric is part of the protocol, which all trials share",
    "metrics choice [['NDCG'],['Recall']]": "metrics is part of the protocol",
    "eval_args choice [{'mode':'full'},{'mode':'uni5'}]": "eval_args is part of the protocol",
    "user_inter_num_interval choice ['[0,inf)','[8,inf)']": "user_inter_num_interval is part of the protocol",
    "seed choice [1,2]": "seed is part of the protocol",
    "model choice ['EASE','Pop']": "model is part of the protocol",
    "dataset choice ['tiny','other']": "dataset is part of the protocol",
    "data_path choice ['a','b']": "data_path is part of the protocol",
    "encoding choice ['utf-8','latin-1']": "encoding is part of the protocol",
    "eval_batch_size choice [100,200]": "no result depends on eval_batch_size",
    "vectorized_data choice [True,False]": "no result depends on vectorized_data",
    "dropout_prob choice [0.1,0.2]": "dropout_prob is a setting of .*; a space has .* of EASE: reg_weight",
}


@pytest.mark.parametrize("space", SPACES)
def test_a_space_with_anything_but_settings_of_model_and_training_is_refused(
    space, refused, protocol, tmp_path, no_data
):
    (tmp_path / "space").write_text(space)
    words = ["--model=EASE", "--dataset=tiny", "--config_files", protocol, "--space=space"]
    assert re.search(f"space: {SPACES[space]}", refused("tune", *words))


CLASSES = {
    "EDLAE": "Dataset",
    "FM": "Dataset",
    "SASRec": "SequentialDataset",
    "CKE": "KnowledgeBasedDataset",
}


@pytest.mark.parametrize("model", [*CLASSES, "DIEN"])
def test_the_class_of_data_is_the_one_that_recbole_reads(model, tiny, monkeypatch):
    settings = {"data_path": tiny, "train_neg_sample_args": None, "LABEL_FIELD": "rating"}
    settings["load_col"] = {"inter": ["user_id", "item_id", "rating", "timestamp"]}
    config = make_run(model, "tiny", (), settings).config()
    read = []
    for name in {*CLASSES.values(), "DIENDataset"}:
        monkeypatch.setattr(
            getattr(datasets, name), "__init__", lambda data, _: read.append(type(data).__name__)
        )
    create_dataset(config)
    assert read == [dataset_class(config)] == [CLASSES.get(model, "DIENDataset")]


def test_a_seed_comes_from_the_command_line_the_settings_or_the_config_files(
    board_file, tmp_path, refused, capsys
):
    text = (tmp_path / "protocol.yaml").read_text()
    (tmp_path / "protocol.yaml").write_text(f"{text}seed: 7\n")

    def seeds(*words, **more):
        cli.main(["leaderboard", "--settings", board_file({"Pop": {}}, **more), "--output", "out", *words])
        return re.search(r'"seeds": \[([^]]*)\]', (tmp_path / "out" / "leaderboard.json").read_text())[
            1
        ].split()

    assert seeds() == ["7"]
    assert seeds(seeds=[3]) == ["3"]
    assert seeds("--seed=5", seeds=[3]) == ["5"]
    capsys.readouterr()
    error = refused("leaderboard", "--settings", board_file({"Pop": {}}), "--seed=5", "--seeds", "1", "2")
    assert "seed: --seeds 1 2 and --seed=5: take one" in error


def test_a_dataset_may_be_named_by_the_config_files(protocol, tmp_path):
    content = yaml.safe_load((tmp_path / "protocol.yaml").read_text())
    (tmp_path / "protocol.yaml").write_text(yaml.safe_dump({**content, "dataset": "tiny"}))
    cli.main(["leaderboard", "--models", "Pop", "--config_files", "protocol.yaml", "--output", "out"])
    assert '"dataset": "tiny"' in (tmp_path / "out" / "leaderboard.json").read_text()
