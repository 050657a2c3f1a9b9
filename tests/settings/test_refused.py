"""Settings in files, on the command line and in search spaces that no run can have: all commands refuse them."""

import pathlib

import pytest

from tests.shop import QUIET, shop_text


@pytest.fixture
def refused_everywhere(refused, write_shop, tmp_path):
    """Every command refuses some settings in a YAML file or on the command line, before data are read."""

    def check(*words, text=None, named=()):
        write_shop()
        space = tmp_path / "space.test"
        space.write_text("dropout_prob choice [0.1,0.2]\n")
        if text is not None:
            (tmp_path / "e.yaml").write_text(text)
            words = (*words, "--config_files", "e.yaml")
        errors = [
            refused("run", "--dataset=shop", *words),
            refused("tune", "--dataset=shop", "--space", str(space), *words),
            refused("leaderboard", "--models", "EDLAE", "Pop", "--dataset", "shop", *words),
        ]
        for error in errors:
            for name in named:
                assert name in error, error
        assert not (tmp_path / "leaderboard").exists() or not list(
            (tmp_path / "leaderboard").glob("*.jsonl")
        )

    return check


@pytest.mark.parametrize("names", [["a", "b"], ["a", "b", "c", "d"], "a", [1, 2, 3]])
def test_a_wrong_number_of_files(names, refused_everywhere):
    named = (
        ["benchmark_filename"] if isinstance(names, str) else ["benchmark_filename", "[train, test, test]"]
    )
    refused_everywhere(f"--benchmark_filename={names}", named=named)


def test_one_file_of_three_is_empty(write_shop, refused, tmp_path):
    for part in ("train", "valid", "test"):
        write_shop(shop_text() if part != "valid" else shop_text(rows=[]).splitlines()[0] + "\n")
        (tmp_path / "dataset" / "shop" / "shop.inter").rename(
            tmp_path / "dataset" / "shop" / f"shop.{part}.inter"
        )
    (tmp_path / "dataset" / "shop" / "shop.valid.inter").write_text(shop_text().splitlines()[0] + "\n")
    error = refused("run", *QUIET, "--benchmark_filename=['train','valid','test']")
    assert "shop.valid.inter" in error and "no rows" in error


def test_order_by_time_without_times(refused_everywhere):
    words = ["--eval_args={'order':'TO'}", "--load_col={'inter':['user_id','item_id']}"]
    refused_everywhere(*words, named=["timestamp", "load_col"])


def test_a_column_the_file_lacks(refused_everywhere):
    refused_everywhere(
        "--load_col={'inter':['user_id','item_id','price']}", named=["price", "load_col", "rating"]
    )


def test_filter_on_a_column_not_loaded(refused_everywhere):
    refused_everywhere("--val_interval={'rating':'[4,inf)'}", named=["val_interval", "rating", "load_col"])


def test_ranking_metrics_with_labels(refused_everywhere):
    refused_everywhere("--eval_args={'mode':'labeled'}", named=["labeled", "mode"])


OLD = {
    "min_user_inter_num: 5": "user_inter_num_interval",
    "eval_setting: RO_RS,full": "eval_args",
    "split_ratio: [0.8,0.1,0.1]": "eval_args",
    "training_neg_sample_num: 1": "train_neg_sample_args",
    "reg_wieght: 3.0": "reg_weight",
}


@pytest.mark.parametrize("line", OLD)
def test_unknown_names_in_a_file(line, refused_everywhere):
    refused_everywhere(text=line + "\n", named=[line.partition(":")[0], OLD[line]])


@pytest.mark.parametrize("line", OLD)
def test_unknown_names_on_the_command_line(line, refused_everywhere):
    refused_everywhere("--" + line.replace(": ", "="), named=[line.partition(":")[0], OLD[line]])


def test_config_files_is_suggested(refused_everywhere):
    refused_everywhere("--config_file=e.yaml", named=["config_file", "--config_files"])
    refused_everywhere("--config_file_list=e.yaml", named=["config_file_list", "--config_files"])


def test_rating_metrics_without_a_label_field(refused):
    words = ["--model=AutoRec", "--feedback=rating", "--metrics=['RMSE','MAE']", "--valid_metric=RMSE"]
    assert "LABEL_FIELD" in refused("run", "--dataset=ml-100k", "--eval_args={'mode':'labeled'}", *words)


WRONG = {
    "--user_inter_num_interval=5": "user_inter_num_interval",
    "--user_inter_num_interval=(3,5": "user_inter_num_interval",
    "--seed=-1": "seed",
    "--eval_args={'split':{'RS':[1,1]}}": "RS",
    "--eval_args={'split':{'RS':[0,0,1]}}": "RS",
    "--eval_args={'group_by':'usr'}": "group_by",
    "--eval_args={'split':{'XX':[0.8,0.1,0.1]}}": "split",
    "--topk=0": "topk",
    "--metrics=[]": "metrics",
    "--item_inter_num_interval=[5,3]": "item_inter_num_interval",
    "--seed=1.5": "seed",
    "--seed=4294967296": "seed",
    "--eval_args={'split':{'LS':'test'}}": "LS",
    "--eval_args={'split':{'RS':[.8,.1,.1],'LS':'valid_only'}}": "split",
    "--eval_args={'splits':{'RS':[.8,.1,.1]}}": "splits",
    "--eval_args={'mode':'uni'}": "mode",
    "--eval_args={'mode':{'vaild':'full'}}": "vaild",
    "--eval_args={'order':'XO'}": "order",
    "--topk=[5,True]": "topk",
    "--metrics=['RMSE','NDCG']": "metrics",
    "--train_batch_size=0": "train_batch_size",
    "--epochs=-3": "epochs",
    "--rm_dup_inter=newest": "rm_dup_inter",
    "--train_neg_sample_args={'distribution':'unifrom'}": "unifrom",
    "--train_neg_sample_args={'sample_number':1}": "sample_number",
    "--load_col={'inter':'user_id'}": "load_col",
    "--field_separator=": "field_separator",
    "--epochs=1 --epochs=2": "epochs is given twice",
    "--highest_val={'rating':3}": "val_interval",
    "--drpout_prob=0.2": "did you mean dropout_prob",
}


@pytest.mark.parametrize("words", WRONG)
def test_wrong_values(words, refused_everywhere):
    refused_everywhere(*words.split(" "), named=[WRONG[words]])


FILES = {
    "a: 1\nreg_weight: 1.0\nreg_weight: 2.0\n": ["reg_weight twice", "lines 2 and 3"],
    "eval_args:\n  order: RO\n  mode: full\n  order: TO\n": ["order twice", "lines 2 and 4"],
    "reg_weight: [1\nx: 2\n": ["is not YAML, line"],
    "- reg_weight\n": ["holds no `key: value` lines"],
    "on: 3\n": ["holds no `key: value` lines"],
    "eval_args: {splt: {RS: [8,1,1]}}\n": ["splt"],
    "reg_weight: half\n": ["reg_weight", "half"],
}


@pytest.mark.parametrize("text", FILES)
def test_wrong_files(text, refused_everywhere):
    refused_everywhere(text=text, named=FILES[text])


def test_a_config_file_that_is_a_folder(refused, tmp_path):
    pathlib.Path("here.yaml").mkdir()
    assert "no file here.yaml" in refused("run", "--config_files=here.yaml")
