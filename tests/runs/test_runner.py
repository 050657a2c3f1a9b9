"""One runner for many runs has the metrics of as many run_recbole, whatever ran before."""

import contextlib
import errno
import functools
import io
import json
import os
import pathlib
import shutil
import time

import pytest
import scipy.sparse as sp
import torch
from recbole.data.dataset import Dataset
from recbole.quick_start import run_recbole
from recbole.trainer import Trainer

from recbole_edlae.integration import checkpoints
from recbole_edlae.model import by_gram
from recbole_edlae.model.ensemble_trainer import EnsembleTrainer
from recbole_edlae.runs import engine
from recbole_edlae.runs.cache import Cache
from recbole_edlae.runs.engine import attempt
from recbole_edlae.runs.preparation import warm_up
from recbole_edlae.runs.records import Records
from recbole_edlae.runs.run import Run, key_of
from recbole_edlae.runs.runner import Runner
from recbole_edlae.settings import registry
from tests.data.shop_splits import SAMPLED
from tests.runs.conftest import QUICK

MODELS = [*sorted(registry.registered()), "EASE", "ADMMSLIM", "ItemKNN", "Pop", "BPR", "MultiDAE"]
shared = Runner()


@pytest.mark.parametrize("model", [*MODELS, "BPR"])
def test_same_metrics_as_run_recbole(model, tiny, protocol):
    own = {"epochs": 2, **QUICK.get(model, {})}
    result, per_user = shared.run(Run(model, "tiny", (protocol,), own))
    stock = run_recbole(model, "tiny", [protocol], {**own, "state": "ERROR", "show_progress": False})
    assert result["test"] == dict(stock["test_result"]) and result["valid"] == dict(
        stock["best_valid_result"]
    )
    for name, value in result["test"].items():
        assert per_user.metric(name).mean() == pytest.approx(value, abs=5.1e-5)


@pytest.mark.parametrize("model", ["EDLAE", "BPR"])
def test_what_a_process_does_once_counts_for_no_model(model, protocol, monkeypatch):
    ahead, stock_clock, stock_step = [0.0], time.perf_counter, torch.optim.Adam.step
    once = functools.cache(lambda name: ahead.append(ahead.pop() + 1000))
    monkeypatch.setattr(time, "perf_counter", lambda: stock_clock() + ahead[0])
    monkeypatch.setattr(by_gram, "_operations_a_second", lambda device: (once("estimate"), 1e9)[1])
    monkeypatch.setattr(torch.optim.Adam, "step", lambda *args: (once("step"), stock_step(*args))[1])
    warm_up.cache_clear()
    result, _ = Runner().run(Run(model, "tiny", (protocol,), QUICK.get(model, {})))
    # A closed form needs no optimizer.
    assert ahead == [1000 if model == "EDLAE" else 2000] and 0 < result["fit_seconds"] < 1000


def test_data_are_read_once_and_split_once_for_each_seed(protocol, monkeypatch):
    read, split = [], []
    stock_init, stock_build = Dataset.__init__, Dataset.build
    monkeypatch.setattr(
        Dataset, "__init__", lambda self, config: (read.append(1), stock_init(self, config))[1]
    )
    monkeypatch.setattr(Dataset, "build", lambda self: (split.append(1), stock_build(self))[1])
    runner = Runner()
    for seed in (1, 1, 2):
        for model in ("EDLAE", "EASE", "DLAE"):
            runner.run(Run(model, "tiny", (protocol,), {"seed": seed}))
    assert len(read) == 1 and len(split) == 2


def test_gram_matrix_is_built_once_for_each_user_weight(protocol, monkeypatch):
    built, stock = [], by_gram.gram
    monkeypatch.setattr(
        by_gram, "gram", lambda *args, **kwargs: (built.append(1), stock(*args, **kwargs))[1]
    )
    runner = Runner()
    for power in (0.0, 0.5):
        for penalty in (1.0, 2.0, 5.0):
            runner.run(
                Run("EDLAE", "tiny", (protocol,), {"reg_weight": penalty, "user_weight_power": power})
            )
    assert len(built) == 2


@pytest.fixture
def trained(monkeypatch):
    """The labels of the members that are trained, in their order."""
    labels, stock = [], EnsembleTrainer._train
    monkeypatch.setattr(
        EnsembleTrainer, "_train", lambda self, *words: (labels.append(words[0]), stock(self, *words))[1]
    )
    return labels


