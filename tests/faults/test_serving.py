"""Checkpoints, recommending and exports: what was wrong without a word, or ended in a traceback."""

import glob
import json
import os
import pathlib
import shutil
import subprocess
import sys
import types

import numpy as np
import pytest
import torch
from recbole.quick_start import load_data_and_model, quick_start, run_recbole
from recbole.utils import case_study

from recbole_edlae.serving.checkpoint import Checkpoint
from recbole_edlae.serving.export import write_export
from recbole_edlae.serving.recommender import Recommender
from tests.conftest import ROOT
from tests.faults.conftest import shop_rows, shop_text

HISTORY = {"user": "me", "items": ["i3", "i7"]}


def train(**settings):
    """Train EDLAE on the shop; return the path of its checkpoint."""
    folder = f"saved/{len(glob.glob('saved/*'))}"  # two checkpoints of one second have one name
    quiet = {
        "checkpoint_dir": folder,
        "data_path": "dataset",
        "state": "ERROR",
        "show_progress": False,
        "reg_weight": 5.0,
        "epochs": 1,
    }
    with pytest.MonkeyPatch.context() as patch:  # its report of the machine sleeps for a second
        patch.setattr(quick_start, "get_environment", lambda _: types.SimpleNamespace(draw=str))
        patch.setattr("sys.argv", ["pytest"])
        run_recbole("EDLAE", "shop", config_dict={**quiet, **settings})
    (path,) = glob.glob(f"{folder}/*.pth")
    return path


@pytest.fixture
def checkpoint(write_shop):
    write_shop()
    return train()


@pytest.fixture
def recommender(checkpoint):
    return Recommender.load(checkpoint)


def recommend(command, checkpoint, *words, histories="users.jsonl", output="top.jsonl"):
    return command("recommend", "--checkpoint", checkpoint, f"--histories={histories}", f"--output={output}", *words)


def written(path="top.jsonl"):
    return {line["user"]: line["items"] for line in map(json.loads, pathlib.Path(path).read_text().splitlines())}


CHANGES = {
    "sorted the other way": lambda rows: rows[::-1],
    "an item more": lambda rows: [("u0", "new", 5, 1_699_999_999), *rows],
    "an item less": lambda rows: [row for row in rows if row[1] != "i5"],
    "another shop of the same size": lambda rows: [(user, item.replace("i", "x"), *rest) for user, item, *rest in rows],
    "two items swapped": lambda rows: [
        (user, {"i1": "i2", "i2": "i1"}.get(item, item), *rest) for user, item, *rest in rows
    ],
}


def change(write_shop, how):
    write_shop(shop_text(CHANGES[how](shop_rows())))


def test_row_10_recommend_after_sorting_the_file(checkpoint, command, write_shop):
    pathlib.Path("users.jsonl").write_text(json.dumps(HISTORY) + '\n{"user": "u3"}\n')
    assert recommend(command, checkpoint).status == 0
    before = written()
    change(write_shop, "sorted the other way")
    assert recommend(command, checkpoint).status == 0
    assert written() == before


def test_row_10_export_after_sorting_the_file(checkpoint, command, write_shop):
    expected = Recommender.load(checkpoint).recommend([["i3", "i7"], []], 8)
    change(write_shop, "sorted the other way")
    assert command("export", "--checkpoint", checkpoint, "--output=small", "--dtype=float16").status == 0
    found = Recommender.load("small").recommend([["i3", "i7"], []], 8)
    assert found.items == expected.items
    assert [values.tolist() for values in found.scores] == [
        pytest.approx(v.tolist(), rel=1e-2) for v in expected.scores
    ]


def test_row_10_load_data_and_model_after_sorting_the_file(checkpoint, write_shop):
    assert load_data_and_model(checkpoint)[1].weights.encoder.shape == (21, 21)
    change(write_shop, "sorted the other way")
    with pytest.raises(ValueError, match="was not trained on these data"):
        load_data_and_model(checkpoint)


