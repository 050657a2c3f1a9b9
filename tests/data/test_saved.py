"""Saved datasets and loaders are used where they are of the files and settings of the run, and nowhere else."""

import os
import pathlib
import shutil
import warnings

import pytest
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.data.dataset import Dataset
from recbole.quick_start import load_data_and_model, run_recbole
from recbole.utils import init_seed

from recbole_edlae._warnings import DataWarning
from recbole_edlae.serving.checkpoint import Checkpoint

BPR = {"epochs": 2, "train_batch_size": 32}


@pytest.fixture
def own(tiny, tmp_path):
    """Folder with a copy of `tiny` that may be changed."""
    shutil.copytree(tiny, tmp_path / "own")
    return tmp_path / "own" / "tiny" / "tiny.inter"


@pytest.fixture
def prepare(settings, own):
    """Dataset and loaders of a run on the copy."""

    def call(model="EDLAE", **more):
        config = Config(model, "tiny", config_dict={**settings, "data_path": str(own.parents[1]), **more})
        init_seed(config["seed"], config["reproducibility"])
        dataset = create_dataset(config)
        return dataset, data_preparation(config, dataset)

    return call


@pytest.fixture
def run(settings, own):
    """Result of RecBole's run on the copy."""

    def call(model="BPR", **more):
        common = {**settings, **BPR, "data_path": str(own.parents[1])}
        result = run_recbole(model, "tiny", config_dict={**common, **more})
        return dict(result["best_valid_result"]), dict(result["test_result"])

    return call


def change(path):
    """Replace the last ten interactions by others."""
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-10], *(f"u{n}\ti{n}\t3\t5" for n in range(10))]) + "\n")


def pairs(dataset):
    return sorted(zip(dataset.inter_feat["user_id"].tolist(), dataset.inter_feat["item_id"].tolist()))


@pytest.mark.parametrize("save", ["save_dataset", "save_dataloaders"])
def test_a_run_on_changed_files_is_that_without_what_was_saved(save, run, own, tmp_path):
    run(**{save: True})
    change(own)
    with pytest.warns(
        DataWarning, match=r"saved/tiny.*pth is not used: it is not of the files in .*own/tiny"
    ):
        found = run()
    shutil.rmtree(tmp_path / "saved")
    assert found == run()


@pytest.mark.parametrize("setting", ["dataset_save_path", "dataloaders_save_path"])
def test_a_file_that_a_setting_names_is_checked_too(setting, run, own, tmp_path):
    run(save_dataset=True, save_dataloaders=True)
    name = "tiny-Dataset.pth" if setting == "dataset_save_path" else "tiny-for-BPR-dataloader.pth"
    shutil.move(tmp_path / "saved" / name, tmp_path / "mine.pth")
    shutil.rmtree(tmp_path / "saved")
    change(own)
    expected = run()
    with pytest.warns(DataWarning, match="mine.pth is not used"):
        assert run(**{setting: "mine.pth"}) == expected
    with pytest.warns(DataWarning, match=f"{setting}: there is no file none.pth"):
        assert run(**{setting: "none.pth"}) == expected


def test_what_was_saved_of_a_touched_file_is_used(prepare, own, monkeypatch):
    first, _ = prepare(save_dataset=True)
    os.utime(own, (1, 1))
    monkeypatch.setattr(Dataset, "_load_data", lambda *_: pytest.fail("files were read"))
    again, _ = prepare()
    assert pairs(again) == pairs(first)


@pytest.mark.parametrize(
    "setting",
    [{"encoding": "latin-1"}, {"numerical_features": ["rating"]}, {"user_inter_num_interval": "[8,inf)"}],
    ids=lambda setting: next(iter(setting)),
)
def test_a_dataset_of_other_settings_is_read_again(setting, prepare, monkeypatch):
    columns = {"load_col": {"inter": ["user_id", "item_id", "rating"]}}
    prepare(save_dataset=True, **columns)
    read = []
    stock = Dataset._load_data
    monkeypatch.setattr(Dataset, "_load_data", lambda *args: (read.append(1), stock(*args)))
    prepare(**columns)
    assert not read
    prepare(**columns, **setting)
    assert read


def test_a_saved_dataset_is_split_by_the_settings_of_the_run(prepare, tmp_path):
    prepare(save_dataset=True)
    eval_args = {"split": {"LS": "valid_and_test"}, "order": "RO", "group_by": "user", "mode": "full"}
    dataset, loaders = prepare(eval_args=eval_args)
    assert dataset.config["eval_args"]["split"] == {"LS": "valid_and_test"}
    shutil.rmtree(tmp_path / "saved", ignore_errors=True)
    _, fresh = prepare(eval_args=eval_args)
    assert [pairs(loader._dataset) for loader in loaders] == [pairs(loader._dataset) for loader in fresh]


