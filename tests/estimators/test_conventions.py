"""scikit-learn's conventions, the settings of the RecBole models, and what an import loads."""

import ast
import inspect
import pathlib
import pickle
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp
import yaml
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import check_estimator

import recbole_edlae
from recbole_edlae.estimators import DLAE, EDLAE, LowRankEDLAE

PACKAGE = pathlib.Path(recbole_edlae.__file__).parent
ALL = [EDLAE, DLAE, LowRankEDLAE]
X = sp.csr_matrix([[1, 1, 0, 0], [1, 1, 0, 1], [1, 0, 1, 0], [0, 1, 1, 1]])
of_all = pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)


@of_all
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_own_checks(kind):
    check_estimator(kind(rank=2) if kind is LowRankEDLAE else kind())


@of_all
def test_settings_and_defaults_are_the_recbole_models(kind):
    defaults = yaml.safe_load((PACKAGE / "properties" / "model" / f"{kind.__name__}.yaml").read_text())
    defaults.pop("eval_batch_size")  # of RecBole's evaluation
    defaults.pop("based_on", None)  # weights of users recommend to nobody new
    columns = {"user": "user_id", "item": "item_id"}
    given = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in kind().get_params().items()
    }
    assert given == defaults | columns


@of_all
def test_every_setting_is_described(kind):
    documented = inspect.getdoc(kind)
    assert all(f"\n    {name}: " in documented for name in kind().get_params())


@of_all
def test_clones_have_the_settings_and_no_weights(kind):
    estimator = (
        kind(reg_weight=7.0, user="who").fit(X) if kind is not LowRankEDLAE else kind(7.0, rank=2).fit(X)
    )
    copied = clone(estimator)
    assert copied.get_params() == estimator.get_params() and not hasattr(copied, "weights_")
    assert copied.set_params(dropout_prob=0.1) is copied and copied.dropout_prob == 0.1


@of_all
def test_nothing_is_answered_before_a_fit(kind):
    for call in (lambda: kind().recommend([0]), lambda: kind().score([0]), lambda: kind().similar(0)):
        with pytest.raises(NotFittedError, match="instance is not fitted yet"):
            call()
    with pytest.raises(NotFittedError):
        kind().to_export("folder")


def test_a_rank_beyond_the_items_leaves_the_setting_as_it_is():
    with pytest.warns(UserWarning, match="rank 200 is more than the 4 items"):
        assert LowRankEDLAE().fit(X).rank == 200


@of_all
def test_a_pickle_answers_alike(kind):
    estimator = (kind(rank=2) if kind is LowRankEDLAE else kind()).fit(X)
    copied = pickle.loads(pickle.dumps(estimator))
    assert copied.recommend([0, 1]).items == estimator.recommend([0, 1]).items
    assert np.array_equal(copied.score(X), estimator.score(X))


PROGRAM = """
import sys
for name in ("recbole", "ray", "pandas"):
    sys.modules[name] = None  # as if it were not installed; scikit-learn imports pandas where it is
import scipy.sparse as sp
from recbole_edlae.estimators import DLAE, EDLAE, LowRankEDLAE

X = sp.csr_matrix([[1, 1, 0, 0], [1, 1, 0, 1], [1, 0, 1, 0], [0, 1, 1, 1]])
for estimator in (EDLAE(), EDLAE(neighbors=2), DLAE(), LowRankEDLAE(rank=2)):
    estimator.fit(X).recommend([[0], [1, 2], []], k=2)
    estimator.recommend(X), estimator.recommend([0]), estimator.similar(0), estimator.score(X)
EDLAE().fit(X).to_export("edlae")
print(EDLAE.from_export("edlae").recommend([["0"]], k=1).items == EDLAE().fit(X).recommend([[0]], k=1).items)
"""


def test_all_of_it_works_without_recbole_ray_and_pandas():
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "False\n"  # ids of a file are text


def test_the_import_loads_no_recbole_and_asks_for_no_pandas():
    program = (
        "import sys, sklearn.base; before = set(sys.modules); import recbole_edlae.estimators\n"
        "loaded = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(loaded & {'recbole', 'ray', 'pandas', 'polars', 'pyarrow'})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr
    for path in (PACKAGE / "estimators").glob("*.py"):
        for node in ast.parse(path.read_text()).body:  # at the top, and not for the type checker alone
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert "pandas" not in names, path
