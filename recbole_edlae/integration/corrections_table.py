"""The rows that change numbers of RecBole's, each under a name of :data:`corrections.CORRECTIONS`."""

from recbole_edlae.integration.patch import Patch, rows

CORRECTED: tuple[Patch, ...] = (
    *rows(
        "its two engines read files differently, and some tokens as missing",
        "RecBole reads tokens as written",
        ("data.dataset.dataset", "Dataset._load_feat", "recbole_edlae.data.reading:load_feat"),
        correction="tokens",
    ),
    *rows(
        "keeps times in float32, in steps of 128 seconds",
        "RecBole keeps times in float64",
        ("data.dataset.dataset", "Dataset._normalize", "recbole_edlae.data.time_order:normalize"),
        (
            "data.dataset.dataset",
            "Dataset._dataframe_to_interaction",
            "recbole_edlae.data.time_order:dataframe_to_interaction",
        ),
        correction="time_order",
    ),
    *rows(
        "keeps times in float32: the times of the file go along",
        "RecBole keeps times in float64",
        ("data.interaction", "Interaction.__getitem__", "recbole_edlae.data.time_order:getitem"),
        ("data.interaction", "Interaction._reindex", "recbole_edlae.data.time_order:reindex"),
        correction="time_order",
    ),
    *rows(
        "sorts by rounded times",
        "RecBole keeps times in float64",
        ("data.interaction", "Interaction.sort", "recbole_edlae.data.time_order:sort_interaction"),
        correction="time_order",
    ),
    *rows(
        "sorts by rounded times, equal ones by the order of lines",
        "RecBole has a rule for equal times",
        ("data.dataset.dataset", "Dataset.sort", "recbole_edlae.data.time_order:sort_dataset"),
        correction="time_order",
    ),
    *rows(
        "applies what it found for sorted rows to unsorted ones",
        "RecBole sorts before it splits",
        ("data.dataset.dataset", "Dataset.time_based_split", "recbole_edlae.data.time_order:time_based_split"),
        correction="time_order",
    ),
    *rows(
        "the phases share one sampler and its settings",
        "RecBole draws candidates once for a seed",
        ("data.utils", "create_samplers", "recbole_edlae.data.candidates:create_samplers"),
        correction="candidates",
    ),
    *rows(
        "candidates follow from the random numbers of training and the order of lines, so that every model "
        "is tested on others",
        "RecBole draws candidates once for a seed",
        ("sampler.sampler", "Sampler._uni_sampling", "recbole_edlae.data.candidates:uni_sampling"),
        ("sampler.sampler", "Sampler._get_candidates_list", "recbole_edlae.data.candidates:get_candidates_list"),
        ("sampler.sampler", "RepeatableSampler._uni_sampling", "recbole_edlae.data.candidates:uni_sampling"),
        (
            "sampler.sampler",
            "RepeatableSampler._get_candidates_list",
            "recbole_edlae.data.candidates:get_candidates_list",
        ),
        correction="candidates",
    ),
    *rows(
        "candidates follow from the random numbers of training and the order of lines, so that every model "
        "is tested on others",
        "RecBole draws candidates once for a seed",
        (
            "data.dataloader.general_dataloader",
            "NegSampleEvalDataLoader._neg_sampling",
            "recbole_edlae.data.candidates:neg_sampling",
        ),
        correction="candidates",
    ),
    *rows(
        "equal scores are ordered by the order of the file's lines",
        "RecBole has a rule for equal scores",
        ("trainer.trainer", "Trainer.evaluate", "recbole_edlae.evaluation.ties:evaluate"),
        correction="ties",
    ),
    *rows(
        "Pop counts an item once a batch, and negative items too",
        "Pop counts the interactions of the training part",
        ("model.general_recommender.pop", "Pop.__init__", "recbole_edlae.integration.popularity:init"),
        ("model.general_recommender.pop", "Pop.calculate_loss", "recbole_edlae.integration.popularity:calculate_loss"),
        correction="popularity",
    ),
    *rows(
        "padding and masked items count as recommended, and padding as one of the catalog",
        "these metrics leave out padding and masked items",
        ("evaluator.metrics", "ItemCoverage.get_coverage", "recbole_edlae.evaluation.beyond_accuracy:get_coverage"),
        ("evaluator.metrics", "GiniIndex.get_gini", "recbole_edlae.evaluation.beyond_accuracy:get_gini"),
        (
            "evaluator.metrics",
            "AveragePopularity.calculate_metric",
            "recbole_edlae.evaluation.beyond_accuracy:average_popularity",
        ),
        (
            "evaluator.metrics",
            "TailPercentage.calculate_metric",
            "recbole_edlae.evaluation.beyond_accuracy:tail_percentage",
        ),
        correction="beyond_accuracy",
    ),
    *rows(
        "padding and masked items count as recommended, and the entropy is divided by the number of items",
        "the metric follows its formula",
        ("evaluator.metrics", "ShannonEntropy.get_entropy", "recbole_edlae.evaluation.beyond_accuracy:get_entropy"),
        correction="beyond_accuracy",
    ),
)
