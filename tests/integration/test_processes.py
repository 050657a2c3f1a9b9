"""Other processes know the models and the corrections by what is pickled to them, and by nothing else."""

import pickle
import subprocess
import sys
import textwrap

import pytest
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.quick_start import quick_start, run_recbole

from recbole_edlae.integration import hook
from tests.conftest import ROOT
from tests.integration.test_models import python

ENTRIES = ("run", "run_recbole", "run_recboles", "objective_function")


@pytest.mark.parametrize("name", ENTRIES)
def test_entry_points_are_recboles_own_but_for_their_pickle(name):
    function = getattr(quick_start, name)
    stock = hook.stock("recbole.quick_start.quick_start", name)
    assert function.__wrapped__ is stock and function.__doc__ == stock.__doc__
    assert b"recbole_edlae.integration.models" in pickle.dumps(function)


def test_what_is_pickled_imports_the_package(tmp_path, settings):
    """An entry point, and a loader whether or not the data are vectorized."""
    loaders = {}
    for vectorized in (True, False):
        config = Config("BPR", "tiny", config_dict={**settings, "vectorized_data": vectorized})
        loaders[vectorized] = data_preparation(config, create_dataset(config))[1]
    for number, content in enumerate([quick_start.run_recbole, *loaders.values()]):
        (tmp_path / f"{number}.pickle").write_bytes(pickle.dumps(content))
        program = f"""
            import pickle, sys
            sys.path.insert(0, {str(ROOT)!r})
            pickle.load(open("{number}.pickle", "rb"))
            from recbole.utils import get_model
            print(get_model("EDLAE").__module__)
        """
        assert python(program, tmp_path).split()[-1] == "recbole_edlae.model.edlae"


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_two_processes_at_a_time(method, settings, tmp_path):
    """From a program without a main module to import again, as a notebook is."""
    program = f"""
        import multiprocessing, sys
        sys.path.insert(0, {str(ROOT)!r})
        import recbole_edlae
        from recbole.quick_start import run_recbole
        settings = {settings!r}
        with multiprocessing.get_context({method!r}).Pool(2) as pool:
            tasks = [("EDLAE", "tiny", None, settings), ("EASE", "tiny", None, settings)]
            print([result["test_result"] for result in pool.starmap(run_recbole, tasks)])
    """
    expected = [
        run_recbole(model, "tiny", config_dict=dict(settings))["test_result"] for model in ("EDLAE", "EASE")
    ]
    assert python(program, tmp_path).splitlines()[-1] == str(expected)


def test_a_loader_draws_the_same_candidates_where_it_is_unpickled(settings, tmp_path):
    """As in the worker of a loader that is spawned: nothing but the loader says that the package is to be imported."""
    sampled = {**settings, "eval_args": {"mode": "uni5", "order": "RO", "split": {"RS": [0.8, 0.1, 0.1]}}}
    config = Config("BPR", "tiny", config_dict=sampled)
    loader = data_preparation(config, create_dataset(config))[2]
    (tmp_path / "loader.pickle").write_bytes(pickle.dumps(loader))
    program = f"""
        import pickle, sys
        sys.path.insert(0, {str(ROOT)!r})
        loader = pickle.load(open("loader.pickle", "rb"))
        print([batch[0]["item_id"].tolist() for batch in loader])
    """
    expected = [batch[0]["item_id"].tolist() for batch in loader]
    assert python(program, tmp_path).splitlines()[-1] == str(expected)


@pytest.mark.slow
def test_workers_of_ray(settings, tmp_path):
    try:
        import ray.tune  # noqa: F401
    except Exception as error:  # an old ray fails in several ways on a new NumPy
        pytest.skip(f"ray cannot be imported here: {type(error).__name__}: {error}")
    program = f"""
        import os, sys
        sys.path.insert(0, {str(ROOT)!r})
        import recbole_edlae
        from recbole.quick_start import run_recbole
        import ray
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
        remote = ray.remote(run_recbole)
        settings = {settings!r}
        pending = [remote.remote(model, "tiny", None, settings) for model in ("EDLAE", "EASE")]
        print([result["test_result"] for result in ray.get(pending)])
        ray.shutdown()
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program)],
        capture_output=True, text=True, cwd=tmp_path, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    expected = [
        run_recbole(model, "tiny", config_dict=dict(settings))["test_result"] for model in ("EDLAE", "EASE")
    ]
    assert done.stdout.splitlines()[-1] == str(expected)
