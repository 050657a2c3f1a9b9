"""Parts that are missing, settings files, and records: whole on disk, known by all that made them, and kept."""

import json
import multiprocessing
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
import yaml

from recbole_edlae.evaluation.per_user import PerUser
from recbole_edlae.runs.records import Records
from recbole_edlae.runs.runner import Runner
from tests.conftest import ROOT
from tests.faults.conftest import QUIET

QUICK = [word for word in QUIET if "dataset" not in word]
SPLITS = {
    "LS: test_only": "validation",
    "LS: valid_only": "test",
    "RS: [.8, .2, 0]": "test",
    "RS: [.8, 0, .2]": "validation",
    "TS: [0.8, 0.2, 0]": "test",
    "TS: [0.8, 0, 0.2]": "validation",
}
MODELS = {"EDLAE": {"reg_weight": 5.0}, "Pop": {}}


@pytest.fixture
def shop(write_shop, tmp_path):
    """Write the shop, a protocol, a space and a settings file; the folder is the working directory."""
    write_shop()
    protocol = {"metrics": ["Recall", "NDCG"], "topk": [3, 5], "valid_metric": "NDCG@5", "eval_batch_size": 100000}
    load_col = {"inter": ["user_id", "item_id", "timestamp"]}
    (tmp_path / "protocol.yaml").write_text(yaml.safe_dump({**protocol, "load_col": load_col}))
    (tmp_path / "space").write_text("reg_weight choice [2.0,50.0]\n")
    write_board(MODELS)
    return tmp_path


def write_board(models, **more):
    content = {"dataset": "shop", "config_files": ["protocol.yaml"], "models": models, **more}
    pathlib.Path("board.yaml").write_text(yaml.safe_dump(content, sort_keys=False))


def board(*words):
    return ["leaderboard", "--settings=board.yaml", "--output=out", *words]


def tune(*words):
    return ["tune", "--dataset=shop", "--config_files", "protocol.yaml", "--space=space", "--output=out", *words]


def split(text):
    return f"--eval_args={yaml.safe_load('{split: {' + text + '}, order: TO, group_by: user, mode: full}')!r}"


def records(folder="out"):
    return [json.loads(line) for line in pathlib.Path(folder, "records.jsonl").read_text().splitlines()]


@pytest.fixture
def no_data(monkeypatch):
    """Reading data fails the test."""
    monkeypatch.setattr("recbole_edlae.runs.loaders.create_dataset", lambda *_: pytest.fail("data were read"))


@pytest.mark.parametrize("text", [text for text, part in SPLITS.items() if part == "validation"])
def test_row_05_tune_without_validation_is_refused(text, shop, refused, no_data):
    line = refused(*tune(split(text)))
    assert "eval_args: the split {" in line and "no validation part" in line and "set for example split: {" in line


@pytest.mark.parametrize("text", [text for text, part in SPLITS.items() if part == "test"])
def test_row_05_leaderboard_without_test_is_refused(text, shop, refused, no_data):
    line = refused(*board(split(text)))
    assert "eval_args: the split {" in line and "no test part" in line and "set for example split: {" in line


@pytest.mark.parametrize("text", [text for text, part in SPLITS.items() if part == "test"])
def test_row_05_tune_without_test_writes_what_there_is(text, shop, command):
    outcome = command(*tune(split(text)))
    assert outcome.status == 0, outcome
    best = pathlib.Path("out/best.yaml").read_text()
    assert "# valid: " in best and "# test" not in best and yaml.safe_load(best)["reg_weight"] in (2.0, 50.0)


@pytest.mark.parametrize("text", [text for text, part in SPLITS.items() if part == "validation"])
def test_row_05_leaderboard_without_validation_trains_all_epochs_and_says_so(text, shop, command):
    write_board({**MODELS, "BPR": {"epochs": 2}})
    outcome = command(*board(split(text)))
    assert outcome.status == 0 and "without early stopping" in outcome.err, outcome
    assert [(each["status"], each["valid"]) for each in records()] == [("ok", None)] * 3


