"""Everything that touches RecBole or another package from outside, and nothing else.

The rooms :mod:`~recbole_edlae.integration.compat`, :mod:`~recbole_edlae.integration.fixes` and
:mod:`~recbole_edlae.integration.fast` each begin with their rows of the table of patches. The rows here are of what
RecBole lacks: models, a user split, Liang's Recall, checkpoints that know their data. Most of their functions are
in :mod:`~recbole_edlae.integration.models` and :mod:`~recbole_edlae.integration.checkpoints`; an attribute that a room
changes too has its function there.
"""

from typing import Any

ROOM = "recbole_edlae.integration."  # of the functions

ROWS: tuple[dict[str, Any], ...] = (
    # Where RecBole looks up what belongs to a model.
    {
        "why": "finds models in RecBole's own folders only",
        "until": "RecBole asks the model, or has these models",
        "functions": {"utils.utils:get_model": "models:get_model"},
    },
    {
        "why": "finds trainers in RecBole's own module only",
        "until": "RecBole asks the model, or has these models",
        "functions": {"utils.utils:get_trainer": "models:get_trainer"},
    },
    {
        "why": "every trainer writes a folder for TensorBoard, also where a command trains many",
        "until": "RecBole has a setting for it",
        "functions": {"trainer.trainer:get_tensorboard": "models:get_tensorboard"},
    },
    {
        "why": "finds default settings in RecBole's own folder only",
        "until": "RecBole asks the model, or has these models",
        "functions": {
            "config.configurator:Config._load_internal_config_dict": "models:load_internal_config_dict"
        },
    },
    {
        "why": "checks neither types and ranges of a model's settings nor user splits",
        "until": "RecBole asks the model, or has these models",
        "functions": {"config.configurator:Config._get_final_config_dict": "models:get_final_config_dict"},
    },
    {
        "why": "chooses the loader of training by a list of RecBole's own models",
        "until": "RecBole asks the model, or has these models",
        "functions": {"data.utils:get_dataloader": "models:get_dataloader"},
    },
    {
        "why": "children, Ray's workers and loaders' workers import recbole only: unpickling these imports the package",
        "until": "RecBole asks the model, or has these models",
        "kind": "value",
        "functions": dict.fromkeys(
            (
                "quick_start.quick_start:run",
                "quick_start.quick_start:run_recbole",
                "quick_start.quick_start:run_recboles",
                "quick_start.quick_start:objective_function",
            ),
            "models:stand_in",
        ),
    },
    {
        "why": "a loader does not take this package to its worker processes",
        "until": "RecBole asks the model, or has these models",
        "functions": {
            "data.dataloader.abstract_dataloader:AbstractDataLoader.__init__": "fast.loaders:abstract_loader"
        },
    },
    # A split of the users.
    {
        "why": "splits interactions only",
        "until": "RecBole has a split by user",
        "functions": {"data.dataset.dataset:Dataset.build": "fixes.preparation:build"},
    },
    {
        "why": "does not know the fold-in of held-out users",
        "until": "RecBole has a split by user",
        "functions": {"data.utils:create_samplers": "fixes.preparation:create_samplers"},
    },
    {
        "why": "trains on all users",
        "until": "RecBole has a split by user",
        "functions": {"data.utils:get_dataloader": "models:get_dataloader"},
    },
    {
        "why": "scores users from the matrix that it was trained on",
        "until": "RecBole has a split by user",
        "functions": dict.fromkeys(
            (
                "model.general_recommender.admmslim:ADMMSLIM.__init__",
                "model.general_recommender.ease:EASE.__init__",
                "model.general_recommender.itemknn:ItemKNN.__init__",
                "model.general_recommender.slimelastic:SLIMElastic.__init__",
            ),
            "models:then_score_histories",
        ),
    },
    # A metric.
    {
        "why": "has no Recall that divides by min(k, positives), as Liang et al. measure it",
        "until": "RecBole has that metric",
        "kind": "object",
        "functions": {
            "evaluator.register:metrics_dict[liangrecall]": "recbole_edlae.evaluation.liang:LiangRecall",
            "evaluator.register:metric_types[liangrecall]": "recbole_edlae.evaluation.liang:LiangRecall.metric_type",
            "evaluator.register:metric_information[liangrecall]": (
                "recbole_edlae.evaluation.liang:LiangRecall.metric_need"
            ),
        },
    },
    # Checkpoints that know their data.
    {
        "why": "a model does not know which data it was built on",
        "until": "RecBole stores and compares the tokens itself",
        "functions": dict.fromkeys(
            (
                "model.abstract_recommender:GeneralRecommender.__init__",
                "model.abstract_recommender:SequentialRecommender.__init__",
                "model.abstract_recommender:KnowledgeRecommender.__init__",
                "model.abstract_recommender:ContextRecommender.__init__",
            ),
            "checkpoints:then_note",
        ),
    },
    {
        "why": "loads weights onto other data, where they belong to other items",
        "until": "RecBole stores and compares the tokens itself",
        "functions": {
            "model.abstract_recommender:AbstractRecommender.load_state_dict": "checkpoints:load_state_dict"
        },
    },
    {
        "why": "does not store the tokens, and leaves half a file where it is interrupted",
        "until": "RecBole stores and compares the tokens itself",
        "functions": {"trainer.trainer:Trainer._save_checkpoint": "checkpoints:save_checkpoint"},
    },
    {
        "why": "a refused checkpoint changes the trainer",
        "until": "RecBole stores and compares the tokens itself",
        "functions": {"trainer.trainer:Trainer.resume_checkpoint": "checkpoints:resume_checkpoint"},
    },
    {
        "why": "models of one second write into one checkpoint",
        "until": "RecBole gives each trainer a file of its own",
        "functions": {
            "trainer.trainer:Trainer.__init__": "checkpoints:trainer_with_its_own_file",
            "trainer.trainer:DecisionTreeTrainer.__init__": "checkpoints:trainer_with_its_own_file",
        },
    },
    {
        "why": "does not say that without checkpoints validation and test are of different epochs",
        "until": "RecBole says so",
        "functions": dict.fromkeys(
            (
                "trainer.trainer:Trainer.fit",
                "trainer.trainer:NCLTrainer.fit",
                "trainer.trainer:DecisionTreeTrainer.fit",
            ),
            "checkpoints:fit",
        ),
    },
)
