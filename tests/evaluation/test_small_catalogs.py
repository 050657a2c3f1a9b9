"""Lists that are longer than the catalog."""

import pytest
from recbole.quick_start import run_recbole

from recbole_edlae._warnings import DataWarning

RANKED = [
    "NDCG",
    "ItemCoverage",
    "AveragePopularity",
    "ShannonEntropy",
    "GiniIndex",
    "TailPercentage",
    "MAP",
]


@pytest.mark.parametrize("model", ["EDLAE", "EASE"])
def test_places_beyond_the_catalog_are_empty(write_shop, model):
    write_shop()
    results = {}
    for longest in (21, 50):
        own = {"state": "ERROR", "show_progress": False, "topk": [5, longest], "metrics": RANKED}
        own |= {"valid_metric": "NDCG@5"}
        with pytest.warns(
            DataWarning, match=f"topk {longest} exceeds the 20 items of shop; the places beyond"
        ):
            results[longest] = run_recbole(model, "shop", config_dict=own)["test_result"]
    assert len(results[50]) == 2 * len(RANKED)
    for name in RANKED:
        assert results[50][f"{name.lower()}@5"] == results[21][f"{name.lower()}@5"]
        assert results[50][f"{name.lower()}@50"] == pytest.approx(
            results[21][f"{name.lower()}@21"], abs=2e-4
        )