def test_row_05_train_test_test_is_fine(shop, command, write_shop):
    header, *rows = (shop / "dataset/shop/shop.inter").read_text().splitlines()
    for part, lines in (("train", rows[:250]), ("test", rows[250:])):
        (shop / f"dataset/shop/shop.{part}.inter").write_text("\n".join([header, *lines]) + "\n")
    assert command(*board("--benchmark_filename=['train','test','test']")).status == 0


def test_row_27_settings_files_of_the_wrong_kind_are_refused(shop, refused, no_data):
    for more, words in (
        ({"seeds": 2020}, "seeds in board.yaml must be a list of different integers"),
        ({"seeds": ["a"]}, "seeds in board.yaml must be a list of different integers"),
        ({"seeds": [-1]}, "got [-1]"),
        ({"seeds": [1, 1]}, "1 is there twice"),
        ({"config_files": "protocol.yaml"}, "config_files in board.yaml must be a list of files, [e.yaml]"),
        ({"reference": 5}, "reference in board.yaml must be text; got 5"),
    ):
        write_board(MODELS, **more)
        assert words in refused(*board()), more
    write_board({"EDLAE": 5})
    assert "got 5 for EDLAE" in refused(*board())


def test_row_27_a_label_is_text_as_it_is_written(shop, command):
    text = "dataset: shop\nconfig_files: [protocol.yaml]\nmodels:\n"
    labels = ["2020", "on", "null", "1.50"]
    text += "".join(f"  {label}: {{model: Pop}}\n" for label in labels)
    pathlib.Path("board.yaml").write_text(text)
    assert command(*board()).status == 0
    rows = json.loads(pathlib.Path("out/leaderboard.json").read_text())["boards"][0]["rows"]
    assert sorted(row["label"] for row in rows) == sorted(labels)


def test_row_27_when_every_row_fails_the_status_says_so_after_the_report(shop, command):
    write_board({"NCEPLRec": {"rank": -5}})
    outcome = command(*board())
    assert outcome.status == 1 and "every run on shop failed; NCEPLRec: InvalidParameterError" in outcome.err
    assert "failed: InvalidParameterError" in pathlib.Path("out/leaderboard.html").read_text()
    (record,) = records()
    assert record["traceback"].startswith("Traceback") and "\n" not in record["error"]
    write_board({"NCEPLRec": {"rank": -5}, "Pop": {}})
    assert command(*board()).status == 0


def test_row_27_output_is_a_file(shop, refused, no_data):
    (shop / "out").write_text("")
    assert "out is a file; name a folder" in refused(*board())


def test_row_28_damaged_lines_are_named_and_their_runs_run_again(shop, command):
    write_board({**MODELS, "EASE": {}})
    assert command(*board()).status == 0
    path, table = pathlib.Path("out/records.jsonl"), pathlib.Path("out/leaderboard.csv").read_bytes()
    first, second, third = path.read_bytes().splitlines()
    for damaged in (second[:40], b"\xff" + second, b"[1]", b'{"status": "ok"}', second.replace(b'"key"', b'"yek"')):
        path.write_bytes(b"\n".join([first, damaged, third, b""]))
        outcome = command(*board())
        assert outcome.status == 0 and "out/records.jsonl, line 2 is damaged" in outcome.err
        assert len(path.read_bytes().splitlines()) == 4
        assert pathlib.Path("out/leaderboard.csv").read_bytes() == table


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", None], ids=["empty", "torn", "gone"])
def test_row_28_damaged_array_is_named_and_its_run_run_again(content, shop, command):
    assert command(*board()).status == 0
    table = pathlib.Path("out/leaderboard.csv").read_bytes()
    path = sorted(pathlib.Path("out/per_user").iterdir())[0]
    path.unlink() if content is None else path.write_bytes(content)
    outcome = command(*board())
    assert outcome.status == 0 and re.search(f"{path.name} is (damaged|missing).* is run again", outcome.err)
    assert len(records()) == 3 and pathlib.Path("out/leaderboard.csv").read_bytes() == table


def _hold(folder, ready):
    held = Records(folder)
    ready.set()
    time.sleep(60)
    held.close()


