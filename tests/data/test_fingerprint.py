"""The fingerprint of data: the content of the files that are read, and of no others."""

import os
import pathlib

import pytest
from recbole.config import Config
from recbole.data import create_dataset
from recbole.data.dataset import Dataset
from recbole.utils import ModelType

from recbole_edlae.data import fingerprint as module
from recbole_edlae.data.fingerprint import ChangedFileError, files_read, fingerprint


@pytest.fixture
def settings_of(tmp_path):
    """Writes files of a dataset, and returns the settings under which they are read."""

    def write(files, dataset="shop", folder="data", **settings):
        path = tmp_path / folder / dataset
        path.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (path / name).write_text(content)
        common = {
            "data_path": str(path),
            "dataset": dataset,
            "model": "EDLAE",
            "MODEL_TYPE": ModelType.GENERAL,
        }
        return {**common, "load_col": None, **settings}

    return write


@pytest.mark.parametrize(
    "dataset", ["shop", "shop[1]", "sh*p", "sh?p", "{shop}", "my shop", "shop.v2", "**", "-shop"]
)
def test_it_follows_the_content_whatever_the_name(dataset, settings_of):
    first = fingerprint(settings_of({f"{dataset}.inter": "a"}, dataset))
    assert first != fingerprint(settings_of({f"{dataset}.inter": "b"}, dataset))
    assert first == fingerprint(settings_of({f"{dataset}.inter": "a"}, dataset)) != ""


def test_a_touched_a_copied_and_a_linked_file_are_the_same(settings_of, tmp_path):
    settings = settings_of({"shop.inter": "a"})
    first = fingerprint(settings)
    os.utime(pathlib.Path(settings["data_path"], "shop.inter"), (1, 1))
    assert fingerprint(settings) == first == fingerprint(settings_of({"shop.inter": "a"}, folder="copy"))
    (tmp_path / "link").symlink_to(tmp_path / "data")
    assert fingerprint({**settings, "data_path": str(tmp_path / "link" / "shop")}) == first


def test_a_file_is_hashed_once_until_it_is_touched(settings_of, monkeypatch):
    settings = settings_of({"shop.inter": "a"})
    path = pathlib.Path(settings["data_path"], "shop.inter")
    read = []
    stock = module._content_hash
    monkeypatch.setattr(module, "_content_hash", lambda path: (read.append(path), stock(path))[1])
    monkeypatch.setattr(module, "_CLOCK", 0.0)
    first = fingerprint(settings)
    assert fingerprint(settings) == first and len(read) == 1
    path.write_text("b")
    os.utime(path, ns=(1, 1))
    assert fingerprint(settings) != first


def test_a_file_that_has_just_been_written_is_read_again(settings_of, monkeypatch):
    """Two changes in one tick of the clock leave size and times as they are."""
    settings = settings_of({"shop.inter": "a"})
    path = pathlib.Path(settings["data_path"], "shop.inter")
    frozen = path.stat()
    stock = pathlib.Path.stat
    monkeypatch.setattr(
        pathlib.Path, "stat", lambda self, **more: frozen if self == path else stock(self, **more)
    )
    found = []
    for content in "aba":
        path.write_text(content)
        found.append(fingerprint(settings))
    assert found[0] == found[2] != found[1]


@pytest.mark.parametrize(
    "settings, names",
    [
        ({}, ["shop.inter", "shop.user", "shop.item"]),
        ({"load_col": {"inter": ["user_id"]}}, ["shop.inter"]),
        ({"load_col": {"inter": "*", "item": ["item_id"], "user": []}}, ["shop.inter", "shop.item"]),
        ({"benchmark_filename": ["a", "b", "b"], "load_col": {}}, ["shop.a.inter", "shop.b.inter"]),
        ({"additional_feat_suffix": ["net"], "load_col": {"net": "*"}}, ["shop.inter", "shop.net"]),
        (
            {"MODEL_TYPE": ModelType.KNOWLEDGE, "model": "CKE"},
            ["shop.inter", "shop.user", "shop.item", "shop.kg", "shop.link"],
        ),
        (
            {"MODEL_TYPE": ModelType.SEQUENTIAL, "model": "KSR", "load_col": {"kg": "*"}},
            ["shop.inter", "shop.kg"],
        ),
    ],
)
def test_the_files_that_count(settings, names, settings_of):
    assert [path.name for path in files_read(settings_of({}, **settings))] == names


def test_other_files_do_not_count(settings_of):
    first = fingerprint(settings_of({"shop.inter": "a"}))
    assert first == fingerprint(
        settings_of({"shop.v2.inter": "a", "shop.kg": "a", "shop.hyper": "a", "x.inter": "a"})
    )
    assert first != fingerprint(settings_of({"shop.item": "a"}))


def test_parts_that_change_places_are_others(settings_of):
    parts = {"benchmark_filename": ["train", "valid", "test"]}
    first = fingerprint(settings_of({"shop.valid.inter": "a", "shop.test.inter": "b"}, **parts))
    assert first != fingerprint(settings_of({"shop.valid.inter": "b", "shop.test.inter": "a"}, **parts))


def test_the_same_content_in_another_file_is_another(settings_of):
    assert fingerprint(settings_of({"shop.user": "a"}, folder="a")) != fingerprint(
        settings_of({"shop.item": "a"})
    )


def test_without_files_there_is_none(settings_of):
    assert fingerprint(settings_of({})) == ""


@pytest.mark.parametrize("change", [{"shop.inter": "b"}, {"shop.item": "new"}])
def test_a_change_of_known_files_is_refused(change, settings_of):
    known = {}
    settings = settings_of({"shop.inter": "a", "shop.user": "a"})
    first = fingerprint(settings, known)
    assert fingerprint(settings, known) == first
    settings_of(change)
    with pytest.raises(
        ChangedFileError, match=f"dataset: .*{next(iter(change))} has changed since this command began"
    ):
        fingerprint(settings, known)


def test_a_file_that_changes_while_it_is_read_is_refused(settings, tiny, tmp_path, monkeypatch):
    text = pathlib.Path(tiny, "tiny", "tiny.inter").read_text()
    path = tmp_path / "tiny" / "tiny.inter"
    path.parent.mkdir()
    path.write_text(text)
    config = Config("EDLAE", "tiny", config_dict={**settings, "data_path": str(tmp_path)})
    assert create_dataset(config).fingerprint == fingerprint(config.final_config_dict)
    stock = Dataset._load_data
    monkeypatch.setattr(Dataset, "_load_data", lambda *args: (stock(*args), path.write_text(text[:-5])))
    with pytest.raises(ChangedFileError, match="changed while tiny was read"):
        create_dataset(config)