@pytest.mark.parametrize("how", CHANGES)
def test_more_data_changed_without_a_change_of_answers(how, checkpoint, write_shop):
    expected = Recommender.load(checkpoint).recommend([["i3", "i7"], []], 8)
    change(write_shop, how)
    found = Recommender.load(checkpoint).recommend([["i3", "i7"], []], 8)
    assert found.items == expected.items and found.scores[0].tolist() == expected.scores[0].tolist()
    with pytest.raises(ValueError, match=r"was not trained on these data|weights for 21 items"):
        load_data_and_model(checkpoint)


def test_more_data_split_otherwise(checkpoint, write_shop):
    rows = shop_rows()
    rows[-8:] = rows[-8:][::-1]  # the last user's rows: every token has come up before
    write_shop(shop_text(rows))
    with pytest.raises(ValueError, match=r"was not trained on these data: .*the interactions to train on are not"):
        load_data_and_model(checkpoint)


def test_more_data_gone(checkpoint, command):
    shutil.rmtree("dataset")
    pathlib.Path("users.jsonl").write_text(json.dumps(HISTORY) + "\n")
    assert recommend(command, checkpoint).status == 0 and len(written()["me"]) == 18
    pathlib.Path("users.jsonl").write_text('{"user": "u1"}\n')
    outcome = recommend(command, checkpoint)
    assert outcome.status == 2 and "its data are not in" in outcome.err and outcome.err.count("\n") == 1


def test_more_data_when_a_trainer_resumes_or_evaluates(checkpoint, write_shop):
    from recbole.utils import get_trainer

    change(write_shop, "two items swapped")
    other = train()
    config, model, _, train_data, _, test = load_data_and_model(other)
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    name = trainer.saved_model_file
    with pytest.raises(ValueError, match="was not trained on these data"):
        trainer.resume_checkpoint(checkpoint)
    assert trainer.saved_model_file == name
    trainer.eval_collector.data_collect(train_data)
    with pytest.raises(ValueError, match="was not trained on these data"):
        trainer.evaluate(test, model_file=checkpoint)
    assert trainer.evaluate(test, model_file=other)


def test_more_old_checkpoints_open_with_a_warning(checkpoint, write_shop):
    saved = torch.load(checkpoint, weights_only=False)
    expected = Recommender.load(checkpoint).recommend([["i3"]], 5).items
    del saved["trained_on"]
    torch.save(saved, "old.pth")
    with pytest.warns(UserWarning, match="old.pth does not say what it was trained on"):
        assert Recommender.load("old.pth").recommend([["i3"]], 5).items == expected
    with pytest.warns(UserWarning, match="old.pth does not say what it was trained on"):
        load_data_and_model("old.pth")


def test_row_18_case_study_for_users_without_test_items(write_shop):
    write_shop(shop_text([*shop_rows(), ("lone", "i1", 5, 1)]))
    checkpoint = train()
    _, model, dataset, _, _, test = load_data_and_model(checkpoint)
    lone, other = dataset.token2id("user_id", ["lone", "u5"])
    assert test.uid2history_item[lone] is None
    scores, items = case_study.full_sort_topk([lone, other], model, test, 19)
    tokens = dataset.id2token("item_id", items)
    assert set(tokens[0]) == {f"i{number}" for number in range(20)} - {"i1"}
    alone = case_study.full_sort_topk([other], model, test, 12)
    assert torch.equal(scores[1, :12], alone[0][0])


