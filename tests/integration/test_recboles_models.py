"""RecBole's own models beside ours on this stack: train one epoch, evaluate, save, reload."""

import numpy as np
import pytest
from recbole.quick_start import load_data_and_model, run_recbole
from recbole.utils import get_trainer

from recbole_edlae.settings import registry

RECBOLES = {
    "Pop": {}, "ItemKNN": {}, "BPR": {}, "EASE": {}, "ADMMSLIM": {}, "SLIMElastic": {}, "NCEPLRec": {}, "LightGCN": {},
    "MultiVAE": {}, "MultiDAE": {}, "RecVAE": {}, "MacridVAE": {}, "CDAE": {},
}  # fmt: skip
AUTOENCODERS = ("MultiVAE", "MultiDAE", "RecVAE", "MacridVAE", "CDAE")


@pytest.mark.slow
@pytest.mark.parametrize("name", [*RECBOLES, *sorted(registry.registered())])
def test_train_evaluate_save_reload(name, tmp_path):
    settings = {"epochs": 1, "state": "ERROR", "show_progress": False, "eval_batch_size": 4096000}
    settings |= {"metrics": ["NDCG", "ItemCoverage", "GiniIndex"], "valid_metric": "NDCG@10"}
    if name in AUTOENCODERS:
        settings["train_neg_sample_args"] = None
    result = run_recbole(name, "ml-100k", config_dict=settings)["test_result"]
    assert all(np.isfinite(value) for value in result.values()) and 0 < result["itemcoverage@10"] <= 1
    (checkpoint,) = (tmp_path / "saved").glob(f"{name}-*.pth")
    config, model, _, train, _, test = load_data_and_model(str(checkpoint))
    trainer = get_trainer(config["MODEL_TYPE"], name)(config, model)
    trainer.eval_collector.data_collect(train)  # what RecBole's fit does for the beyond-accuracy metrics
    assert trainer.evaluate(test, load_best_model=False) == result
