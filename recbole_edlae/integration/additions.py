"""The rows of what RecBole lacks: models, a user split, Liang's Recall, checkpoints that know their data.

The functions are in :mod:`~recbole_edlae.integration.models`, :mod:`~recbole_edlae.integration.checkpoints` and
:mod:`~recbole_edlae.integration.processes`.
"""

import functools

from recbole_edlae.integration import patch

rows = functools.partial(patch.rows, "recbole_edlae.integration.")

ROWS = (
    # Where RecBole looks up what belongs to a model.
    *rows(
        "finds models in RecBole's own folders only",
        "RecBole asks the model, or has these models",
        {"utils.utils:get_model": "models:get_model"},
    ),
    *rows(
        "finds trainers in RecBole's own module only",
        "RecBole asks the model, or has these models",
        {"utils.utils:get_trainer": "models:get_trainer"},
    ),
    *rows(
        "finds default settings in RecBole's own folder only",
        "RecBole asks the model, or has these models",
        {"config.configurator:Config._load_internal_config_dict": "models:load_internal_config_dict"},
    ),
    *rows(
        "checks neither types and ranges of a model's settings nor user splits",
        "RecBole asks the model, or has these models",
        {"config.configurator:Config._get_final_config_dict": "models:get_final_config_dict"},
    ),
    *rows(
        "chooses the loader of training by a list of RecBole's own models",
        "RecBole asks the model, or has these models",
        {"data.utils:get_dataloader": "models:get_dataloader"},
    ),
    *rows(
        "children, Ray's workers and loaders' workers import recbole only: unpickling these imports the package",
        "RecBole asks the model, or has these models",
        dict.fromkeys(
            (
                "quick_start.quick_start:run",
                "quick_start.quick_start:run_recbole",
                "quick_start.quick_start:run_recboles",
                "quick_start.quick_start:objective_function",
            ),
            "processes:stand_in",
        ),
        kind="value",
    ),
    *rows(
        "a loader does not take this package to its worker processes",
        "RecBole asks the model, or has these models",
        {"data.dataloader.abstract_dataloader:AbstractDataLoader.__init__": "fast.loaders:abstract_loader"},
    ),
    # A split of the users.
    *rows(
        "splits interactions only",
        "RecBole has a split by user",
        {"data.dataset.dataset:Dataset.build": "fixes.preparation:build"},
    ),
    *rows(
        "does not know the fold-in of held-out users",
        "RecBole has a split by user",
        {"data.utils:create_samplers": "fixes.preparation:create_samplers"},
    ),
    *rows(
        "trains on all users",
        "RecBole has a split by user",
        {"data.utils:get_dataloader": "models:get_dataloader"},
    ),
    *rows(
        "scores users from the matrix that it was trained on",
        "RecBole has a split by user",
        dict.fromkeys(
            (
                "model.general_recommender.admmslim:ADMMSLIM.__init__",
                "model.general_recommender.ease:EASE.__init__",
                "model.general_recommender.itemknn:ItemKNN.__init__",
                "model.general_recommender.slimelastic:SLIMElastic.__init__",
            ),
            "models:then_score_histories",
        ),
    ),
    # A metric.
    *rows(
        "has no Recall that divides by min(k, positives), as Liang et al. measure it",
        "RecBole has that metric",
        {
            "evaluator.register:metrics_dict[liangrecall]": "recbole_edlae.evaluation.liang:metric",
            "evaluator.register:metric_types[liangrecall]": "recbole_edlae.evaluation.liang:metric_type",
            "evaluator.register:metric_information[liangrecall]": "recbole_edlae.evaluation.liang:metric_information",
        },
        kind="value",
    ),
    # Checkpoints that know their data.
    *rows(
        "a model does not know which data it was built on",
        "RecBole stores and compares the tokens itself",
        dict.fromkeys(
            (
                "model.abstract_recommender:GeneralRecommender.__init__",
                "model.abstract_recommender:SequentialRecommender.__init__",
                "model.abstract_recommender:KnowledgeRecommender.__init__",
                "model.abstract_recommender:ContextRecommender.__init__",
            ),
            "checkpoints:then_note",
        ),
    ),
    *rows(
        "loads weights onto other data, where they belong to other items",
        "RecBole stores and compares the tokens itself",
        {"model.abstract_recommender:AbstractRecommender.load_state_dict": "checkpoints:load_state_dict"},
    ),
    *rows(
        "does not store the tokens, and leaves half a file where it is interrupted",
        "RecBole stores and compares the tokens itself",
        {"trainer.trainer:Trainer._save_checkpoint": "checkpoints:save_checkpoint"},
    ),
    *rows(
        "a refused checkpoint changes the trainer",
        "RecBole stores and compares the tokens itself",
        {"trainer.trainer:Trainer.resume_checkpoint": "checkpoints:resume_checkpoint"},
    ),
    *rows(
        "models of one second write into one checkpoint",
        "RecBole gives each trainer a file of its own",
        {
            "trainer.trainer:Trainer.__init__": "checkpoints:trainer_with_its_own_file",
            "trainer.trainer:DecisionTreeTrainer.__init__": "checkpoints:trainer_with_its_own_file",
        },
    ),
    *rows(
        "does not say that without checkpoints validation and test are of different epochs",
        "RecBole says so",
        dict.fromkeys(
            (
                "trainer.trainer:Trainer.fit",
                "trainer.trainer:NCLTrainer.fit",
                "trainer.trainer:DecisionTreeTrainer.fit",
            ),
            "checkpoints:fit",
        ),
    ),
)
