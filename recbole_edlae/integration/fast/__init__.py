"""RecBole's results to the last digit, in less time: the rows of the table."""

from typing import Any

ROOM = "recbole_edlae.integration.fast."  # of the functions

ROWS: tuple[dict[str, Any], ...] = (
    # Reading.
    {
        "why": "makes a text of every token of every row, and hashes each again in every step",
        "until": "RecBole reads tokens as categories",
        "functions": {
            "data.dataset.dataset:Dataset._remap_ID_all": "rows:remap_all",
            "data.dataset.dataset:Dataset._concat_remaped_tokens": "rows:concatenated_tokens",
        },
    },
    # Splitting.
    {
        "why": "makes Python lists of row numbers",
        "until": "RecBole picks rows by arrays",
        "functions": {
            "data.interaction:Interaction.__getitem__": "rows:getitem",
            "data.dataset.dataset:Dataset.split_by_ratio": "rows:split_by_ratio",
            "data.dataset.dataset:Dataset.leave_one_out": "rows:leave_one_out",
        },
    },
    # Samplers and loaders.
    {
        "why": "adds every interaction to the set of its user, once for each phase",
        "until": "RecBole groups interactions by arrays",
        "functions": {
            "sampler.sampler:Sampler.get_used_ids": "recbole_edlae.integration.fixes.preparation:get_used_ids",
            "sampler.sampler:RepeatableSampler.get_used_ids": "used_ids:no_items",
        },
    },
    {
        "why": "asks a set for each drawn number, and draws items one by one",
        "until": "RecBole draws by arrays",
        "functions": {
            "sampler.sampler:AbstractSampler.sample_by_key_ids": "drawing:sample_by_key_ids",
            "sampler.sampler:RepeatableSampler.sample_by_user_ids": (
                "recbole_edlae.integration.fixes.sampler:sample_for_chosen_items"
            ),
            "sampler.sampler:AbstractSampler._pop_sampling": "drawing:pop_sampling",
        },
    },
    {
        "why": "lists the numbers of all rows for PyTorch's loader",
        "until": "RecBole gives PyTorch a range",
        "functions": {
            "data.dataloader.abstract_dataloader:AbstractDataLoader.__init__": "loaders:abstract_loader"
        },
    },
    {
        "why": "walks through all interactions, and makes two tensors for every user before the training",
        "until": "RecBole finds each user's rows by arrays",
        "functions": {
            "data.dataloader.general_dataloader:FullSortEvalDataLoader.__init__": "loaders:full_sort_loader",
        },
    },
    # Evaluation.
    {
        "why": "builds a users x items matrix of integers; the same numbers are collected without it",
        "until": "RecBole collects hits without a matrix",
        "functions": {"trainer.trainer:Collector": "recbole_edlae.integration.fixes.ranking:collector"},
    },
    {
        "why": "EASE, ADMMSLIM, SLIMElastic and ItemKNN score one user at a time with the default eval_batch_size",
        "until": "RecBole chooses the size of a batch of full ranking",
        "functions": {
            "trainer.trainer:Trainer.evaluate": "recbole_edlae.integration.fixes.ranking:evaluate"
        },
    },
    # Short runs that are not mostly imports and waiting.
    {
        "why": "imports scikit-learn, which takes a second, for three functions of metrics that are seldom asked for",
        "until": "RecBole imports scikit-learn where it uses it",
        "kind": "import",
        "functions": {"evaluator.metrics:(import)": "startup:sklearn_stand_in"},
    },
    {
        "why": "sleeps for a second to measure the load of the CPU after the run; here it is that of the run",
        "until": "RecBole measures without sleeping",
        "functions": {"utils.utils:get_environment": "startup:get_environment"},
    },
)
