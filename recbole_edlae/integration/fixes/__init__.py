"""What RecBole gets wrong: the rows of the table for this room.

Those with a ``correction`` change numbers, the others stop, warn or keep a file intact.
"""

from typing import Any

ROOM = "recbole_edlae.integration.fixes."  # of the functions

ROWS: tuple[dict[str, Any], ...] = (
    # Settings.
    {
        "why": "runs what files and arguments say: evaluates texts as Python, and reads YAML with Python's objects",
        "until": "RecBole reads literals only",
        "functions": {
            "config.configurator:Config._convert_config_dict": "reading:convert_config_dict",
            "trainer.hyper_tuning:HyperTuning._build_space_from_file": "reading:build_space_from_file",
            "model.context_aware_recommender.kd_dagfm:KD_DAGFM.__init__": "reading:check_teacher",
        },
    },
    {
        "why": "runs what files and arguments say: evaluates texts as Python, and reads YAML with Python's objects",
        "until": "RecBole reads literals only",
        "kind": "value",
        "functions": {
            "config.configurator:yaml": "recbole_edlae.integration.compat.stack:yaml_for_recbole"
        },
    },
    {
        "why": "ignores arguments whose value contains =",
        "until": "RecBole splits at the first =",
        "functions": {"config.configurator:Config._load_cmd_line": "reading:load_cmd_line"},
    },
    # Reading.
    {
        "why": "its two engines read files differently, and some tokens as missing",
        "until": "RecBole reads tokens as written",
        "correction": "tokens",
        "functions": {"data.dataset.dataset:Dataset._load_feat": "reading:load_feat"},
    },
    {
        "why": "leaves out interactions without a word",
        "until": "RecBole counts them",
        "functions": {
            "data.dataset.dataset:Dataset._filter_inter_by_user_or_item": "reading:filter_inter_by_user_or_item"
        },
    },
    {
        "why": "notices only after the training that the labels to measure on are missing",
        "until": "RecBole looks for them before it trains",
        "functions": {"quick_start.quick_start:create_dataset": "preparation:create_dataset"},
    },
    # Saved datasets and loaders that know their files.
    {
        "why": "a dataset does not know which files it was read from",
        "until": "RecBole stores and compares a hash of the files",
        "functions": {
            "data.dataset.dataset:Dataset._from_scratch": "recbole_edlae.integration.checkpoints:from_scratch"
        },
    },
    {
        "why": "loads saved data and loaders although the files have changed since",
        "until": "RecBole stores and compares a hash of the files",
        "functions": {
            "data.utils:create_dataset": "recbole_edlae.integration.checkpoints:create_dataset",
            "data.utils:load_split_dataloaders": "recbole_edlae.integration.checkpoints:load_split_dataloaders",
        },
    },
    {
        "why": "a run that saves its loaders draws other random numbers; `corrections: False` leaves it so",
        "until": "RecBole gives the loaders their generators back",
        "functions": {"data.utils:save_split_dataloaders": "saved:save_split_dataloaders"},
    },
    # Times and their order.
    {
        "why": "keeps times in float32, in steps of 128 seconds",
        "until": "RecBole keeps times in float64",
        "correction": "time_order",
        "functions": {
            "data.dataset.dataset:Dataset._normalize": "time_order:normalize",
            "data.dataset.dataset:Dataset._dataframe_to_interaction": "time_order:dataframe_to_interaction",
        },
    },
    {
        "why": "keeps times in float32: the times of the file go along",
        "until": "RecBole keeps times in float64",
        "correction": "time_order",
        "functions": {
            "data.interaction:Interaction.__getitem__": "recbole_edlae.integration.fast.rows:getitem",
            "data.interaction:Interaction._reindex": "time_order:reindex",
        },
    },
    {
        "why": "sorts by rounded times",
        "until": "RecBole keeps times in float64",
        "correction": "time_order",
        "functions": {"data.interaction:Interaction.sort": "time_order:sort_interaction"},
    },
    {
        "why": "sorts by rounded times, equal ones by the order of lines",
        "until": "RecBole has a rule for equal times",
        "correction": "time_order",
        "functions": {"data.dataset.dataset:Dataset.sort": "time_order:sort_dataset"},
    },
    {
        "why": "applies what it found for sorted rows to unsorted ones",
        "until": "RecBole sorts before it splits",
        "correction": "time_order",
        "functions": {"data.dataset.dataset:Dataset.time_based_split": "time_order:time_based_split"},
    },
    # What a split leaves.
    {
        "why": "does not say that a pair of user and item is in two parts",
        "until": "RecBole counts such pairs",
        "functions": {"data.dataset.dataset:Dataset.build": "preparation:build"},
    },
    {
        "why": "does not know the popularity in training in other parts, nor say how many users training does not know",
        "until": "RecBole counts them",
        "functions": {"data.dataset.dataset:Dataset.build": "preparation:build"},
    },
    {
        "why": "does not say that a part has no interactions",
        "until": "RecBole says so",
        "functions": {"data.utils:create_samplers": "preparation:create_samplers"},
    },
    {
        "why": "does not say before the training that topk exceeds the number of items",
        "until": "RecBole takes topk beyond the number of items",
        "functions": {"data.utils:create_samplers": "preparation:create_samplers"},
    },
    # Drawing.
    {
        "why": "refuses users with all items for models that draw nothing",
        "until": "RecBole looks for users with all items where it draws",
        "functions": {"sampler.sampler:Sampler.get_used_ids": "preparation:get_used_ids"},
    },
    {
        "why": "does not name the user who has all items",
        "until": "RecBole looks for users with all items where it draws",
        "functions": {
            "data.dataloader.general_dataloader:TrainDataLoader.__init__": "preparation:train_loader"
        },
    },
    {
        "why": "draws for a user who has all items, without end, where the model does not use what is drawn",
        "until": "RecBole looks for users with all items where it draws",
        "functions": {
            "data.dataloader.abstract_dataloader:NegSampleDataLoader._set_neg_sample_args": (
                "preparation:set_neg_sample_args"
            ),
        },
    },
    {
        "why": "draws without end where there is nothing to draw",
        "until": "RecBole looks for users with all items where it draws",
        "functions": {
            "sampler.sampler:Sampler.sample_by_user_ids": "sampler:sample_by_user_ids",
            "sampler.sampler:RepeatableSampler.sample_by_user_ids": "sampler:sample_for_chosen_items",
            "sampler.sampler:SeqSampler.sample_neg_sequence": "sampler:sample_neg_sequence",
            "data.transform:MaskItemSequence._neg_sample": "sampler:mask_negative",
        },
    },
    {
        "why": "draws without end for a user who has all items",
        "until": "RecBole looks for users with all items before it trains",
        "functions": {"quick_start.quick_start:data_preparation": "preparation:data_preparation"},
    },
    {
        "why": "does not say that candidates repeat for users who know nearly all items",
        "until": "RecBole draws candidates once for a seed",
        "functions": {
            "data.dataloader.general_dataloader:NegSampleEvalDataLoader.__init__": "candidates:eval_loader"
        },
    },
    {
        "why": "validation and test draw from one sampler",
        "until": "RecBole draws candidates once for a seed",
        "correction": "candidates",
        "functions": {"data.utils:create_samplers": "preparation:create_samplers"},
    },
    {
        "why": (
            "candidates follow from the random numbers of training and the order of lines, so that every model "
            "is tested on others"
        ),
        "until": "RecBole draws candidates once for a seed",
        "correction": "candidates",
        "functions": {
            "sampler.sampler:Sampler._uni_sampling": "candidates:uni_sampling",
            "sampler.sampler:Sampler._get_candidates_list": "candidates:get_candidates_list",
            "sampler.sampler:RepeatableSampler._uni_sampling": "candidates:uni_sampling",
            "sampler.sampler:RepeatableSampler._get_candidates_list": "candidates:get_candidates_list",
            "data.dataloader.general_dataloader:NegSampleEvalDataLoader._neg_sampling": "candidates:neg_sampling",
        },
    },
    # Models.
    {
        "why": "Pop counts an item once a batch, and negative items too",
        "until": "Pop counts the interactions of the training part",
        "correction": "popularity",
        "functions": {
            "model.general_recommender.pop:Pop.__init__": "popularity:init",
            "model.general_recommender.pop:Pop.calculate_loss": "popularity:calculate_loss",
        },
    },
    # Rankings and metrics.
    {
        "why": "equal scores are ordered by the order of the file's lines",
        "until": "RecBole has a rule for equal scores",
        "correction": "ties",
        "functions": {"trainer.trainer:Trainer.evaluate": "ranking:evaluate"},
    },
    {
        "why": "fails after the training where topk exceeds the number of items",
        "until": "RecBole takes topk beyond the number of items",
        "functions": {
            "trainer.trainer:Collector": "ranking:collector",
            "evaluator.metrics:AveragePopularity.topk_result": "metrics:topk_result",
            "evaluator.metrics:TailPercentage.topk_result": "metrics:topk_result",
        },
    },
    {
        "why": "a metric does not know the Config, which says what is corrected",
        "until": "the corrections of metrics are gone",
        "functions": {"evaluator.base_metric:AbstractMetric.__init__": "ranking:remember_config"},
    },
    {
        "why": "padding and masked items count as recommended, and padding as one of the catalog",
        "until": "these metrics leave out padding and masked items",
        "correction": "beyond_accuracy",
        "functions": {
            "evaluator.metrics:ItemCoverage.get_coverage": "metrics:get_coverage",
            "evaluator.metrics:GiniIndex.get_gini": "metrics:get_gini",
            "evaluator.metrics:AveragePopularity.calculate_metric": "metrics:average_popularity",
            "evaluator.metrics:TailPercentage.calculate_metric": "metrics:tail_percentage",
        },
    },
    {
        "why": "padding and masked items count as recommended, and the entropy is divided by the number of items",
        "until": "the metric follows its formula",
        "correction": "beyond_accuracy",
        "functions": {"evaluator.metrics:ShannonEntropy.get_entropy": "metrics:get_entropy"},
    },
    {
        "why": "fails for users without items in the test part",
        "until": "FullSortEvalDataLoader notes the history of every user",
        "functions": {"utils.case_study:full_sort_scores": "case_study:full_sort_scores"},
    },
)
