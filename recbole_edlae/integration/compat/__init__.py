"""RecBole on today's NumPy, SciPy, pandas, torch and ray; no number changes. The rows of the table for this room."""

from typing import Any

ROOM = "recbole_edlae.integration.compat."  # of the functions

ROWS: tuple[dict[str, Any], ...] = (
    {
        "why": "pandas 3 makes RecBole's fillna(inplace=True) a silent no-op",
        "until": "RecBole assigns what fillna returns",
        "kind": "import",
        "functions": {"data.dataset.dataset:(import)": "stack:refuse_pandas_3"},
    },
    {
        "why": (
            "imports ray, which is missing or fails on new NumPy and setuptools, and which runs outside Ray Tune "
            "do not need"
        ),
        "until": "RecBole imports ray where it uses it",
        "kind": "import",
        "functions": {"quick_start.quick_start:(import)": "stack:ray_stand_in"},
    },
    {
        "why": "ray >= 2.7 takes one dict and refuses outside a Tune session",
        "until": "RecBole calls ray.tune.report(metrics) inside sessions only",
        "kind": "value",
        "functions": {"quick_start.quick_start:tune": "stack:tune"},
    },
    {
        "why": "torch >= 2.6 refuses the Config that RecBole's checkpoints pickle",
        "until": "RecBole passes weights_only=False itself",
        "functions": {"quick_start.quick_start:load_data_and_model": "stack:load_data_and_model"},
    },
    {
        "why": "torch >= 2.6 refuses the Config that RecBole's checkpoints pickle",
        "until": "RecBole passes weights_only=False itself",
        "kind": "value",
        "functions": dict.fromkeys(
            (
                "trainer.trainer:torch",
                "model.general_recommender.convncf:torch",
                "model.general_recommender.nais:torch",
                "model.general_recommender.neumf:torch",
                "model.general_recommender.ract:torch",
                "model.context_aware_recommender.kd_dagfm:torch",
                "model.sequential_recommender.s3rec:torch",
            ),
            "stack:torch_for_recbole",
        ),
    },
    {
        "why": "SciPy 1.13 dropped dok_matrix._update, with which these models build their graphs",
        "until": "these models build a COO matrix",
        "kind": "value",
        "functions": dict.fromkeys(
            (
                "model.general_recommender.gcmc:sp",
                "model.general_recommender.lightgcn:sp",
                "model.general_recommender.ncl:sp",
                "model.general_recommender.ngcf:sp",
                "model.general_recommender.spectralcf:sp",
                "model.knowledge_aware_recommender.kgin:sp",
                "model.knowledge_aware_recommender.mcclk:sp",
            ),
            "stack:sparse_for_recbole",
        ),
    },
    {
        "why": "pandas and torch warn of calls that RecBole's users cannot change",
        "until": "RecBole no longer makes these calls",
        "functions": {"data.dataset.dataset:Dataset._fill_nan": "stack:without_future_warnings"},
    },
    {
        "why": "pandas and torch warn of calls that RecBole's users cannot change",
        "until": "RecBole no longer makes these calls",
        "kind": "value",
        "functions": {"trainer.trainer:amp": "stack:amp_for_recbole"},
    },
    {
        "why": "sets numpy.float and the like from names that NumPy 2 dropped",
        "until": "Config.compatibility_settings is gone",
        "functions": {"config.configurator:Config.compatibility_settings": "stack:compatibility_settings"},
    },
    {
        "why": "calls .cpu() on counts, so that every beyond-accuracy metric crashes",
        "until": "RecBole tests for a tensor",
        "functions": {"trainer.trainer:Collector": "recbole_edlae.integration.fixes.ranking:collector"},
    },
    {
        "why": "NumPy 2 prints its metrics as np.float64(0.2372)",
        "until": "Evaluator rounds to a float",
        "functions": {"evaluator.evaluator:Evaluator.evaluate": "stack:evaluate"},
    },
)