DEEP = {"epochs": 4, "latent_dimension": 5}
MEMBERS = {"EDLAE": {"reg_weight": 2.0}, "DeepAE": DEEP}
MODES = {"full": "full", "sampled": {"valid": "uni5", "test": "uni5"}}


@pytest.mark.parametrize("mode", MODES)
def test_members_are_trained_once_for_all_weights_with_the_metrics_of_run_recbole(protocol, trained, mode):
    common = {"members": MEMBERS, "eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}, "mode": MODES[mode]}}
    runner, epochs = Runner(), []
    for number, weights in enumerate([None, {"DeepAE": 0.2}, {"EDLAE": 3}]):
        result, _ = runner.run(Run("Ensemble", "tiny", (protocol,), {**common, "weights": weights}))
        assert trained[:2] == ["EDLAE", "DeepAE"]
        assert len(trained) == 2 + 2 * number  # once here, and in each of run_recbole's below
        settings = {**common, "weights": weights, "state": "ERROR", "show_progress": False}
        expected = run_recbole("Ensemble", "tiny", [protocol], settings)
        assert result["valid"] == dict(expected["best_valid_result"])
        assert result["test"] == dict(expected["test_result"])
        assert result["score"] == expected["best_valid_score"]
        assert result["fit_seconds"] > 0 and result["evaluate_seconds"] > 0
        epochs.append(result["epochs"])
    assert (
        0 < epochs[0]["DeepAE"] <= 4
        and epochs[0].keys() == {"DeepAE"}
        and epochs[0] == epochs[1] == epochs[2]
    )


def test_members_are_trained_again_for_whatever_they_see(protocol, tiny, trained, tmp_path):
    shutil.copytree(tiny, tmp_path / "copy")
    changes = [
        {},
        {"seed": 1},
        {"valid_metric": "Recall@3"},
        {"data_path": str(tmp_path / "copy")},
        {"members": {"EDLAE": {"reg_weight": 2.0}, "DeepAE": {**DEEP, "dropout_prob": 0.1}}},
    ]
    runner = Runner()
    for change in changes:
        before = len(trained)
        runner.run(Run("Ensemble", "tiny", (protocol,), {"members": MEMBERS, **change}), phases=("valid",))
        assert "DeepAE" in trained[before:]


def test_rows_of_a_board_are_the_members_of_its_ensembles(protocol, trained):
    together = Run("Ensemble", "tiny", (protocol,), {"members": MEMBERS})
    alone = [Run(name, "tiny", (protocol,), settings) for name, settings in MEMBERS.items()]
    others = [Run("EDLAE", "tiny", (protocol,), {"reg_weight": 3.0}), Run("EASE", "tiny", (protocol,))]
    runner = Runner()
    runner.expect([*alone, *others, together])
    for run in [*alone, *others]:
        runner.run(run)
    result, _ = runner.run(together)
    assert trained == []
    expected, _ = Runner().run(together)
    assert trained == ["EDLAE", "DeepAE"]
    assert (result["valid"], result["test"], result["epochs"]) == (
        expected["valid"],
        expected["test"],
        expected["epochs"],
    )


def test_models_are_kept_only_for_ensembles_to_come(protocol):
    runner = Runner()
    alone = Run("EDLAE", "tiny", (protocol,), MEMBERS["EDLAE"])
    together = Run("Ensemble", "tiny", (protocol,), {"members": {"EDLAE": MEMBERS["EDLAE"]}})
    runner.run(alone)
    assert not runner._trained._members
    runner.expect([alone, together])
    runner.run(alone)
    assert len(runner._trained._members) == 1
    runner.run(together)
    runner.run(Run("EASE", "tiny", (protocol,)))
    assert not runner._trained._members


def test_members_found_ready_count_as_long_as_they_took(monkeypatch, protocol):
    stock = Trainer.fit
    monkeypatch.setattr(
        Trainer, "fit", lambda *args, **kwargs: (time.sleep(0.5), stock(*args, **kwargs))[1]
    )
    runner = Runner()
    for weight in (0.3, 0.4):
        run = Run(
            "EnsembleAE", "tiny", (protocol,), {"epochs": 1, "latent_dimension": 5, "deep_weight": weight}
        )
        assert runner.run(run, phases=("valid",))[0]["fit_seconds"] > 1.0


def test_nothing_is_left_in_the_working_directory(protocol, tmp_path):
    Runner().run(Run("BPR", "tiny", (protocol,), QUICK["BPR"]))
    assert [each.name for each in tmp_path.iterdir()] == ["protocol.yaml"]


def test_key_follows_what_determines_the_result_and_nothing_else(tiny, protocol, tmp_path):
    def of(model="EDLAE", phases=("valid", "test"), **settings):
        return key_of(Run(model, "tiny", (protocol,), settings).identity(phases))

    assert (
        of()
        == of(reg_weight=500.0)
        == of(show_progress=False)
        == of(checkpoint_dir="x")
        == of(state="ERROR")
    )
    different = [of(), of("DLAE"), of(seed=1), of(reg_weight=1.0), of(topk=[1, 5]), of(phases=("valid",))]
    copy = tmp_path / "other" / "tiny"
    copy.mkdir(parents=True)
    text = pathlib.Path(tiny, "tiny", "tiny.inter").read_text()
    (copy / "tiny.inter").write_text(text)
    assert of(data_path=str(tmp_path / "other")) == of()
    moved = tmp_path / "moved" / "tiny"
    moved.mkdir(parents=True)
    (moved / "tiny.inter").write_text(text.replace("u1\t", "u2\t", 1))
    different.append(of(data_path=str(tmp_path / "moved")))
    assert len(set(different)) == len(different)


def test_a_matrix_found_ready_counts_as_long_as_it_took():
    built = []

    def slow():
        built.append(1)
        time.sleep(0.05)
        return torch.eye(3)

    cache, X = Cache(), sp.eye(3).tocsr()
    first = cache.keep(slow, X, None)
    assert cache.saved == 0
    first.zero_()  # the caller may overwrite what it gets
    assert torch.equal(cache.keep(slow, X, None), torch.eye(3)) and len(built) == 1
    assert cache.saved >= 0.05


class FullFile(io.BytesIO):
    """A file on a disk that has room for its first bytes only."""

    def write(self, content):
        if self.tell() > 500:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(content)


def test_a_disk_that_is_full_for_checkpoints_ends_all_runs(protocol, monkeypatch):
    @contextlib.contextmanager
    def whole_on_full_disk(path):
        yield FullFile()

    monkeypatch.setattr(checkpoints, "atomic_file", whole_on_full_disk)
    with pytest.raises(OSError, match="No space left on device"):
        attempt(Run("DeepAE", "tiny", (protocol,), {"epochs": 2, "latent_dimension": 5}), ("valid",))


@pytest.mark.parametrize("number, ends", [(errno.ENOSPC, True), (errno.EROFS, True), (errno.ENOENT, False)])
def test_errors_of_a_disk_end_all_runs_and_others_one(number, ends, monkeypatch):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Runner, "run", fail)
    expected = pytest.raises(OSError) if ends else contextlib.nullcontext()
    with expected:
        result, per_user = attempt(Run("EDLAE", "tiny"), ("valid",))
        assert result["status"] == "failed" and "No such file" in result["error"] and per_user is None


