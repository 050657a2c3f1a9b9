"""The tool that writes a reference model into a RecBole tree."""

import ast
import json

import pytest

from tests import recbole_tree
from tools import upstream

ENTRY = "recbole/model/general_recommender/__init__.py"


@pytest.fixture
def tree(tmp_path):
    return recbole_tree.checkout(tmp_path)


def contents(folder):
    """Return path → text of every file but the data."""
    files = (
        path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in (".py", ".yaml", ".rst", ".json")
    )
    return {str(path.relative_to(folder)): path.read_text() for path in files}


def write(folder, name, capsys):
    """Return the paths that a run of the tool prints."""
    upstream.main([str(folder), "--models", name])
    return capsys.readouterr().out.splitlines()


def refused(folder, name, capsys):
    """Return the error of a run of the tool, which has written nothing."""
    before = contents(folder)
    with pytest.raises(SystemExit) as stopped:
        upstream.main([str(folder), "--models", name])
    assert stopped.value.code == 2 and contents(folder) == before
    return capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("name", upstream.MODELS)
def test_a_model_brings_its_own_files_and_lines_and_nothing_else(name, tree, capsys):
    before = contents(tree)
    printed = write(tree, name, capsys)
    after = contents(tree)
    assert {path for path in after if after[path] != before.get(path)} == set(printed)
    assert len(printed) <= 10

    added = sum(len(after[path].splitlines()) - len(before.get(path, "").splitlines()) for path in printed)
    model = len(after[f"recbole/model/general_recommender/{name.lower()}.py"].splitlines())
    assert (added <= 250 and model <= 120) if name == "EDLAE" else (added <= 350 and model <= 170)
    for path in before.keys() & set(printed):
        old, new = before[path].splitlines(), iter(after[path].splitlines())
        assert all(line in new for line in old), f"{path} has lost a line"


@pytest.mark.parametrize("name", upstream.MODELS)
def test_the_lists_of_recbole_have_the_model_beside_its_neighbor(name, tree, capsys):
    write(tree, name, capsys)
    lower = name.lower()
    lines = (tree / ENTRY).read_text().splitlines()
    line = lines.index(f"from recbole.model.general_recommender.{lower} import {name}")
    assert lines[line - 1].endswith("import EASE")

    entries = json.loads((tree / "asset/model_list.json").read_text())["data"]
    assert [entry["model"] for entry in entries] == ["EASE", name, "FISM"]
    assert all(entries[1][key] for key in ("year", "pub", "paper", "paper_link", "authors"))
    tests = ast.parse((tree / "tests/model/test_model_auto.py").read_text()).body[0].body
    expected = [f"test_{test}" for test in upstream.MODELS[name].tests]
    assert [test.name for test in tests] == ["test_ease", *expected, "test_MultiDAE"]
    for page, line in {
        "recbole/recbole.model.general_recommender": "recbole.model.general_recommender.",
        "user_guide/model_intro": "model/general/",
    }.items():
        assert f"   {line}ease\n   {line}{lower}\n" in (tree / f"docs/source/{page}.rst").read_text()


def test_models_of_users_get_recboles_loader_of_users(tree, capsys):
    for name, model in upstream.MODELS.items():
        write(tree, name, capsys)
        assert (
            f'"{name}": _get_AE_dataloader' in (tree / "recbole/data/utils.py").read_text()
        ) == model.reads_users


def test_a_second_run_changes_nothing(tree, capsys):
    write(tree, "DeepAE", capsys)
    before = contents(tree)
    write(tree, "DeepAE", capsys)
    assert contents(tree) == before


def test_the_order_of_the_runs_changes_no_file_of_a_model(tree, capsys, tmp_path_factory):
    other = recbole_tree.checkout(tmp_path_factory.mktemp("other"))
    for name in upstream.MODELS:
        write(tree, name, capsys)
    for name in reversed(upstream.MODELS):
        write(other, name, capsys)
    one, two = contents(tree), contents(other)
    assert one.keys() == two.keys()
    assert {path: sorted(text.splitlines()) for path, text in one.items()} == {
        path: sorted(text.splitlines()) for path, text in two.items()
    }


def test_every_file_of_the_overlay_belongs_to_a_model():
    folders = ("recbole", "docs", "pull-requests")
    paths = (path for folder in folders for path in (upstream.OVERLAY / folder).rglob("*.*"))
    files = {path.relative_to(upstream.OVERLAY) for path in paths if "__pycache__" not in path.parts}
    own = {path for name in upstream.MODELS for path in upstream.overlay_files(name)}
    pages = {path for path in files if path.parts[0] == "pull-requests"}
    assert {path.stem for path in pages} == set(upstream.MODELS)
    assert files - pages - own == set()


def test_pages_of_the_user_guide_have_every_setting():
    for name in upstream.MODELS:
        guide = (upstream.OVERLAY / f"docs/source/user_guide/model/general/{name.lower()}.rst").read_text()
        for line in (upstream.OVERLAY / f"recbole/properties/model/{name}.yaml").read_text().splitlines():
            key, default = line.partition("#")[0].split(":")
            assert f"- ``{key} (" in guide and f"Defaults to ``{default.strip()}``" in guide


def test_another_file_in_the_way_is_kept(tree, capsys):
    (tree / "recbole/model/general_recommender/edlae.py").write_text("mine = True\n")
    assert "edlae.py is in the way" in refused(tree, "EDLAE", capsys)


def test_a_list_that_looks_different_is_refused(tree, capsys):
    (tree / ENTRY).write_text((tree / ENTRY).read_text().replace("EASE", "Ease"))
    assert f"{ENTRY} has no line like" in refused(tree, "EDLAE", capsys)


def test_a_folder_that_is_no_checkout_is_refused(tmp_path, capsys):
    assert "nothing is written" in refused(tmp_path, "EDLAE", capsys)


def test_an_unknown_model_is_refused(tree, capsys):
    assert "unknown model 'EDLE'; did you mean EDLAE?" in refused(tree, "EDLE", capsys)