def test_row_19_numbers_are_tokens_everywhere(checkpoint, write_shop):
    write_shop(shop_text([(user[1:], item[1:], *rest) for user, item, *rest in shop_rows()]))
    recommender = Recommender.load(train())
    expected = recommender.recommend([["5", "7"]], 5).items
    for items in ([5, 7], [5.0, 7.0], np.array([5, 7]), np.array([5.0, 7.0]), [np.int32(5), "7"], [np.float32(5), 7]):
        assert recommender.recommend([items], 5).items == expected
    assert recommender.recommend(np.array([[5, 7]]), 5, exclude=[np.int64(1), 2.0]).items == (
        recommender.recommend([["5", "7"]], 5, exclude=["1", "2"]).items
    )
    assert recommender.profile(19) == recommender.profile("19") == recommender.profile(np.float64(19))
    assert recommender.recommend_users([19, 20.0], 5).items == recommender.recommend_users(["19", "20"], 5).items
    assert recommender.similar(5, 3)[0] == recommender.similar("5", 3)[0] == recommender.similar(5.0, np.int64(3))[0]


@pytest.mark.parametrize(
    "token", [None, True, np.True_, float("nan"), float("inf"), [1], {"a": 1}, b"i1", 1j, np.array(1)]
)
def test_more_tokens_that_are_none(token, recommender):
    for call in (
        lambda: recommender.recommend([["i1"], ["i1", token]]),
        lambda: recommender.recommend([["i1"]], exclude=["i1", token]),
        lambda: recommender.recommend([["i1"]], exclude=[["i1", token]]),
        lambda: recommender.profile(token),
        lambda: recommender.recommend_users(["u1", token]),
        lambda: recommender.similar(token),
    ):
        with pytest.raises(ValueError, match=r"exclude|histories|user|item"):
            call()


def test_more_lists_that_are_none(recommender):
    for call in (
        lambda: recommender.recommend("i1"),
        lambda: recommender.recommend({"u1": ["i1"]}),
        lambda: recommender.recommend([{"i1": 1}]),
        lambda: recommender.recommend([None]),
        lambda: recommender.recommend(7),
        lambda: recommender.recommend_users("u1"),
        lambda: recommender.recommend_users(196),
    ):
        with pytest.raises(ValueError, match="must be a list of"):
            call()


LINES = {
    "byte order mark": (b'\xef\xbb\xbf{"user": "me", "items": ["i3", "i7"]}\n', "jsonl"),
    "CRLF and empty lines": (b'\r\n{"user": "me", "items": ["i3", "i7"]}\r\n\r\n', "jsonl"),
    "CSV with a byte order mark": (b"\xef\xbb\xbfuser_id,item_id\nme,i3\nme,i7\n", "csv"),
    "CSV with blanks": (b"user_id, item_id\nme, i3 \nme , i7\t\n \n", "csv"),
    "CSV with CRLF": (b"user_id,item_id\r\nme,i3\r\nme,i7\r\n\r\n", "csv"),
    "CSV with quotes": (b'"user_id","item_id"\n"me","i3"\nme, "i7"\n', "csv"),
}


@pytest.mark.parametrize("kind", LINES)
def test_row_20_histories_read_alike(kind, checkpoint, command):
    content, suffix = LINES[kind]
    pathlib.Path(f"users.{suffix}").write_bytes(content)
    outcome = recommend(command, checkpoint, histories=f"users.{suffix}")
    assert outcome.status == 0 and not outcome.err, outcome
    expected = Recommender.load(checkpoint).recommend([["i3", "i7"]], 20).items[0]
    assert written() == {"me": expected} and len(expected) == 18


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfi1\ni2\n", b"i1 \r\n\r\n  i2\t\n"])
def test_row_20_files_of_items_to_exclude(content, checkpoint, command):
    pathlib.Path("users.jsonl").write_text(json.dumps(HISTORY) + "\n")
    pathlib.Path("not.txt").write_bytes(content)
    outcome = recommend(command, checkpoint, "--exclude=not.txt")
    assert outcome.status == 0 and not outcome.err
    assert len(written()["me"]) == 16 and not {"i1", "i2"} & set(written()["me"])


