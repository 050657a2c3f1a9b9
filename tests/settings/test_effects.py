"""Settings of any spelling, file name and editor take effect; those without effect are named."""

import pytest
import yaml

from tests.shop import QUIET, shop_rows, shop_text


def trained_with(tmp_path, word):
    """Value of a setting in the newest checkpoint's Config."""
    import torch

    (path,) = (tmp_path / "saved").glob("*.pth")
    return torch.load(path, weights_only=False)["config"][word]


@pytest.mark.parametrize(
    "text, key, value",
    [("reg_weight: 5e2", "reg_weight", 500.0), ("learning_rate: 1e-3", "learning_rate", 0.001)],
)
def test_numbers_with_an_exponent(text, key, value, write_shop, command, tmp_path):
    write_shop()
    (tmp_path / "e.yaml").write_text(text + "\n")
    assert command("run", *QUIET, "--config_files", "e.yaml").status == 0
    assert trained_with(tmp_path, key) == value


def test_numbers_with_an_exponent_in_a_leaderboards_settings_and_a_space(write_shop, command, tmp_path):
    write_shop()
    (tmp_path / "board.yaml").write_text("dataset: shop\nmodels:\n  EDLAE: {reg_weight: 5e2}\n")
    assert command("leaderboard", "--settings", "board.yaml", "--output", "out").status == 0
    assert '"reg_weight": 500.0' in (tmp_path / "out" / "leaderboard.json").read_text()
    (tmp_path / "a.test").write_text("reg_weight choice [5e2,1e-1]\n")
    assert command("tune", "--dataset=shop", "--space=a.test", "--output=swept").status == 0
    assert yaml.safe_load((tmp_path / "swept" / "best.yaml").read_text())["reg_weight"] in (500.0, 0.1)


@pytest.mark.parametrize("name", ["BOM", "CRLF", "both"])
def test_files_of_other_editors(name, write_shop, command, tmp_path):
    write_shop()
    text = "reg_weight: 2e2\ndropout_prob: 5e-1\n"
    text = text.replace("\n", "\r\n") if name != "BOM" else text
    (tmp_path / "e.yaml").write_bytes((b"\xef\xbb\xbf" if name != "CRLF" else b"") + text.encode())
    assert command("run", *QUIET, "--config_files=e.yaml").status == 0
    assert trained_with(tmp_path, "reg_weight") == 200.0 and trained_with(tmp_path, "dropout_prob") == 0.5


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
def test_lists_and_dicts_in_the_quotes_of_a_space(model, write_shop, command, tmp_path):
    write_shop()
    key, choices, values = CHOICES[model]
    (tmp_path / "a.test").write_bytes(f"\ufeff{key} choice {choices}\n".encode())
    words = ["--dataset=shop", "--space=a.test", "--epochs=1", f"--model={model}", "--output=out"]
    outcome = command("tune", *words)
    assert outcome.status == 0, outcome.err
    found = yaml.safe_load((tmp_path / "out" / "best.yaml").read_text())[key]
    found = {name: found[name] for name in values[0]} if isinstance(found, dict) else found
    assert found in values


@pytest.mark.parametrize("folder", ["dt=2024", "my data", "a=b c"])
def test_a_data_path_of_any_name(folder, write_shop, command, datasets, tmp_path):
    write_shop(shop_text(shop_rows()[:160]))  # what is not meant: 20 users
    (tmp_path / folder / "shop").mkdir(parents=True)
    (tmp_path / folder / "shop" / "shop.inter").write_text(shop_text())
    path = f"--data_path={tmp_path / folder}"
    (tmp_path / "a.test").write_text("dropout_prob choice [0.1]\n")
    assert command("run", *QUIET, path).status == 0
    assert command("tune", "--dataset=shop", "--space=a.test", "--output=t", path).status == 0
    assert command("leaderboard", "--models", "Pop", "--output=l", "--dataset", "shop", path).status == 0
    assert [len(users) for users, _, _ in datasets] == [40, 40]  # tune and leaderboard share what they read


def test_a_checkpoint_folder_with_an_equals_sign(write_shop, command, tmp_path):
    write_shop()
    assert command("run", *QUIET, "--checkpoint_dir=a=b").status == 0
    assert list((tmp_path / "a=b").glob("EDLAE*.pth"))


@pytest.mark.parametrize("name", ["my configs/e.yaml", "a=b.yaml"])
def test_a_config_file_of_any_name(name, write_shop, command, tmp_path):
    write_shop()
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("reg_weight: 7.0\ndata_path: dataset\n")
    assert command("run", *QUIET, "--config_files", name).status == 0
    assert trained_with(tmp_path, "reg_weight") == 7.0
    (tmp_path / "a.test").write_text("dropout_prob choice [0.1]\n")
    assert (
        command("tune", "--dataset=shop", "--space=a.test", "--output=t", "--config_files", name).status
        == 0
    )
    words = ["--models", "EDLAE", "--output=l", "--dataset", "shop", "--config_files", name]
    assert command("leaderboard", *words).status == 0
    assert '"reg_weight": 7.0' in (tmp_path / "l" / "records.jsonl").read_text()


