"""The rows of this room: what RecBole calls in other packages as they no longer are."""

import functools

from recbole_edlae.integration import patch

rows = functools.partial(patch.rows, "recbole_edlae.integration.compat.")

ROWS = (
    *rows(
        "pandas 3 makes RecBole's fillna(inplace=True) a silent no-op",
        "RecBole assigns what fillna returns",
        {"data.dataset.dataset:(import)": "stack:refuse_pandas_3"},
        kind="import",
    ),
    *rows(
        "imports ray, which is missing or fails on new NumPy and setuptools, and which runs outside Ray Tune "
        "do not need",
        "RecBole imports ray where it uses it",
        {"quick_start.quick_start:(import)": "stack:ray_stand_in"},
        kind="import",
    ),
    *rows(
        "ray >= 2.7 takes one dict and refuses outside a Tune session",
        "RecBole calls ray.tune.report(metrics) inside sessions only",
        {"quick_start.quick_start:tune": "stack:tune"},
        kind="value",
    ),
    *rows(
        "torch >= 2.6 refuses the Config that RecBole's checkpoints pickle",
        "RecBole passes weights_only=False itself",
        {"quick_start.quick_start:load_data_and_model": "stack:load_data_and_model"},
    ),
    *rows(
        "torch >= 2.6 refuses the Config that RecBole's checkpoints pickle",
        "RecBole passes weights_only=False itself",
        dict.fromkeys(
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
        kind="value",
    ),
    *rows(
        "SciPy 1.13 dropped dok_matrix._update, with which these models build their graphs",
        "these models build a COO matrix",
        dict.fromkeys(
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
        kind="value",
    ),
    *rows(
        "pandas and torch warn of calls that RecBole's users cannot change",
        "RecBole no longer makes these calls",
        {"data.dataset.dataset:Dataset._fill_nan": "stack:without_future_warnings"},
    ),
    *rows(
        "pandas and torch warn of calls that RecBole's users cannot change",
        "RecBole no longer makes these calls",
        {"trainer.trainer:amp": "stack:amp_for_recbole"},
        kind="value",
    ),
    *rows(
        "sets numpy.float and the like from names that NumPy 2 dropped",
        "Config.compatibility_settings is gone",
        {"config.configurator:Config.compatibility_settings": "stack:compatibility_settings"},
    ),
    *rows(
        "calls .cpu() on counts, so that every beyond-accuracy metric crashes",
        "RecBole tests for a tensor",
        {"evaluator.collector:Collector.get_data_struct": "recbole_edlae.integration.fixes.metrics:get_data_struct"},
    ),
    *rows(
        "NumPy 2 prints its metrics as np.float64(0.2372)",
        "Evaluator rounds to a float",
        {"evaluator.evaluator:Evaluator.evaluate": "stack:evaluate"},
    ),
)
