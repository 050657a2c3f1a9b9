"""Every run on record is of the data that its record names, also where files change meanwhile."""

import json
import pathlib
import shutil

import pytest
from recbole.trainer import Trainer

from recbole_edlae import cli
from recbole_edlae.runs import engine
from recbole_edlae.runs.records import Records
from recbole_edlae.runs.run import Run
from recbole_edlae.runs.runner import Runner

QUICK = ["--epochs=1", "--train_batch_size=64", "--topk=[5]", "--valid_metric=NDCG@5"]


@pytest.fixture
def own(tiny, tmp_path):
    """The file of a copy of `tiny` that may be changed."""
    shutil.copytree(tiny, tmp_path / "dataset")
    return tmp_path / "dataset" / "tiny" / "tiny.inter"


@pytest.fixture
def command(capsys):
    """Exit status and errors of a command."""

    def call(*words):
        capsys.readouterr()
        try:
            cli.main([*words])
        except SystemExit as stopped:
            return stopped.code, capsys.readouterr().err
        return 0, capsys.readouterr().err

    return call


@pytest.fixture
def after_run(monkeypatch):
    """Calls a function after a run of this number."""

    def arrange(number, act):
        stock = engine.attempt
        ended = []

        def attempt(*arguments):
            outcome = stock(*arguments)
            ended.append(1)
            if len(ended) == number:
                act()
            return outcome

        monkeypatch.setattr(engine, "attempt", attempt)

    return arrange


def board(*models, dataset="tiny", output="out"):
    return ["leaderboard", "--models", *models, f"--dataset={dataset}", f"--output={output}", *QUICK]


def change(path):
    """Replace the last interactions by others."""
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-10], *(f"u{n}\ti{n}\t3\t5" for n in range(10))]) + "\n")


def on_record(output="out"):
    lines = pathlib.Path(output, "records.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_a_second_command_of_one_process_measures_changed_data(own, command):
    assert command(*board("EDLAE"))[0] == 0
    change(own)
    assert command(*board("EDLAE"))[0] == 0
    first, second = on_record()
    assert first["identity"]["data"] != second["identity"]["data"] and first["test"] != second["test"]


def test_a_board_whose_data_change_records_nothing_under_the_old_name(own, command, after_run):
    before = own.read_text()
    after_run(2, lambda: change(own))
    status, _ = command(*board("Pop", "EDLAE", "BPR", "EASE"))
    records = on_record()
    assert len(records) >= 2 and status in (0, 2)

    # What is on record under the fingerprint of the old data is what a board on the old data measures.
    own.write_text(before)
    assert command(*board("Pop", "EDLAE", "BPR", "EASE", output="undisturbed"))[0] == 0
    undisturbed = {record["key"]: record["test"] for record in on_record("undisturbed")}
    assert {record["key"]: record["test"] for record in records}.items() <= undisturbed.items()


def test_a_run_on_other_data_than_asked_for_is_refused_before_it_trains(own, settings, monkeypatch):
    monkeypatch.setattr("recbole_edlae.runs.runner.build", lambda *_: pytest.fail("a model was built"))
    run = Run("EDLAE", "tiny", settings={**settings, "data_path": str(own.parents[1])}, data="0" * 16)
    with pytest.raises(ValueError, match=r"dataset: .*tiny has changed since this command began"):
        Runner().run(run)


def test_a_runner_reads_changed_files_again(own, settings):
    runner = Runner()
    run = Run("EDLAE", "tiny", settings={**settings, "data_path": str(own.parents[1])})
    first, _ = runner.run(run)
    change(own)
    second, _ = runner.run(run)
    assert first["test"] != second["test"] and second["test"] == Runner().run(run)[0]["test"]


def test_members_are_not_kept_for_changed_files(own, settings, monkeypatch):
    trained = []
    stock = Trainer.fit
    monkeypatch.setattr(
        Trainer, "fit", lambda *args, **options: (trained.append(1), stock(*args, **options))[1]
    )
    runner = Runner()
    more = {"data_path": str(own.parents[1]), "latent_dimension": 4, "epochs": 1}
    run = Run("EnsembleAE", "tiny", settings={**settings, **more})
    for times, act in (
        (2, lambda: None),
        (2, lambda: None),
        (4, lambda: change(own)),
    ):  # both members, or none
        act()
        runner.run(run)
        assert len(trained) == times


@pytest.mark.parametrize("algo", ["exhaustive", "bayes"])
def test_a_search_does_not_choose_across_data(algo, own, command, after_run, tmp_path):
    (tmp_path / "space").write_text("reg_weight choice [1.0,5.0,20.0,50.0,90.0]\n")
    after_run(5 if algo == "exhaustive" else 2, lambda: change(own))
    words = [
        "tune",
        "--model=EDLAE",
        "--dataset=tiny",
        "--space=space",
        f"--algo={algo}",
        "--output=out",
        *QUICK,
    ]
    status, errors = command(*words, "--max_evals=5")
    assert status == 2 and "tiny.inter has changed since this command began" in errors.splitlines()[-1]
    assert not (tmp_path / "out" / "best.yaml").exists()
    assert len({record["identity"]["data"] for record in on_record()}) == 1


@pytest.mark.parametrize("name", ["shop[1]", "sh*p", "my shop", "shop.v2"])
def test_changed_data_are_measured_again_whatever_their_name(name, own, command, tmp_path):
    folder = tmp_path / "dataset" / name
    folder.mkdir()
    path = folder / f"{name}.inter"
    path.write_text(own.read_text())
    for runs in (1, 1):
        assert command(*board("EDLAE", dataset=name))[0] == 0
        assert len(on_record()) == runs
    (folder / f"{name}.extra.inter").write_text("a file that is not read")
    assert command(*board("EDLAE", dataset=name))[0] == 0
    assert len(on_record()) == 1
    change(path)
    assert command(*board("EDLAE", dataset=name))[0] == 0
    assert len(on_record()) == 2


def test_files_that_appear_while_records_are_open_are_a_change(own, settings, tmp_path):
    run = Run("EDLAE", "tiny", settings={**settings, "data_path": str(own.parents[1]), "load_col": None})
    with Records(tmp_path / "out") as records:
        run.identity(("test",), known=records.files)
        own.with_suffix(".item").write_text("item_id:token\tprice:float\n")
        with pytest.raises(ValueError, match=r"tiny\.item has changed since"):
            run.identity(("test",), known=records.files)
