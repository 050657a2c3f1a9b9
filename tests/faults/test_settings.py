"""Settings in files, on the command line and in search spaces: each takes effect, or is named."""

import pathlib

import pytest
import yaml

from tests.faults.conftest import QUIET, shop_rows, shop_text


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
        assert not (tmp_path / "leaderboard").exists() or not list((tmp_path / "leaderboard").glob("*.jsonl"))

    return check


def trained_with(tmp_path, word):
    """Value of a setting in the newest checkpoint's Config."""
    import torch

    (path,) = (tmp_path / "saved").glob("*.pth")
    return torch.load(path, weights_only=False)["config"][word]


@pytest.mark.parametrize(
    "text, key, value",
    [("reg_weight: 5e2", "reg_weight", 500.0), ("learning_rate: 1e-3", "learning_rate", 0.001)],
)
def test_row_03_numbers_with_an_exponent(text, key, value, write_shop, command, tmp_path):
    write_shop()
    (tmp_path / "e.yaml").write_text(text + "\n")
    assert command("run", *QUIET, "--config_files", "e.yaml").status == 0
    assert trained_with(tmp_path, key) == value


def test_row_03_in_a_leaderboards_settings_and_a_space(write_shop, command, tmp_path):
    write_shop()
    (tmp_path / "board.yaml").write_text("dataset: shop\nmodels:\n  EDLAE: {reg_weight: 5e2}\n")
    assert command("leaderboard", "--settings", "board.yaml", "--output", "out").status == 0
    assert '"reg_weight": 500.0' in (tmp_path / "out" / "leaderboard.json").read_text()
    (tmp_path / "a.test").write_text("reg_weight choice [5e2,1e-1]\n")
    assert command("tune", "--dataset=shop", "--space=a.test", "--output=swept").status == 0
    assert yaml.safe_load((tmp_path / "swept" / "best.yaml").read_text())["reg_weight"] in (500.0, 0.1)


@pytest.mark.parametrize("names", [["a", "b"], ["a", "b", "c", "d"], "a", [1, 2, 3]])
def test_row_06_wrong_number_of_files(names, refused_everywhere):
    named = ["benchmark_filename"] if isinstance(names, str) else ["benchmark_filename", "[train, test, test]"]
    refused_everywhere(f"--benchmark_filename={names}", named=named)


def test_row_06_one_file_of_three_is_empty(write_shop, refused, tmp_path):
    for part in ("train", "valid", "test"):
        write_shop(shop_text() if part != "valid" else shop_text(rows=[]).splitlines()[0] + "\n")
        (tmp_path / "dataset" / "shop" / "shop.inter").rename(tmp_path / "dataset" / "shop" / f"shop.{part}.inter")
    (tmp_path / "dataset" / "shop" / "shop.valid.inter").write_text(shop_text().splitlines()[0] + "\n")
    error = refused("run", *QUIET, "--benchmark_filename=['train','valid','test']")
    assert "shop.valid.inter" in error and "no rows" in error


def test_row_07_order_by_time_without_times(refused_everywhere):
    words = ["--eval_args={'order':'TO'}", "--load_col={'inter':['user_id','item_id']}"]
    refused_everywhere(*words, named=["timestamp", "load_col"])


def test_row_07_a_column_the_file_lacks(refused_everywhere):
    refused_everywhere("--load_col={'inter':['user_id','item_id','price']}", named=["price", "load_col", "rating"])


def test_row_11_threshold_in_full_ranking(write_shop, command):
    write_shop()
    outcome = command("run", *QUIET, "--threshold={'rating':4}", "--load_col={'inter':['user_id','item_id','rating']}")
    assert outcome.status == 0
    assert "threshold has no effect" in outcome.err and "val_interval: {rating: '[4,inf)'}" in outcome.err


def test_row_11_filter_on_a_column_not_loaded(refused_everywhere):
    refused_everywhere("--val_interval={'rating':'[4,inf)'}", named=["val_interval", "rating", "load_col"])


def test_row_14_ranking_metrics_with_labels(refused_everywhere):
    refused_everywhere("--eval_args={'mode':'labeled'}", named=["labeled", "mode"])


OLD = {
    "min_user_inter_num: 5": "user_inter_num_interval",
    "eval_setting: RO_RS,full": "eval_args",
    "split_ratio: [0.8,0.1,0.1]": "eval_args",
    "training_neg_sample_num: 1": "train_neg_sample_args",
    "reg_wieght: 3.0": "reg_weight",
}


@pytest.mark.parametrize("line", OLD)
def test_row_15_names_in_a_file(line, refused_everywhere):
    refused_everywhere(text=line + "\n", named=[line.partition(":")[0], OLD[line]])


@pytest.mark.parametrize("line", OLD)
def test_row_15_names_on_the_command_line(line, refused_everywhere):
    refused_everywhere("--" + line.replace(": ", "="), named=[line.partition(":")[0], OLD[line]])


def test_row_15_config_file_is_suggested(refused_everywhere):
    refused_everywhere("--config_file=e.yaml", named=["config_file", "--config_files"])
    refused_everywhere("--config_file_list=e.yaml", named=["config_file_list", "--config_files"])