@pytest.mark.slow
def test_row_29_a_folder_in_use_is_left_alone(shop, refused, command):
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    holder = context.Process(target=_hold, args=("out", ready))
    holder.start()
    try:
        assert ready.wait(30)
        part = pathlib.Path(f"out/per_user/0123456789abcdef.npz.{holder.pid}.part")
        part.write_bytes(b"half")
        pathlib.Path("out/records.jsonl").write_bytes(b'{"half')
        for words in (board(), tune()):
            line = refused(*words)
            assert f"out is in use by process {holder.pid} on " in line
        assert part.read_bytes() == b"half" and pathlib.Path("out/records.jsonl").read_bytes() == b'{"half'
    finally:
        os.kill(holder.pid, signal.SIGKILL)
        holder.join()
    assert command(*board()).status == 0 and not part.exists()  # a killed process leaves nothing locked


@pytest.fixture
def small_disk(tmp_path):
    """Mount a disk of 200 kB; returns its folder, and a function that makes it read-only."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder, lambda: subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    subprocess.run(["umount", folder], check=True)


def test_row_30_disk_full(shop, command, small_disk):
    folder, _ = small_disk
    for words in (board(), tune()):
        words = [word.replace("--output=out", f"--output={folder}/o") for word in words]
        filler = folder / "filler"
        filler.write_bytes(b"x" * 196_608)
        outcome = command(*words)
        last = outcome.err.strip().splitlines()[-1]
        assert outcome.status == 2 and f"error: {folder}/o" in last and "No space left on device" in last
        assert not list(folder.rglob("*.part"))
        filler.unlink()
        shutil.rmtree(folder / "o", ignore_errors=True)


def test_row_30_read_only(shop, refused, small_disk):
    folder, make_read_only = small_disk
    make_read_only()
    for words in (board(), tune()):
        words = [word.replace("--output=out", f"--output={folder}/o") for word in words]
        line = refused(*words)
        assert f"{folder}/o" in line and "Read-only file system" in line


def test_row_30_a_line_that_does_not_fit_leaves_the_others_whole(shop, small_disk):
    folder, _ = small_disk
    held = Records(folder / "o")
    held.append({"key": "a", "status": "ok"})
    before = held.path.read_bytes()
    with pytest.raises(OSError, match="No space left") as raised:
        held.append({"key": "b", "status": "ok", "note": "x" * 300_000})
    assert raised.value.filename == str(held.path) and held.path.read_bytes() == before
    held.append({"key": "c", "status": "ok"})
    assert list(held.read()) == ["a", "c"]
    held.close()


@pytest.fixture
def package(tmp_path):
    """A copy of the package's source, to be changed."""
    for folder in ("recbole_edlae", "configs"):
        shutil.copytree(ROOT / folder, tmp_path / "copy" / folder)
    return tmp_path / "copy"


@pytest.mark.parametrize("model", ["EDLAE", "BPR"])
def test_row_34_a_run_depends_on_what_its_number_passes_through(model, package):
    from recbole_edlae.runs import code

    found = {str(path.relative_to(package)) for path in code.code_files([model], root=package).values()}
    inside = ["evaluation/liang", "integration/fixes/ranking", "evaluation/per_user", "runs/runner", "runs/engine"]
    inside += ["integration/models", "integration/compat/stack", "settings/schema", "model/trainer", "data/user_split"]
    inside += ["__init__", "runs/run", "integration/hook", "integration/patches", "integration/fixes/sampler"]
    assert {f"recbole_edlae/{name}.py" for name in inside} <= found
    outside = ["leaderboard/report", "leaderboard/results", "cli/leaderboard", "data/liang", "serving/batches"]
    outside += [
        "runs/records",
        "runs/lock",
        "serving/export",
        "cli/__init__",
        "cli/runs",
        "evaluation/significance",
        "model/deepae",
    ]
    assert not {f"recbole_edlae/{name}.py" for name in outside} & found
    assert ("recbole_edlae/solvers/_inverse.py" in found) == (model == "EDLAE")
    assert "recbole_edlae/solvers/_admm.py" not in found  # gram and the like are taken by name