BAD = {
    "nested": (
        '{"user": "a", "items": ["i1"]}\n{"user": "b", "items": [["i1"]]}\n',
        "users.jsonl, line 2: items: a token",
    ),
    "null user": (
        '{"user": null, "items": ["i1"]}\n',
        "users.jsonl, line 1: user: a token is text or a number, got None",
    ),
    "latin-1": ('{"user": "José", "items": ["i1"]}\n'.encode("latin-1"), "users.jsonl, line 1 is not UTF-8: byte 0xe9"),
    "not in the data": ('{"user": "u1"}\n{"user": "u99"}\n', "users.jsonl, line 2: unknown user 'u99'"),
    "misspelled": ('{"user": "u1", "item": ["i1"]}\n', "users.jsonl, line 1: unknown key 'item'; did you mean items?"),
    "NaN": ('{"user": "a", "items": [NaN]}\n', "line 1: items: a token is text or a number, got nan"),
    "a bool": ('{"user": "a", "items": ["i1"], "exclude": [true]}\n', "line 1: exclude: a token"),
    "a list": ('["a", "i1"]\n', "line 1 is not like"),
    "half a character": ('{"user": "\\ud83d", "items": ["i1"]}\n', "line 1: user '\\ud83d' has half a character"),
    "deep": ("[" * 100_000 + "\n", "line 1 is not like"),
}


@pytest.mark.parametrize("kind", BAD)
def test_row_20_lines_at_fault_are_named(kind, checkpoint, command):
    content, message = BAD[kind]
    pathlib.Path("users.jsonl").write_bytes(content if isinstance(content, bytes) else content.encode())
    outcome = recommend(command, checkpoint)
    assert outcome.status == 2 and message in outcome.err and outcome.err.count("\n") == 1
    assert not glob.glob("top*")


@pytest.mark.parametrize("content, message", [
    ("user_id,item_id\na,i1\nb,i1\n,i2\n", "users.csv, line 4 has no user"),
    ('user_id,item_id\na,i1\nb,"i1\n', "users.csv, line 3 is not CSV"),
    ("user_id,item_id\na,i1\nb,i1\ra,i2\n", "users.csv, line 3 "),
    ("item_id,user_id\ni1,a\n", "users.csv must begin with"),
])  # fmt: skip
def test_more_lines_of_csv_at_fault(content, message, checkpoint, command):
    pathlib.Path("users.csv").write_text(content)
    outcome = recommend(command, checkpoint, histories="users.csv")
    assert outcome.status == 2 and message in outcome.err and outcome.err.count("\n") == 1


def same(kind):
    """Another name of users.jsonl."""
    if kind == "symlink":
        os.symlink("users.jsonl", "top.jsonl")
    elif kind == "hard link":
        os.link("users.jsonl", "top.jsonl")
    return {"relative": "dataset/../users.jsonl", "itself": "users.jsonl"}.get(kind, "top.jsonl")


@pytest.mark.parametrize("kind", ["itself", "relative", "symlink", "hard link"])
def test_row_20_inputs_are_never_overwritten(kind, checkpoint, command):
    content = json.dumps(HISTORY) + "\n"
    pathlib.Path("users.jsonl").write_text(content)
    outcome = recommend(command, checkpoint, output=same(kind))
    assert outcome.status == 2 and "output: " in outcome.err and "--histories" in outcome.err
    assert pathlib.Path("users.jsonl").read_text() == content and not glob.glob("*.part")


def test_more_inputs_that_are_never_overwritten(checkpoint, command):
    pathlib.Path("users.jsonl").write_text(json.dumps(HISTORY) + "\n")
    for name in ("not.csv", "top.csv.part"):
        pathlib.Path(name).write_text("i1\n")
        outcome = recommend(command, checkpoint, f"--exclude={name}", output=name.removesuffix(".part"))
        assert outcome.status == 2 and "--exclude" in outcome.err and pathlib.Path(name).read_text() == "i1\n"
    os.symlink(checkpoint, "top.jsonl")
    outcome = recommend(command, checkpoint)
    assert outcome.status == 2 and "--checkpoint" in outcome.err and Recommender.load(checkpoint)
    os.unlink("top.jsonl")
    pathlib.Path("top.jsonl.part").write_text("my own notes\n")
    outcome = recommend(command, checkpoint)
    assert outcome.status == 2 and "top.jsonl.part is there already" in outcome.err
    assert pathlib.Path("top.jsonl.part").read_text() == "my own notes\n"


