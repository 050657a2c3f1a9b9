"""The reference models of upstream/, as classes, without a RecBole that has them."""

import importlib.util
import types

import pytest
import scipy.sparse as sp
from recbole.config import Config
from recbole.data import create_dataset, data_preparation

from tests.conftest import ROOT

MODELS = ROOT / "upstream" / "recbole" / "model" / "general_recommender"


def reference(name: str) -> type:
    """Return the class of a reference model."""
    spec = importlib.util.spec_from_file_location(f"reference_{name}", MODELS / f"{name.lower()}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


def solution(name: str, X: sp.csr_matrix, **settings):
    """Return what a linear reference model finds for some interactions and settings."""
    cls = reference(name)
    model = cls.__new__(cls)
    vars(model).update(settings, logger=types.SimpleNamespace(warning=pytest.fail))
    return model._solve(X)


def made_up() -> sp.csr_matrix:
    """Return binary interactions of 300 users with 130 items; three of the items have none."""
    X = sp.random(300, 130, density=0.1, format="lil", random_state=1)
    X[:, [0, 50, 129]] = 0
    X = X.tocsr().astype("float32")
    X.eliminate_zeros()
    X.data[:] = 1
    return X


def ml_100k() -> sp.csr_matrix:
    """Return the interactions that RecBole trains on in the dataset that it comes with."""
    config = Config("EASE", "ml-100k", config_dict={"state": "ERROR"})
    X = (
        data_preparation(config, create_dataset(config))[0]
        .dataset.inter_matrix(form="csr")
        .astype("float32")
    )
    X.data[:] = 1
    return X


@pytest.fixture(scope="package", params=[made_up, pytest.param(ml_100k, marks=pytest.mark.slow)])
def interactions(request) -> sp.csr_matrix:
    """Interactions, made up and real."""
    return request.param()