@pytest.mark.parametrize("name", ["tiny-Dataset.pth", "tiny-for-EDLAE-dataloader.pth"])
def test_a_damaged_file_is_named_and_not_used(name, prepare, tmp_path):
    prepare(save_dataset=True, save_dataloaders=True)
    path = tmp_path / "saved" / name
    path.write_bytes(path.read_bytes()[:500])
    with pytest.warns(DataWarning, match=f"{name} is not used: it cannot be read"):
        prepare()


def test_a_dataset_that_does_not_say_its_files_is_not_used(prepare, tmp_path):
    dataset, _ = prepare()
    del dataset.fingerprint  # as RecBole alone saves it
    (tmp_path / "saved").mkdir(exist_ok=True)
    dataset.save()
    with pytest.warns(DataWarning, match="it does not say which files it is of"):
        prepare()


def test_a_dataset_of_another_class_is_not_used(prepare):
    prepare(save_dataset=True)
    columns = {"inter": ["user_id", "item_id", "timestamp"]}
    sequential = {"load_col": columns, "train_neg_sample_args": None, "repeatable": True, "loss_type": "CE"}
    sequential["eval_args"] = {"split": {"LS": "valid_and_test"}, "order": "TO", "mode": "full"}
    with pytest.warns(DataWarning, match="it holds a Dataset, and GRU4Rec needs a SequentialDataset"):
        dataset, _ = prepare("GRU4Rec", dataset_save_path="saved/tiny-Dataset.pth", **sequential)
    assert type(dataset).__name__ == "SequentialDataset"


@pytest.mark.parametrize("setting", [{"train_batch_size": 500}, {"shuffle": False}, {"worker": 1}])
def test_loaders_of_other_batches_are_not_used(setting, prepare):
    prepare("BPR", save_dataloaders=True)
    with pytest.warns(DataWarning, match="its batches are not those of BPR"):
        _, (train, _, _) = prepare("BPR", **setting)
    assert train.batch_size == setting.get("train_batch_size", 64)


def test_loaders_of_another_model_are_not_used(prepare, tmp_path):
    prepare("BPR", save_dataloaders=True, train_neg_sample_args=None)
    shutil.move(tmp_path / "saved" / "tiny-for-BPR-dataloader.pth", tmp_path / "mine.pth")
    with pytest.warns(DataWarning, match="its batches are not those of MultiDAE"):
        _, (train, _, _) = prepare("MultiDAE", dataloaders_save_path="mine.pth", train_neg_sample_args=None)
    assert type(train).__name__ == "UserDataLoader"


def test_a_run_that_saves_its_loaders_has_the_results_of_one_that_does_not(run):
    expected = run()
    assert run(save_dataloaders=True) == expected
    assert run() == expected  # of the loaders that were saved


def test_a_checkpoint_is_not_evaluated_on_a_dataset_saved_before(run, own, tmp_path):
    run("EDLAE", save_dataset=True)
    (checkpoint,) = (tmp_path / "saved").glob("EDLAE-*.pth")
    change(own)
    with pytest.warns(DataWarning), pytest.raises(ValueError, match="was not trained on these data"):
        load_data_and_model(str(checkpoint))
    with pytest.warns(DataWarning, match="the files of its dataset have changed"):
        profiles = dict(Checkpoint.read(checkpoint).profiles())
    assert "i0" in profiles["u0"] and "i9" in profiles["u9"]


def test_a_checkpoint_says_that_a_held_out_part_has_changed(run, own, tmp_path):
    lines = own.read_text().splitlines()
    for part, rows in (("train", lines[1:400]), ("valid", lines[400:450]), ("test", lines[450:])):
        own.with_name(f"tiny.{part}.inter").write_text("\n".join([lines[0], *rows]) + "\n")
    run("EDLAE", benchmark_filename=["train", "valid", "test"])
    (checkpoint,) = (tmp_path / "saved").glob("EDLAE-*.pth")
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="checkpoint")
        load_data_and_model(str(checkpoint))
    test = pathlib.Path(own.with_name("tiny.test.inter"))
    test.write_text("\n".join(test.read_text().splitlines()[:-3]) + "\n")
    with pytest.warns(DataWarning, match="the files of its dataset have changed since it was trained"):
        load_data_and_model(str(checkpoint))
