import pathlib

import pandas as pd
import pytest
from recbole.config import Config
from recbole.data import create_dataset
from recbole.utils import get_model, init_seed


@pytest.fixture(scope="session")
def log(tiny):
    """The file of `tiny`, in its order, as a DataFrame with string ids."""
    frame = pd.read_csv(pathlib.Path(tiny, "tiny", "tiny.inter"), sep="\t")
    return frame.rename(columns=lambda name: name.partition(":")[0])


@pytest.fixture(scope="session")
def recbole_model(tiny):
    """Fits a model of RecBole's to all of `tiny`, with any settings; returns it and its dataset."""

    def fit(name, **settings):
        quiet = {"data_path": tiny, "state": "ERROR", "show_progress": False, **settings}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.argv", ["pytest"])
            config = Config(model=name, dataset="tiny", config_dict=quiet)
        config["device"] = "cpu"
        init_seed(config["seed"], config["reproducibility"])
        dataset = create_dataset(config)
        model = get_model(name)(config, dataset)
        model.fit()
        return model, dataset

    return fit
