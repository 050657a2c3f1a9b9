import functools
import types

import pytest
from recbole.quick_start import quick_start, run_recbole

from recbole_edlae.serving.checkpoint import Checkpoint
from recbole_edlae.serving.export import write_export
from recbole_edlae.serving.recommender import Recommender
from tests.serving.shop_checkpoints import train

MODELS = {
    "EDLAE": {"reg_weight": 5.0, "user_weight_power": 0.5},
    "DLAE": {"reg_weight": 5.0},
    "LowRankEDLAE": {"reg_weight": 5.0, "rank": 6},
    "GFCF": {"low_pass_rank": 6},
    "ChebyCF": {"low_pass_rank": 6},
    "DeepAE": {"mlp_hidden_size": [12], "latent_dimension": 6},
    "EnsembleAE": {"latent_dimension": 6, "linear_reg_weight": 5.0, "deep_weight": 0.4},
    "DeepVAE": {"mlp_hidden_size": [12], "latent_dimension": 6},
    "AutoRec": {"latent_dimension": 6},
}


@pytest.fixture(scope="session")
def checkpoints(tiny, tmp_path_factory):
    """Model → path of a checkpoint of it, trained on `tiny` when first asked for."""
    folder, made = tmp_path_factory.mktemp("checkpoints"), {}

    def train(name, **settings):
        key = repr((name, settings))
        if key not in made:
            own = folder / str(len(made))
            quiet = {
                "data_path": tiny,
                "state": "ERROR",
                "show_progress": False,
                "epochs": 3,
                "topk": [5, 10],
            }
            with pytest.MonkeyPatch.context() as patch:  # its report of the machine sleeps for a second
                patch.setattr(quick_start, "get_environment", lambda _: types.SimpleNamespace(draw=str))
                run_recbole(
                    name,
                    "tiny",
                    config_dict={**quiet, "checkpoint_dir": str(own), **MODELS.get(name, {}), **settings},
                )
            (made[key],) = own.glob("*.pth")
        return str(made[key])

    return train


@pytest.fixture(params=sorted(MODELS))
def name(request):
    return request.param


@pytest.fixture(scope="session")
def opened(checkpoints):
    """Model → its checkpoint, read once."""
    return functools.cache(lambda name: Checkpoint.read(checkpoints(name)))


@pytest.fixture(scope="session")
def recommender(checkpoints):
    return Recommender.load(checkpoints("EDLAE"))


@pytest.fixture
def checkpoint(write_shop):
    """Path of a checkpoint of EDLAE, trained on the made-up shop in the working directory."""
    write_shop()
    return train()


@pytest.fixture
def export(opened, tmp_path):
    """Writes an export, and returns its folder."""

    def write(model="EDLAE", **options):
        folder = tmp_path / "export"
        write_export(opened(model), folder, **options)
        return folder

    return write