def test_row_20_output_in_a_missing_folder(command, refused):
    pathlib.Path("users.jsonl").write_text(json.dumps(HISTORY) + "\n")
    os.mkdir("top.jsonl")
    words = "recommend", "--checkpoint=not-read.pth", "--histories=users.jsonl"
    assert "gone/top.jsonl" in refused(*words, "--output=gone/top.jsonl")
    assert "top.jsonl is there already and not a file" in refused(*words, "--output=top.jsonl")


def test_row_24_exclude(recommender):
    for exclude in ("i13", b"i13", {"i13": 1}, 13, ["i1", ["i2"]], [["i1"], "i2"], [None, ["i1"]], ["i1", None]):
        with pytest.raises(ValueError, match="exclude"):
            recommender.recommend([["i1"]], exclude=exclude)
    expected = recommender.recommend([["i3"], ["i4"]], 5)
    assert recommender.recommend([["i3"], ["i4"]], 5, exclude=None).items == expected.items
    assert recommender.recommend([["i3"], ["i4"]], 5, exclude=[None, None]).items == expected.items
    assert recommender.recommend(iter([iter(["i3"]), (item for item in ["i4"])]), 5).items == expected.items
    first, second = recommender.recommend([["i3"], ["i4"]], 20, exclude=[None, iter(["i1"])]).items
    assert "i1" in first and "i1" not in second
    assert "i1" not in recommender.recommend([["i3"]], 20, exclude=(item for item in ["i1"])).items[0]


@pytest.mark.parametrize("k", [-1, 0, 2.5, 2.0, True, "3", None, np.float64(3), [3]])
def test_row_25_k_and_top(k, recommender, checkpoint):
    for call in (
        lambda: recommender.similar("i1", k),
        lambda: recommender.recommend([["i1"]], k),
        lambda: recommender.recommend_users(["u1"], k),
    ):
        with pytest.raises(ValueError, match="k must be an integer of at least 1"):
            call()
    if k is not None:
        with pytest.raises(ValueError, match="top must be an integer of at least 1"):
            write_export(Checkpoint.read(checkpoint), "small", top=k)
    assert not os.path.exists("small")


def test_more_k_and_top_on_the_command_line(refused):
    pathlib.Path("users.jsonl").write_text(json.dumps(HISTORY) + "\n")
    for value in ("0", "-3", "2.5", "many"):
        words = "recommend", "--checkpoint=not-read.pth", "--histories=users.jsonl", "--output=top.jsonl"
        assert "topk" in refused(*words, f"--topk={value}")
        assert "top" in refused("export", "--checkpoint=not-read.pth", "--output=small", f"--top={value}")


def test_row_30_folders_that_cannot_be_written(refused):
    pathlib.Path("users.jsonl").write_text(json.dumps(HISTORY) + "\n")
    pathlib.Path("file").write_text("a file, and no folder")
    words = "--checkpoint=not-read.pth", "--histories=users.jsonl"
    assert "file/top.jsonl" in refused("recommend", *words, "--output=file/top.jsonl")
    assert "file/small" in refused("export", "--checkpoint=not-read.pth", "--output=file/small")


