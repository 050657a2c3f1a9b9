"""Short runs are not mostly imports and waiting, and have RecBole's results."""

import subprocess
import sys
import textwrap
import time
from typing import Any

import pytest
from recbole.quick_start import run_recbole
from recbole.utils import get_environment

from tests.conftest import ROOT


def test_the_table_of_the_environment_has_recboles_rows_without_its_sleep(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Settings(dict):
        def __missing__(self, key: str) -> None:
            return None

    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    tables = [get_environment(Settings(use_gpu=False, vectorized_data=on)) for on in (True, False)]
    assert len(slept) == 1  # by RecBole's own
    ours, theirs = ([line.split()[:2] for line in table.draw().splitlines()] for table in tables)
    assert [words for words in ours if words[0] == "|"] == [words for words in theirs if words[0] == "|"]


@pytest.mark.slow
def test_metrics_import_scikit_learn_when_they_need_it(settings: dict[str, Any]) -> None:
    program = f"""
        import sys
        sys.path[:0] = [{str(ROOT)!r}]
        import recbole_edlae
        from recbole.quick_start import run_recbole
        assert not {{"sklearn", "sklearn.metrics"}} & sys.modules.keys()
        settings = {settings!r}
        run_recbole("EDLAE", "tiny", config_dict=dict(settings))
        heavy = {{"sklearn", "numba", "ray", "torch._dynamo"}}
        assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()
        from recbole.evaluator.metrics import sk_auc
        import numpy as np
        assert sk_auc(np.array([0.0, 1.0]), np.array([0.0, 1.0])) == 0.5 and "sklearn" in sys.modules
        import sklearn.metrics
        assert sklearn.metrics.auc.__module__.startswith("sklearn.")
        print("fine")
    """
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout.split()[-1:] == ["fine"], done.stderr


def test_metrics_of_values_are_recboles(settings: dict[str, Any]) -> None:
    own = {"metrics": ["AUC", "MAE", "RMSE", "LogLoss"], "valid_metric": "AUC", "LABEL_FIELD": "label"}
    own["eval_args"] = {
        "split": {"RS": [0.8, 0.1, 0.1]},
        "group_by": None,
        "order": "RO",
        "mode": "labeled",
    }
    options = {
        **settings,
        **own,
        "threshold": {"rating": 3},
        "load_col": {"inter": ["user_id", "item_id", "rating"]},
    }
    result = run_recbole("FM", "tiny", config_dict=options)["test_result"]
    assert 0 <= result["auc"] <= 1 and result["mae"] > 0 and result["rmse"] > 0
