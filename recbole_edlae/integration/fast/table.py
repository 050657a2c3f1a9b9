"""The rows of this room. The setting ``vectorized_data: False`` calls RecBole's own functions instead."""

import functools

from recbole_edlae.integration import patch

rows = functools.partial(patch.rows, "recbole_edlae.integration.fast.")

ROWS = (
    # Reading.
    *rows(
        "makes a text of every token of every row, and hashes each again in every step",
        "RecBole reads tokens as categories",
        {
            "data.dataset.dataset:Dataset._load_inter_feat": "categories:load_inter_feat",
            "data.dataset.dataset:Dataset._remap_ID_all": "categories:remap_all",
            "data.dataset.dataset:Dataset._remap": "categories:remap",
        },
    ),
    *rows(
        "counts the interactions of users and items in Python, row by row",
        "RecBole counts with arrays",
        {"data.dataset.dataset:Dataset._filter_by_inter_num": "filtering:filter_by_inter_num"},
    ),
    *rows(
        "counts the interactions of users and items in Python, row by row",
        "RecBole counts with arrays",
        {
            "data.dataset.dataset:Dataset.avg_actions_of_users": "filtering:average_of_users",
            "data.dataset.dataset:Dataset.avg_actions_of_items": "filtering:average_of_items",
        },
        kind="value",
    ),
    # Splitting.
    *rows(
        "makes Python lists of row numbers",
        "RecBole picks rows by arrays",
        {
            "data.interaction:Interaction.__getitem__": "recbole_edlae.integration.fixes.time_order:getitem",
            "data.interaction:Interaction._reindex": "recbole_edlae.integration.fixes.time_order:reindex",
            "data.dataset.dataset:Dataset.split_by_ratio": "rows:split_by_ratio",
            "data.dataset.dataset:Dataset.leave_one_out": "rows:leave_one_out",
            "data.dataset.dataset:Dataset.time_based_split": (
                "recbole_edlae.integration.fixes.time_order:time_based_split"
            ),
        },
    ),
    # Samplers and loaders.
    *rows(
        "adds every interaction to the set of its user, once for each phase",
        "RecBole groups interactions by arrays",
        {
            "sampler.sampler:Sampler.get_used_ids": "recbole_edlae.integration.fixes.sampler:get_used_ids",
            "sampler.sampler:KGSampler.get_used_ids": "used_ids:used_tails",
            "sampler.sampler:RepeatableSampler.get_used_ids": "used_ids:no_items",
        },
    ),
    *rows(
        "asks a set for each drawn number, and counts and draws items one by one",
        "RecBole draws by arrays",
        {
            "sampler.sampler:AbstractSampler.sample_by_key_ids": "drawing:sample_by_key_ids",
            "sampler.sampler:RepeatableSampler.sample_by_user_ids": (
                "recbole_edlae.integration.fixes.sampler:sample_for_chosen_items"
            ),
            "sampler.sampler:AbstractSampler._build_alias_table": "drawing:build_alias_table",
            "sampler.sampler:AbstractSampler._pop_sampling": "drawing:pop_sampling",
        },
    ),
    *rows(
        "lists the numbers of all rows for PyTorch's loader",
        "RecBole gives PyTorch a range",
        {"data.dataloader.abstract_dataloader:AbstractDataLoader.__init__": "loaders:abstract_loader"},
    ),
    *rows(
        "walks through all interactions, and makes two tensors for every user before the training",
        "RecBole finds each user's rows by arrays",
        {
            "data.dataloader.general_dataloader:FullSortEvalDataLoader.__init__": "loaders:full_sort_loader",
            "data.dataloader.general_dataloader:NegSampleEvalDataLoader.__init__": (
                "recbole_edlae.integration.fixes.candidates:eval_loader"
            ),
        },
    ),
    # Evaluation.
    *rows(
        "builds a users x items matrix of integers; the same numbers are collected without it",
        "RecBole collects hits without a matrix",
        {"trainer.trainer:Collector": "recbole_edlae.integration.fixes.ranking:collector"},
    ),
    *rows(
        "EASE, ADMMSLIM, SLIMElastic and ItemKNN score one user at a time with the default eval_batch_size",
        "RecBole chooses the size of a batch of full ranking",
        {"trainer.trainer:Trainer.evaluate": "recbole_edlae.integration.fixes.ranking:evaluate"},
    ),
    # Short runs that are not mostly imports and waiting.
    *rows(
        "imports scikit-learn, which takes a second, for three functions of metrics that are seldom asked for",
        "RecBole imports scikit-learn where it uses it",
        {"evaluator.metrics:(import)": "startup:sklearn_stand_in"},
        kind="import",
    ),
    *rows(
        "sleeps for a second to measure the load of the CPU after the run; here it is that of the run",
        "RecBole measures without sleeping",
        {"utils.utils:get_environment": "startup:get_environment"},
    ),
    *rows(
        "imports a counter of operations and copies the model, where there is nothing to count",
        "RecBole counts on request only",
        {"utils.utils:get_flops": "startup:get_flops"},
    ),
)