def test_row_15_a_space_of_a_setting_there_is_none_of(write_shop, refused, tmp_path):
    write_shop()
    (tmp_path / "a.test").write_text("foo choice [1,2]\n")
    assert "foo" in refused("tune", "--dataset=shop", "--space=a.test")


@pytest.mark.parametrize("folder", ["dt=2024", "my data", "a=b c"])
def test_row_16_data_path_of_any_name(folder, write_shop, command, datasets, tmp_path):
    write_shop(shop_text(shop_rows()[:160]))  # what is not meant: 20 users
    (tmp_path / folder / "shop").mkdir(parents=True)
    (tmp_path / folder / "shop" / "shop.inter").write_text(shop_text())
    path = f"--data_path={tmp_path / folder}"
    (tmp_path / "a.test").write_text("dropout_prob choice [0.1]\n")
    assert command("run", *QUIET, path).status == 0
    assert command("tune", "--dataset=shop", "--space=a.test", "--output=t", path).status == 0
    assert command("leaderboard", "--models", "Pop", "--output=l", "--dataset", "shop", path).status == 0
    assert [len(users) for users, _, _ in datasets] == [40, 40]  # tune and leaderboard share what they read


def test_row_16_checkpoint_folder_with_an_equals_sign(write_shop, command, tmp_path):
    write_shop()
    assert command("run", *QUIET, "--checkpoint_dir=a=b").status == 0
    assert list((tmp_path / "a=b").glob("EDLAE*.pth"))


@pytest.mark.parametrize("name", ["my configs/e.yaml", "a=b.yaml"])
def test_row_16_config_file_of_any_name(name, write_shop, command, tmp_path):
    write_shop()
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("reg_weight: 7.0\ndata_path: dataset\n")
    assert command("run", *QUIET, "--config_files", name).status == 0
    assert trained_with(tmp_path, "reg_weight") == 7.0
    (tmp_path / "a.test").write_text("dropout_prob choice [0.1]\n")
    assert command("tune", "--dataset=shop", "--space=a.test", "--output=t", "--config_files", name).status == 0
    words = ["--models", "EDLAE", "--output=l", "--dataset", "shop", "--config_files", name]
    assert command("leaderboard", *words).status == 0
    assert '"reg_weight": 7.0' in (tmp_path / "l" / "records.jsonl").read_text()


RATINGS = [
    "--model=AutoRec", "--dataset=ml-100k", "--feedback=rating", "--epochs=1", "--show_progress=False",
    "--metrics=['RMSE','MAE']", "--valid_metric=RMSE", "--eval_args={'mode':'labeled'}", "--state=ERROR",
]  # fmt: skip


def test_row_22_normalized_ratings_say_so(command):
    outcome = command("run", *RATINGS, "--LABEL_FIELD=rating")
    assert outcome.status == 0 and "RMSE and MAE are measured on rating scaled to between 0 and 1" in outcome.err


def test_row_22_without_label_field(refused):
    error = refused("run", *RATINGS, "--normalize_all=False")
    assert "LABEL_FIELD" in error


CHOICES = {
    "DeepAE": ("mlp_hidden_size", "['[600]','[600,200]']", [[600], [600, 200]]),
    "EDLAE": ("emphasis", "['[1,0]','[1,1]']", [[1, 0], [1, 1]]),
    "BPR": (
        "train_neg_sample_args",
        """["{'distribution':'uniform','sample_num':1}"]""",
        [{"distribution": "uniform", "sample_num": 1}],
    ),
}


@pytest.mark.parametrize("model", CHOICES)
def test_row_23_lists_and_dicts_in_quotes(model, write_shop, command, tmp_path):
    write_shop()
    key, choices, values = CHOICES[model]
    (tmp_path / "a.test").write_bytes(f"\ufeff{key} choice {choices}\n".encode())
    words = ["--dataset=shop", "--space=a.test", "--epochs=1", f"--model={model}", "--output=out"]
    outcome = command("tune", *words)
    assert outcome.status == 0, outcome.err
    found = yaml.safe_load((tmp_path / "out" / "best.yaml").read_text())[key]
    found = {name: found[name] for name in values[0]} if isinstance(found, dict) else found
    assert found in values


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
}


@pytest.mark.parametrize("word", WRONG)
def test_row_31_settings_that_cannot_be(word, refused_everywhere):
    refused_everywhere(word, named=[WRONG[word]])