def test_rankings_among_candidates_are_those_of_run_recbole(write_shop, command, tmp_path):
    write_shop()
    own = {"state": "ERROR", "show_progress": False, "epochs": 2, "eval_args": SAMPLED}
    runner = Runner()
    for model in ("EDLAE", "BPR", "Pop", "DeepAE"):
        run = Run(model, "shop", (), {**own, "data_path": "dataset"})
        assert runner.run(run)[0]["test"] == dict(
            run_recbole(model, "shop", config_dict=dict(own))["test_result"]
        )
    words = json.dumps(SAMPLED).replace(" ", "").replace('"', "'")
    outcome = command(
        "leaderboard", "--models", "EDLAE", "BPR", "--dataset", "shop", f"--eval_args={words}", "--epochs=2",
        f"--output={tmp_path / 'board'}", "--engine=sequential",
    )  # fmt: skip
    assert outcome.status == 0 and "failed" not in outcome.out + outcome.err


def test_what_is_on_record_starts_no_engine(protocol, tmp_path, monkeypatch):
    runs = [Run("Pop", "tiny", (protocol,))]
    with Records(tmp_path) as records:
        list(engine.run_all(runs, records))
        monkeypatch.setitem(engine.ENGINES, "sequential", lambda *_: pytest.fail("an engine started"))
        ((_, _, cached),) = engine.run_all(runs, records)
    assert cached
