"""The rows of this room. Those with a ``correction`` change numbers, the others stop, warn or keep a file intact."""

import functools

from recbole_edlae.integration import patch

rows = functools.partial(patch.rows, "recbole_edlae.integration.fixes.")

ROWS = (
    # Settings.
    *rows(
        "runs what stands in files and arguments: it evaluates texts as Python, and reads YAML with Python's objects",
        "RecBole reads literals only",
        {
            "config.configurator:Config._convert_config_dict": "literals:convert_config_dict",
            "trainer.hyper_tuning:HyperTuning._build_space_from_file": "literals:build_space_from_file",
            "model.context_aware_recommender.kd_dagfm:KD_DAGFM.__init__": "literals:check_teacher",
        },
    ),
    *rows(
        "runs what stands in files and arguments: it evaluates texts as Python, and reads YAML with Python's objects",
        "RecBole reads literals only",
        {"config.configurator:yaml": "recbole_edlae.integration.compat.stack:yaml_for_recbole"},
        kind="value",
    ),
    *rows(
        "passes over values with = in them",
        "RecBole splits at the first =",
        {"config.configurator:Config._load_cmd_line": "literals:load_cmd_line"},
    ),
    # Reading.
    *rows(
        "its two engines read files differently, and some tokens as missing",
        "RecBole reads tokens as written",
        {"data.dataset.dataset:Dataset._load_feat": "reading:load_feat"},
        correction="tokens",
    ),
    *rows(
        "leaves out interactions without a word",
        "RecBole counts them",
        {"data.dataset.dataset:Dataset._filter_inter_by_user_or_item": "reading:filter_inter_by_user_or_item"},
    ),
    *rows(
        "misses the labels to measure on after the training",
        "RecBole looks for them before it trains",
        {"quick_start.quick_start:create_dataset": "preparation:create_dataset"},
    ),
    # Saved datasets and loaders that know their files.
    *rows(
        "a dataset does not know which files it was read from",
        "RecBole stores and compares a hash of the files",
        {"data.dataset.dataset:Dataset._from_scratch": "saved:from_scratch"},
    ),
    *rows(
        "loads saved data and loaders although the files have changed since",
        "RecBole stores and compares a hash of the files",
        {
            "data.utils:create_dataset": "saved:create_dataset",
            "data.utils:load_split_dataloaders": "saved:load_split_dataloaders",
        },
    ),
    *rows(
        "a run that saves its loaders draws other random numbers",
        "RecBole gives the loaders their generators back",
        {"data.utils:save_split_dataloaders": "saved:save_split_dataloaders"},
    ),
    # Times and their order.
    *rows(
        "keeps times in float32, in steps of 128 seconds",
        "RecBole keeps times in float64",
        {
            "data.dataset.dataset:Dataset._normalize": "time_order:normalize",
            "data.dataset.dataset:Dataset._dataframe_to_interaction": "time_order:dataframe_to_interaction",
        },
        correction="time_order",
    ),
    *rows(
        "keeps times in float32: the times of the file go along",
        "RecBole keeps times in float64",
        {
            "data.interaction:Interaction.__getitem__": "time_order:getitem",
            "data.interaction:Interaction._reindex": "time_order:reindex",
        },
        correction="time_order",
    ),
    *rows(
        "sorts by rounded times",
        "RecBole keeps times in float64",
        {"data.interaction:Interaction.sort": "time_order:sort_interaction"},
        correction="time_order",
    ),
    *rows(
        "sorts by rounded times, equal ones by the order of lines",
        "RecBole has a rule for equal times",
        {"data.dataset.dataset:Dataset.sort": "time_order:sort_dataset"},
        correction="time_order",
    ),
    *rows(
        "applies what it found for sorted rows to unsorted ones",
        "RecBole sorts before it splits",
        {"data.dataset.dataset:Dataset.time_based_split": "time_order:time_based_split"},
        correction="time_order",
    ),
    # What a split leaves.
    *rows(
        "does not say that a pair of user and item is in two parts",
        "RecBole counts such pairs",
        {"data.dataset.dataset:Dataset.build": "preparation:build"},
    ),
    *rows(
        "does not know the popularity in training in the other parts, nor say how many users training does not know",
        "RecBole counts them",
        {"data.dataset.dataset:Dataset.build": "preparation:build"},
    ),
    *rows(
        "does not say that a part has no interactions",
        "RecBole says so",
        {"data.utils:create_samplers": "preparation:create_samplers"},
    ),
    *rows(
        "does not say before the training that topk exceeds the number of items",
        "RecBole takes topk beyond the number of items",
        {"data.utils:create_samplers": "preparation:create_samplers"},
    ),
    # Drawing.
    *rows(
        "refuses users with all items for models that draw nothing",
        "RecBole looks for users with all items where it draws",
        {"sampler.sampler:Sampler.get_used_ids": "sampler:get_used_ids"},
    ),
    *rows(
        "does not name the user who has all items",
        "RecBole looks for users with all items where it draws",
        {"data.dataloader.general_dataloader:TrainDataLoader.__init__": "sampler:train_loader"},
    ),
    *rows(
        "draws negatives for models that do not use them",
        "RecBole looks for users with all items where it draws",
        {"data.dataloader.abstract_dataloader:NegSampleDataLoader._set_neg_sample_args": "sampler:set_neg_sample_args"},
    ),
    *rows(
        "draws without end where there is nothing to draw",
        "RecBole looks for users with all items where it draws",
        {
            "sampler.sampler:Sampler.sample_by_user_ids": "sampler:sample_by_user_ids",
            "sampler.sampler:RepeatableSampler.sample_by_user_ids": "sampler:sample_for_chosen_items",
            "sampler.sampler:SeqSampler.sample_neg_sequence": "sampler:sample_neg_sequence",
            "data.transform:MaskItemSequence._neg_sample": "sampler:mask_negative",
        },
    ),
    *rows(
        "draws without end for a user who has all items",
        "RecBole looks for users with all items before it trains",
        {"quick_start.quick_start:data_preparation": "preparation:data_preparation"},
    ),
    *rows(
        "does not say that candidates repeat for users who know nearly all items",
        "RecBole draws candidates once for a seed",
        {"data.dataloader.general_dataloader:NegSampleEvalDataLoader.__init__": "candidates:eval_loader"},
    ),
    *rows(
        "the phases share one sampler and its settings",
        "RecBole draws candidates once for a seed",
        {"data.utils:create_samplers": "preparation:create_samplers"},
        correction="candidates",
    ),
    *rows(
        "candidates follow from the random numbers of training and the order of lines, so that every model "
        "is tested on others",
        "RecBole draws candidates once for a seed",
        {
            "sampler.sampler:Sampler._uni_sampling": "candidates:uni_sampling",
            "sampler.sampler:Sampler._get_candidates_list": "candidates:get_candidates_list",
            "sampler.sampler:RepeatableSampler._uni_sampling": "candidates:uni_sampling",
            "sampler.sampler:RepeatableSampler._get_candidates_list": "candidates:get_candidates_list",
            "data.dataloader.general_dataloader:NegSampleEvalDataLoader._neg_sampling": "candidates:neg_sampling",
        },
        correction="candidates",
    ),
    # Models.
    *rows(
        "Pop counts an item once a batch, and negative items too",
        "Pop counts the interactions of the training part",
        {
            "model.general_recommender.pop:Pop.__init__": "popularity:init",
            "model.general_recommender.pop:Pop.calculate_loss": "popularity:calculate_loss",
        },
        correction="popularity",
    ),
    # Rankings and metrics.
    *rows(
        "equal scores are ordered by the order of the file's lines",
        "RecBole has a rule for equal scores",
        {"trainer.trainer:Trainer.evaluate": "ranking:evaluate"},
        correction="ties",
    ),
    *rows(
        "fails after the training where topk exceeds the number of items",
        "RecBole takes topk beyond the number of items",
        {
            "evaluator.collector:Collector.eval_batch_collect": "metrics:eval_batch_collect",
            "evaluator.collector:Collector.get_data_struct": "metrics:get_data_struct",
            "evaluator.metrics:AveragePopularity.topk_result": "metrics:topk_result",
            "evaluator.metrics:TailPercentage.topk_result": "metrics:topk_result",
        },
    ),
    *rows(
        "a metric does not know the Config, which says what is corrected",
        "the corrections of metrics are gone",
        {"evaluator.base_metric:AbstractMetric.__init__": "metrics:remember_config"},
    ),
    *rows(
        "padding and masked items count as recommended, and padding as one of the catalog",
        "these metrics leave out padding and masked items",
        {
            "evaluator.metrics:ItemCoverage.get_coverage": "metrics:get_coverage",
            "evaluator.metrics:GiniIndex.get_gini": "metrics:get_gini",
            "evaluator.metrics:AveragePopularity.calculate_metric": "metrics:average_popularity",
            "evaluator.metrics:TailPercentage.calculate_metric": "metrics:tail_percentage",
        },
        correction="beyond_accuracy",
    ),
    *rows(
        "padding and masked items count as recommended, and the entropy is divided by the number of items",
        "the metric follows its formula",
        {"evaluator.metrics:ShannonEntropy.get_entropy": "metrics:get_entropy"},
        correction="beyond_accuracy",
    ),
    *rows(
        "fails for users without items in the test part",
        "FullSortEvalDataLoader notes the history of every user",
        {"utils.case_study:full_sort_scores": "case_study:full_sort_scores"},
    ),
)
