"""The setting `corrections` decides about every number of RecBole's that changes, and each run says what it did."""

import json
import os
import subprocess
import sys
import textwrap

import pytest
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import get_model, get_trainer

from recbole_edlae.integration.patches import PATCHES
from recbole_edlae.settings import corrections
from tests.conftest import ROOT

TO = {"split": {"LS": "valid_and_test"}, "order": "TO", "group_by": "user", "mode": "full"}
RO = {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "RO", "group_by": "user", "mode": "full"}
BEYOND = ["NDCG", "ItemCoverage", "ShannonEntropy", "GiniIndex"]
RUNS = {
    "time_order": ("ItemKNN", {"eval_args": TO}, "time_order"),
    "popularity": ("Pop", {"eval_args": RO}, "ties, popularity"),
    "candidates": ("BPR", {"eval_args": {**RO, "mode": "uni100"}, "epochs": 1}, "candidates"),
    "beyond_accuracy": ("EASE", {"eval_args": RO, "metrics": BEYOND}, "beyond_accuracy"),
    "nothing": ("LightGCN", {"eval_args": RO, "epochs": 1}, "none"),
}


def test_every_changed_number_has_a_known_name():
    assert {patch.correction for patch in PATCHES if patch.correction} == corrections.CORRECTIONS.keys()
    assert all(
        patch.kind == "call" for patch in PATCHES if patch.correction
    )  # nothing else can be switched


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (True, tuple(corrections.CORRECTIONS)),
        (None, tuple(corrections.CORRECTIONS)),
        (False, ()),
        ([], ()),
        (["ties"], ("ties",)),
        ("ties", ("ties",)),
        ("[candidates, ties]", ("candidates", "ties")),
        ("['ties']", ("ties",)),
    ],
)
def test_values_of_the_setting(value, names):
    assert corrections.chosen(value) == names


@pytest.mark.parametrize("value", ["tie", ["ties", "pop"], 3, {"ties": True}, [True]])
def test_other_values_are_refused_before_data_are_read(value, settings):
    with pytest.raises(ValueError, match=r"corrections.*tokens.*; got"):
        Config("Pop", "no-such-data", config_dict={**settings, "corrections": value})


def test_pop_scores_by_the_share_of_the_most_popular_item(settings):
    config = Config("Pop", "tiny", config_dict=settings)
    train, _, _ = data_preparation(config, create_dataset(config))
    trainer = get_trainer(config["MODEL_TYPE"], "Pop")(config, get_model("Pop")(config, train.dataset))
    trainer.fit(train, saved=False, verbose=False)
    scores = trainer.model.full_sort_predict({"user_id": torch.tensor([1])})
    counts = torch.bincount(train.dataset.inter_feat["item_id"], minlength=train.dataset.item_num)
    torch.testing.assert_close(scores, counts.double() / counts.max())


def run(model, settings, folder, first="import recbole_edlae"):
    """Test metrics, and the lines of the log that name the package, of a fresh process."""
    program = f"""
        import sys, types
        {first}
        if "recbole_edlae" not in sys.modules:
            sys.modules["ray"] = types.ModuleType("ray")
            sys.modules["ray"].tune = types.SimpleNamespace(report=lambda **metrics: None)
            import numpy, scipy.sparse  # RecBole asks for names that later versions have no more
            vars(numpy).update(float_=numpy.float64, complex_=numpy.complex128, unicode_=numpy.str_)
            if not hasattr(scipy.sparse.dok_matrix, "_update"):
                scipy.sparse.dok_matrix._update = lambda self, entries: self._dict.update(entries)
        import json
        from recbole.quick_start import run_recbole
        result = run_recbole({model!r}, "ml-100k", config_dict={settings!r}, saved=False)
        assert ("recbole_edlae" in sys.modules) == {bool(first)}
        print(json.dumps(result["test_result"]), file=sys.stderr)
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=600,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    return json.loads(lines[-1]), [
        line for line in lines + done.stdout.splitlines() if "recbole_edlae: " in line
    ]


@pytest.mark.slow
@pytest.mark.parametrize("case", RUNS)
def test_stock_where_the_package_is_not_imported_or_corrections_are_off(case, tmp_path):
    """The same digits as in a process that never imports the package; and each run says what touched it."""
    model, changed, touched = RUNS[case]
    settings = {
        "show_progress": False,
        "train_batch_size": 512,
        "metrics": ["NDCG", "Recall"],
        "topk": [10],
    }
    settings |= {"valid_metric": "NDCG@10", **changed}
    if case == "beyond_accuracy":  # which crash in stock RecBole
        stock = None
    else:
        stock, lines = run(model, settings, tmp_path, first="")
        assert not lines

    off, lines = run(model, {**settings, "corrections": False}, tmp_path)
    assert (
        len(lines) == 1 and "no correction of RecBole's numbers is active (corrections: False)" in lines[0]
    )
    assert stock is None or off == stock

    on, lines = run(model, settings, tmp_path)
    assert len(lines) == 1 and f"touched here: {touched}; corrections: False switches them off" in lines[0]
    assert "6 of 6 corrections of RecBole's numbers are active" in lines[0]
    assert (on == off) == (touched == "none")


def test_one_correction_alone(tmp_path):
    settings = {"show_progress": False, "corrections": ["ties"], "eval_args": RO}
    _, lines = run("Pop", settings, tmp_path)
    assert "1 of 6 corrections of RecBole's numbers are active (ties); touched here: ties;" in lines[0]


def test_the_record_of_a_run_has_them(settings):
    from recbole_edlae.runs.run import make_run
    from recbole_edlae.runs.runner import Runner

    runner = Runner()
    result, _ = runner.run(make_run("Pop", "tiny", (), settings))
    assert result["corrections"] == {
        "active": list(corrections.CORRECTIONS),
        "touched": ["ties", "popularity"],
    }
    # The data were read for the run before: what touched them counts for this one too.
    sampled = {**settings, "load_col": None, "eval_args": {**TO, "mode": "uni5"}}
    for _ in range(2):
        result, _ = runner.run(make_run("EASE", "tiny", (), sampled))
        assert {"time_order", "candidates"} <= set(result["corrections"]["touched"])
    result, _ = runner.run(make_run("EASE", "tiny", (), {**sampled, "corrections": False}))
    assert result["corrections"] == {"active": [], "touched": []}