MORE = {
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


@pytest.mark.parametrize("words", MORE)
def test_more_settings_that_cannot_be(words, refused_everywhere):
    refused_everywhere(*words.split(" "), named=[MORE[words]])


FILES = {
    "a: 1\nreg_weight: 1.0\nreg_weight: 2.0\n": ["reg_weight twice", "lines 2 and 3"],
    "reg_weight: [1\nx: 2\n": ["is not YAML, line"],
    "- reg_weight\n": ["holds no `key: value` lines"],
    "on: 3\n": ["holds no `key: value` lines"],
    "eval_args: {splt: {RS: [8,1,1]}}\n": ["splt"],
    "reg_weight: half\n": ["reg_weight", "half"],
}


@pytest.mark.parametrize("text", FILES)
def test_more_files_that_cannot_be(text, refused_everywhere):
    refused_everywhere(text=text, named=FILES[text])


@pytest.mark.parametrize("name", ["BOM", "CRLF", "both"])
def test_more_files_of_other_editors(name, write_shop, command, tmp_path):
    write_shop()
    text = "reg_weight: 2e2\ndropout_prob: 5e-1\n"
    text = text.replace("\n", "\r\n") if name != "BOM" else text
    (tmp_path / "e.yaml").write_bytes((b"\xef\xbb\xbf" if name != "CRLF" else b"") + text.encode())
    assert command("run", *QUIET, "--config_files=e.yaml").status == 0
    assert trained_with(tmp_path, "reg_weight") == 200.0 and trained_with(tmp_path, "dropout_prob") == 0.5


def test_more_settings_of_other_models_are_said_to_have_no_effect(write_shop, command, tmp_path):
    write_shop()
    (tmp_path / "e.yaml").write_text("n_layers: 3\nmy_own_note: hello\n")
    outcome = command("run", *QUIET, "--config_files=e.yaml")
    assert outcome.status == 0
    assert "n_layers has no effect on EDLAE: it is a setting of" in outcome.err
    assert "nothing reads the setting my_own_note" in outcome.err
    outcome = command("leaderboard", "--models", "EDLAE", "LightGCN", "--dataset", "shop", "--config_files=e.yaml")
    assert "n_layers has no effect" not in outcome.err


@pytest.mark.parametrize(
    "word, line",
    [
        ("--valid_metric_bigger=False", "valid_metric_bigger has no effect"),
        ("--normalize_field=['rating']", None),
    ],
)
def test_more_settings_without_effect(word, line, write_shop, command):
    write_shop()
    outcome = command("run", *QUIET, word, "--load_col={'inter':['user_id','item_id','rating']}")
    assert outcome.status == 0 and (line is None or line in outcome.err) and (line or "warning" not in outcome.err)


def test_more_filters_without_effect_on_files_that_come_split(write_shop, command, tmp_path):
    for part in ("train", "valid", "test"):
        write_shop().rename(tmp_path / "dataset" / "shop" / f"shop.{part}.inter")
    words = ["--benchmark_filename=['train','valid','test']", "--user_inter_num_interval=[3,inf)"]
    outcome = command("run", *QUIET, *words)
    assert outcome.status == 0 and "user_inter_num_interval has no effect with benchmark_filename" in outcome.err


@pytest.mark.parametrize(
    "eval_args, told",
    {
        "{'mode':'full'}": False,
        "{'order':'RO'}": False,
        "{'order':'TO'}": True,
        "{'split':{'LS':'valid_only'}}": True,
    }.items(),
)
def test_a_split_is_said_to_have_no_effect_on_files_that_come_split(eval_args, told, write_shop, command, tmp_path):
    for part in ("train", "valid", "test"):
        write_shop().rename(tmp_path / "dataset" / "shop" / f"shop.{part}.inter")
    outcome = command("run", *QUIET, "--benchmark_filename=['train','valid','test']", f"--eval_args={eval_args}")
    line = "split and order in eval_args have no effect with benchmark_filename"
    assert outcome.status == 0 and (line in outcome.err) == told


@pytest.mark.parametrize(
    "words, said",
    [
        (["--normalize_field=['rating']"], True),
        (["--normalize_all=False"], False),
        (["--normalize_all=True", "--metrics=['MAE']", "--valid_metric=MAE"], True),
    ],
)
def test_more_normalized_ratings(words, said, write_shop, command):
    write_shop()
    own = ["--model=AutoRec", "--feedback=rating", "--LABEL_FIELD=rating", "--eval_args={'mode':'labeled'}"]
    own += ["--metrics=['RMSE']", "--valid_metric=RMSE", "--load_col={'inter':['user_id','item_id','rating']}"]
    outcome = command("run", *QUIET, *[word for word in own if word.split("=")[0] not in " ".join(words)], *words)
    assert outcome.status == 0, outcome.err
    assert ("scaled to between 0 and 1" in outcome.err) == said


def test_more_an_error_while_fitting_is_one_line(write_shop, refused, monkeypatch):
    from recbole_edlae.model.edlae import EDLAE

    def fail(*_, **__):
        raise RuntimeError("something\nbroke")

    write_shop()
    monkeypatch.setattr(EDLAE, "solve", fail)
    error = refused("run", *QUIET)
    assert "RuntimeError: something broke (--debug shows where)" in error
    with pytest.raises(RuntimeError, match="broke"):
        from recbole_edlae import cli

        cli.main(["run", *QUIET, "--debug"])


def test_a_configs_path_that_is_a_folder(refused, tmp_path):
    pathlib.Path("here.yaml").mkdir()
    assert "no file here.yaml" in refused("run", "--config_files=here.yaml")