def test_a_module_named_with_its_attribute_counts(package):
    from recbole_edlae.runs import code

    (package / "recbole_edlae/runs/listing.py").write_text(
        'ROWS = ["recbole_edlae.data.liang:main", "recbole_edlae:x"]\n'
    )
    files = code.code_files([], ["recbole_edlae.runs.listing"], root=package)
    assert {"recbole_edlae.data.liang", "recbole_edlae.runs.listing", "recbole_edlae"} <= files.keys()


def test_row_34_studies_are_part_of_what_they_measure():
    from recbole_edlae.runs import code

    files = code.code_files(["EDLAE"], (*code.RUNNER, "recbole_edlae.papers.similarities"))
    assert {"recbole_edlae.analysis.similarity", "recbole_edlae.solvers._admm"} <= files.keys()


@pytest.mark.slow
def test_row_34_a_changed_metric_is_run_again(shop, package):
    def run():
        program = "import sys; from recbole_edlae import cli; cli.main(sys.argv[1:])"
        environment = {**os.environ, "PYTHONPATH": str(package)}
        done = subprocess.run(
            [sys.executable, "-c", program, *board()], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stderr.count("(on record)")

    assert (run(), run()) == (0, 2)
    for name in ("leaderboard/report.py", "data/liang.py", "serving/batches.py"):
        path = package / "recbole_edlae" / name
        path.write_text(path.read_text() + "\nCHANGED = True\n")
    assert run() == 2
    path = package / "recbole_edlae" / "evaluation" / "liang.py"
    path.write_text(path.read_text() + "\nCHANGED = True\n")
    assert run() == 0


def test_row_35_one_spelling_of_a_metric_on_the_page(shop, command):
    assert command(*board("--metrics=['LiangRecall','NDCG']", "--topk=[5]")).status == 0
    page = pathlib.Path("out/leaderboard.html").read_text()
    assert ">LiangRecall@5</button>" in page and "toUpperCase" not in page
    headings = json.loads(pathlib.Path("out/leaderboard.json").read_text())["boards"][0]["headings"]
    assert headings == {"ndcg@5": "NDCG@5", "liangrecall@5": "LiangRecall@5"} and "board.headings[metric]" in page


def write_plan(**rows):
    own = {"weight_decay": {"reg_weight": 1.0}, "free_diagonal": {"reg_weight": 1.0}}
    own |= {"DLAE": {"dropout_prob": 0.5}, "sampled": {"epochs": 2}, "EDLAE": {}, "zero_diagonal": {}, "full_rank": {}}
    plan = {"dataset": "shop", "config_files": ["protocol.yaml"], "rank": 4, "ranks": [2, 4], "rows": {**own, **rows}}
    plan |= {"times": {"ranks": [2]}, "proposition": {"widths": [2]}, "activations": {"names": ["relu"], "seeds": [1]}}
    pathlib.Path("plan.yaml").write_text(yaml.safe_dump(plan))
    return ["reproduce", "rank", "--settings=plan.yaml", "--output=out"]


@pytest.fixture
def drawn(monkeypatch):
    monkeypatch.setattr("recbole_edlae.cli.reproduce.load_pyplot", lambda: None)


def test_row_36_every_candidate_is_checked_before_the_first_run(shop, refused, drawn, no_data):
    first = {"EDLAE": {"dropout_prob": [0.1, 0.2]}}  # would be run before the others
    words = write_plan(**first, full_rank={"dropout_prob": [0.5, 1.5]})
    assert "dropout_prob must be float in [0, 1), got 1.5" in refused(*words)
    words = write_plan(**first, zero_diagonal={"reg_weight": [1.0, 2.0, -1.0]})
    assert "reg_weight must be float in [0, inf), got -1.0" in refused(*words)


def test_more_parts_reproduce_without_test(shop, refused, drawn, no_data):
    assert "no test part, and figures show what was measured on it" in refused(*write_plan(), split("LS: valid_only"))
    assert "no validation part" in refused(*write_plan(), split("LS: test_only"))


def test_more_parts_activations_without_test(shop, refused, monkeypatch):
    monkeypatch.setattr("recbole_edlae.cli.activations.load_pyplot", lambda: None)
    words = ["activations", "--dataset=shop", "--config_files", "protocol.yaml", *QUICK]
    assert "no test part, and activations are compared on it" in refused(*words, split("RS: [.8, .2, 0]"))


def test_more_parts_that_turn_out_empty_when_the_data_are_split(shop, command, write_shop):
    """Three users with one item each: nothing is left to hold out."""
    write_shop("user_id:token\titem_id:token\ttimestamp:float\nu0\ti0\t1\nu1\ti1\t2\nu2\ti2\t3\n")
    outcome = command(*board(split("LS: valid_and_test")))
    assert outcome.status == 1 and "the test part is empty" in outcome.err
    outcome = command(*tune(split("LS: valid_and_test")))
    assert outcome.status == 2 and "the validation part is empty" in outcome.err


def test_more_parts_tune_that_never_validates(shop, command):
    outcome = command(*tune("--eval_step=0"))
    assert outcome.status == 2 and "nothing was evaluated on validation" in outcome.err


def test_more_records_rows_of_unlike_protocols_are_refused(shop, refused, no_data):
    write_board({"EDLAE": {}, "Pop": {"topk": [5, 10]}})
    assert "Pop: topk is [5, 10] here and [3, 5] for EDLAE" in refused(*board())
    write_board({"EDLAE": {"seed": 3}})
    assert "EDLAE in board.yaml has a seed" in refused(*board())


def test_more_records_a_label_twice_is_refused(shop, refused, no_data):
    pathlib.Path("board.yaml").write_text("dataset: shop\nmodels:\n  EDLAE: {}\n  EDLAE: {reg_weight: 1.0}\n")
    assert "EDLAE is there twice" in refused(*board())
    assert "argument --seeds: invalid int value: 'x'" in refused(*board("--seeds", "x"))
    write_board(MODELS)
    assert "1 is there twice" in refused(*board("--seeds", "1", "1"))


def test_more_records_a_record_without_its_metrics_is_run_again(shop, command):
    assert command(*board()).status == 0
    first, second = records()
    del first["test"]
    lines = [json.dumps(each) for each in (first, second)]
    pathlib.Path("out/records.jsonl").write_text("\n".join([lines[0], "", lines[1], ""]))
    outcome = command(*board())
    assert outcome.status == 0 and "has no test: it is run again" in outcome.err


def test_more_records_memory_and_interrupts_lose_nothing(shop, command, monkeypatch):
    stock, raised = Runner.run, []

    def run(self, run, phases):
        if run.model == "Pop" and raised:
            raise raised[0]
        return stock(self, run, phases)

    monkeypatch.setattr(Runner, "run", run)
    for error, status in ((KeyboardInterrupt(), 130), (MemoryError("no memory"), 0)):
        raised[:] = [error]
        assert command(*board()).status == status
        assert {each["model"]: each["status"] for each in records()}["EDLAE"] == "ok"
    monkeypatch.setattr(Runner, "run", lambda self, run, _: os.kill(os.getpid(), signal.SIGTERM) or time.sleep(5))
    outcome = command(*board())
    assert outcome.status == 143 and outcome.err.endswith("recbole-edlae leaderboard: terminated\n")


def test_more_records_arrays_that_do_not_fit_each_other(tmp_path):
    PerUser(np.arange(3), np.ones((3, 2), bool), np.ones(3, int)).save(tmp_path / "x.npz")
    with np.load(tmp_path / "x.npz") as stored:
        arrays = dict(stored)
    np.savez(tmp_path / "x.npz", **{**arrays, "users": arrays["users"][:2]})
    with pytest.raises(ValueError, match=r"x\.npz is damaged \(its arrays differ in length\)"):
        PerUser.load(tmp_path / "x.npz")


def test_records_of_one_process_share_a_folder(tmp_path):
    first = Records(tmp_path)
    with warnings.catch_warnings(), Records(tmp_path) as second:
        warnings.simplefilter("error")
        second.append({"key": "a", "status": "ok"})
    assert list(first.read()) == ["a"]