def test_a_threshold_is_said_to_have_no_effect_in_full_ranking(write_shop, command):
    write_shop()
    outcome = command(
        "run", *QUIET, "--threshold={'rating':4}", "--load_col={'inter':['user_id','item_id','rating']}"
    )
    assert outcome.status == 0
    assert "threshold has no effect" in outcome.err and "val_interval: {rating: '[4,inf)'}" in outcome.err


def test_settings_of_other_models_are_said_to_have_no_effect(write_shop, command, tmp_path):
    write_shop()
    (tmp_path / "e.yaml").write_text("n_layers: 3\nmy_own_note: hello\n")
    outcome = command("run", *QUIET, "--config_files=e.yaml")
    assert outcome.status == 0
    assert "n_layers has no effect on EDLAE: it is a setting of" in outcome.err
    assert "nothing reads the setting my_own_note" in outcome.err
    outcome = command(
        "leaderboard", "--models", "EDLAE", "LightGCN", "--dataset", "shop", "--config_files=e.yaml"
    )
    assert "n_layers has no effect" not in outcome.err


@pytest.mark.parametrize(
    "word, line",
    [
        ("--valid_metric_bigger=False", "valid_metric_bigger has no effect"),
        ("--normalize_field=['rating']", None),
    ],
)
def test_single_settings_without_effect(word, line, write_shop, command):
    write_shop()
    outcome = command("run", *QUIET, word, "--load_col={'inter':['user_id','item_id','rating']}")
    assert (
        outcome.status == 0
        and (line is None or line in outcome.err)
        and (line or "warning" not in outcome.err)
    )


def test_filters_are_said_to_have_no_effect_on_files_that_come_split(write_shop, command, tmp_path):
    for part in ("train", "valid", "test"):
        write_shop().rename(tmp_path / "dataset" / "shop" / f"shop.{part}.inter")
    words = ["--benchmark_filename=['train','valid','test']", "--user_inter_num_interval=[3,inf)"]
    outcome = command("run", *QUIET, *words)
    assert (
        outcome.status == 0
        and "user_inter_num_interval has no effect with benchmark_filename" in outcome.err
    )


@pytest.mark.parametrize(
    "eval_args, told",
    {
        "{'mode':'full'}": False,
        "{'order':'RO'}": False,
        "{'order':'TO'}": True,
        "{'split':{'LS':'valid_only'}}": True,
    }.items(),
)
def test_a_split_is_said_to_have_no_effect_on_files_that_come_split(
    eval_args, told, write_shop, command, tmp_path
):
    for part in ("train", "valid", "test"):
        write_shop().rename(tmp_path / "dataset" / "shop" / f"shop.{part}.inter")
    outcome = command(
        "run", *QUIET, "--benchmark_filename=['train','valid','test']", f"--eval_args={eval_args}"
    )
    line = "split and order in eval_args have no effect with benchmark_filename"
    assert outcome.status == 0 and (line in outcome.err) == told


RATINGS = [
    "--model=AutoRec", "--dataset=ml-100k", "--feedback=rating", "--epochs=1", "--show_progress=False",
    "--metrics=['RMSE','MAE']", "--valid_metric=RMSE", "--eval_args={'mode':'labeled'}", "--state=ERROR",
]  # fmt: skip


def test_errors_of_normalized_ratings_are_said_to_be_so(command):
    outcome = command("run", *RATINGS, "--LABEL_FIELD=rating")
    assert (
        outcome.status == 0
        and "RMSE and MAE are measured on rating scaled to between 0 and 1" in outcome.err
    )


@pytest.mark.parametrize(
    "words, said",
    [
        (["--normalize_field=['rating']"], True),
        (["--normalize_all=False"], False),
        (["--normalize_all=True", "--metrics=['MAE']", "--valid_metric=MAE"], True),
    ],
)
def test_ratings_are_said_to_be_normalized_where_they_are(words, said, write_shop, command):
    write_shop()
    own = ["--model=AutoRec", "--feedback=rating", "--LABEL_FIELD=rating", "--eval_args={'mode':'labeled'}"]
    own += [
        "--metrics=['RMSE']",
        "--valid_metric=RMSE",
        "--load_col={'inter':['user_id','item_id','rating']}",
    ]
    outcome = command(
        "run", *QUIET, *[word for word in own if word.split("=")[0] not in " ".join(words)], *words
    )
    assert outcome.status == 0, outcome.err
    assert ("scaled to between 0 and 1" in outcome.err) == said