def foreign(checkpoint):
    """Name → content of a file that is none of RecBole's checkpoints, though it looks like one."""
    saved = torch.load(checkpoint, weights_only=False)
    config, weights = saved["config"], saved["state_dict"]
    poor = torch.load(checkpoint, weights_only=False)["config"]
    del poor.final_config_dict["data_path"]
    short = {name: value[:-1] if value.dim() == 2 else value for name, value in weights.items()}
    return {
        "an empty config": {"config": {}},
        "an empty config and weights": {"config": {}, "state_dict": {}},
        "no weights": {"config": config, "state_dict": {}},
        "weights that are a list": {"config": config, "state_dict": [1]},
        "no state_dict": {"config": config},
        "a list": [1, 2],
        "a tensor": torch.zeros(3),
        "weights of another model": {"config": config, "state_dict": {"network.weight": torch.zeros(3)}},
        "half the weights": {"config": config, "state_dict": {"dummy_param": torch.zeros(1)}},
        "weights of other items": {"config": config, "state_dict": short},
        "weights that are text": {"config": config, "state_dict": dict.fromkeys(weights, "text")},
        "a poor config": {"config": poor, "state_dict": weights},
        "a damaged description": {**saved, "trained_on": 3},
    }


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_row_32_files_that_are_no_checkpoints(checkpoint, refused):
    pathlib.Path("users.jsonl").write_text(json.dumps(HISTORY) + "\n")
    for kind, content in foreign(checkpoint).items():
        torch.save(content, "foreign.pth")
        for read in (load_data_and_model, Recommender.load):
            with pytest.raises(ValueError, match=r"foreign\.pth") as raised:
                read("foreign.pth")
            assert "\n" not in str(raised.value), kind


def test_more_files_that_are_no_checkpoints(checkpoint):
    saved = torch.load(checkpoint, weights_only=False)
    damaged = {**saved["trained_on"], "tokens": {"user_id": b"", "item_id": b"text"}}
    encoder = saved["state_dict"]["encoder"]
    for content, message in (
        ({**saved, "trained_on": damaged}, "what it says of its data is damaged"),
        ({**saved, "state_dict": {**saved["state_dict"], "encoder": encoder * torch.nan}}, "NaN or infinite"),
        ({**saved, "state_dict": {**saved["state_dict"], "encoder": encoder[:, :0]}}, "before its model was fitted"),
    ):
        torch.save(content, "foreign.pth")
        with pytest.raises(ValueError, match=f"foreign.pth.*{message}"):
            Recommender.load("foreign.pth")


def test_row_33_weights_beyond_half_precision(checkpoint, refused):
    saved = torch.load(checkpoint, weights_only=False)
    for size in (70_000.0, -1e9, 65_505.0):
        saved["state_dict"]["encoder"][3, 4] = size
        torch.save(saved, "large.pth")
        error = refused("export", "--checkpoint=large.pth", "--output=small", "--dtype=float16")
        assert "float16" in error and "65,504" in error and f"{abs(size):,.6g}" in error
        assert not os.path.exists("small") and not glob.glob(".*part")
    saved["state_dict"]["encoder"][3, 4] = 65_504.0
    torch.save(saved, "large.pth")
    write_export(Checkpoint.read("large.pth"), "small", dtype="float16")
    assert Recommender.load("small").model.weights.encoder[3, 4] == 65_504.0


@pytest.mark.slow
def test_more_data_sorted_in_a_process_that_does_not_import_the_plugin(checkpoint, write_shop):
    change(write_shop, "sorted the other way")
    program = (
        "import sys, recbole_edlae.integration.hook as hook; hook.arm()\n"  # as torch does where it is installed
        "from recbole.quick_start import load_data_and_model\n"
        "assert 'recbole_edlae.model' not in sys.modules\n"
        f"load_data_and_model({checkpoint!r})\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert done.returncode == 1 and "was not trained on these data" in done.stderr.strip().splitlines()[-1]


def test_more_checkpoints_are_read_by_recbole_alone(checkpoint):
    saved = torch.load(checkpoint, weights_only=False)
    assert list(saved)[:8] == [
        "opened_with", "config", "epoch", "cur_step", "best_valid_score", "state_dict", "other_parameter", "optimizer"
    ]  # fmt: skip
    torch.save(saved["trained_on"], "plain.pth")
    assert torch.load("plain.pth", weights_only=True)["interactions"] > 200  # nothing but plain data
