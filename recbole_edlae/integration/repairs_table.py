"""The rows without which RecBole does not run, does not know our models, or runs slower with the same digits."""

from recbole_edlae.integration.patch import Patch, rows

REPAIRS: tuple[Patch, ...] = (
    # RecBole on today's NumPy, SciPy, pandas, torch and ray. Nothing here changes a result.
    *rows(
        "pandas 3 makes RecBole's fillna(inplace=True) a silent no-op",
        "RecBole assigns what fillna returns",
        ("data.dataset.dataset", "(import)", "recbole_edlae.integration.stack:refuse_pandas_3"),
        kind="import",
    ),
    *rows(
        "imports ray, which is missing or fails on new NumPy and setuptools, and which runs outside Ray Tune "
        "do not need",
        "RecBole imports ray where it uses it",
        ("quick_start.quick_start", "(import)", "recbole_edlae.integration.stack:ray_stand_in"),
        kind="import",
    ),
    *rows(
        "ray >= 2.7 takes one dict and refuses outside a Tune session",
        "RecBole calls ray.tune.report(metrics) inside sessions only",
        ("quick_start.quick_start", "tune", "recbole_edlae.integration.stack:tune"),
        kind="value",
    ),
    *rows(
        "torch >= 2.6 refuses the Config that RecBole's checkpoints pickle",
        "RecBole passes weights_only=False itself",
        ("quick_start.quick_start", "load_data_and_model", "recbole_edlae.integration.stack:load_data_and_model"),
    ),
    *rows(
        "torch >= 2.6 refuses the Config that RecBole's checkpoints pickle",
        "RecBole passes weights_only=False itself",
        ("trainer.trainer", "torch", "recbole_edlae.integration.stack:torch_for_recbole"),
        ("model.general_recommender.convncf", "torch", "recbole_edlae.integration.stack:torch_for_recbole"),
        ("model.general_recommender.nais", "torch", "recbole_edlae.integration.stack:torch_for_recbole"),
        ("model.general_recommender.neumf", "torch", "recbole_edlae.integration.stack:torch_for_recbole"),
        ("model.general_recommender.ract", "torch", "recbole_edlae.integration.stack:torch_for_recbole"),
        ("model.context_aware_recommender.kd_dagfm", "torch", "recbole_edlae.integration.stack:torch_for_recbole"),
        ("model.sequential_recommender.s3rec", "torch", "recbole_edlae.integration.stack:torch_for_recbole"),
        kind="value",
    ),
    *rows(
        "SciPy 1.13 dropped dok_matrix._update, with which these models build their graphs",
        "these models build a COO matrix",
        ("model.general_recommender.gcmc", "sp", "recbole_edlae.integration.stack:sparse_for_recbole"),
        ("model.general_recommender.lightgcn", "sp", "recbole_edlae.integration.stack:sparse_for_recbole"),
        ("model.general_recommender.ncl", "sp", "recbole_edlae.integration.stack:sparse_for_recbole"),
        ("model.general_recommender.ngcf", "sp", "recbole_edlae.integration.stack:sparse_for_recbole"),
        ("model.general_recommender.spectralcf", "sp", "recbole_edlae.integration.stack:sparse_for_recbole"),
        ("model.knowledge_aware_recommender.kgin", "sp", "recbole_edlae.integration.stack:sparse_for_recbole"),
        ("model.knowledge_aware_recommender.mcclk", "sp", "recbole_edlae.integration.stack:sparse_for_recbole"),
        kind="value",
    ),
    *rows(
        "pandas and torch warn of calls that RecBole's users cannot change",
        "RecBole no longer makes these calls",
        ("data.dataset.dataset", "Dataset._fill_nan", "recbole_edlae.integration.stack:without_future_warnings"),
    ),
    *rows(
        "pandas and torch warn of calls that RecBole's users cannot change",
        "RecBole no longer makes these calls",
        ("trainer.trainer", "amp", "recbole_edlae.integration.stack:amp_for_recbole"),
        kind="value",
    ),
    *rows(
        "sets numpy.float and the like from names that NumPy 2 dropped",
        "Config.compatibility_settings is gone",
        (
            "config.configurator",
            "Config.compatibility_settings",
            "recbole_edlae.integration.stack:compatibility_settings",
        ),
    ),
    *rows(
        "calls .cpu() on counts, so that every beyond-accuracy metric crashes",
        "RecBole tests for a tensor",
        ("evaluator.collector", "Collector.get_data_struct", "recbole_edlae.integration.stack:get_data_struct"),
    ),
    *rows(
        "NumPy 2 prints its metrics as np.float64(0.2372)",
        "Evaluator rounds to a float",
        ("evaluator.evaluator", "Evaluator.evaluate", "recbole_edlae.integration.stack:evaluate"),
    ),
    # Where RecBole looks up what belongs to a model.
    *rows(
        "finds models in RecBole's own folders only",
        "RecBole asks the model, or has these models",
        ("utils.utils", "get_model", "recbole_edlae.integration.models:get_model"),
    ),
    *rows(
        "finds trainers in RecBole's own module only",
        "RecBole asks the model, or has these models",
        ("utils.utils", "get_trainer", "recbole_edlae.integration.models:get_trainer"),
    ),
    *rows(
        "finds default settings in RecBole's own folder only",
        "RecBole asks the model, or has these models",
        (
            "config.configurator",
            "Config._load_internal_config_dict",
            "recbole_edlae.integration.models:load_internal_config_dict",
        ),
    ),
    *rows(
        "checks neither types and ranges of a model's settings nor user splits",
        "RecBole asks the model, or has these models",
        (
            "config.configurator",
            "Config._get_final_config_dict",
            "recbole_edlae.integration.models:get_final_config_dict",
        ),
    ),
    *rows(
        "chooses the loader of training by a list of RecBole's own models",
        "RecBole asks the model, or has these models",
        ("data.utils", "get_dataloader", "recbole_edlae.integration.models:get_dataloader"),
    ),
    *rows(
        "builds a users x items matrix of integers; the same numbers are collected without it",
        "RecBole collects hits without a matrix",
        ("trainer.trainer", "Collector", "recbole_edlae.integration.models:collector"),
    ),
    *rows(
        "children, Ray's workers and loaders' workers import recbole only: unpickling these imports the package",
        "RecBole asks the model, or has these models",
        ("quick_start.quick_start", "run", "recbole_edlae.integration.processes:stand_in"),
        ("quick_start.quick_start", "run_recbole", "recbole_edlae.integration.processes:stand_in"),
        ("quick_start.quick_start", "run_recboles", "recbole_edlae.integration.processes:stand_in"),
        ("quick_start.quick_start", "objective_function", "recbole_edlae.integration.processes:stand_in"),
        kind="value",
    ),
    # A split of the users.
    *rows(
        "splits interactions only",
        "RecBole has a split by user",
        ("data.dataset.dataset", "Dataset.build", "recbole_edlae.data.user_split:build"),
    ),
    *rows(
        "does not know the fold-in of held-out users",
        "RecBole has a split by user",
        ("data.utils", "create_samplers", "recbole_edlae.data.user_split:create_samplers"),
    ),
    *rows(
        "trains on all users",
        "RecBole has a split by user",
        ("data.utils", "get_dataloader", "recbole_edlae.data.user_split:get_dataloader"),
    ),
    *rows(
        "scores users from the matrix that it was trained on",
        "RecBole has a split by user",
        (
            "model.general_recommender.admmslim",
            "ADMMSLIM.__init__",
            "recbole_edlae.data.user_split:then_score_histories",
        ),
        ("model.general_recommender.ease", "EASE.__init__", "recbole_edlae.data.user_split:then_score_histories"),
        ("model.general_recommender.itemknn", "ItemKNN.__init__", "recbole_edlae.data.user_split:then_score_histories"),
        (
            "model.general_recommender.slimelastic",
            "SLIMElastic.__init__",
            "recbole_edlae.data.user_split:then_score_histories",
        ),
    ),
    # Splitting, samplers, loaders: RecBole's loops over rows, with the same results. The setting vectorized_data: False
    # calls RecBole's own functions.
    *rows(
        "makes Python lists of row numbers",
        "RecBole picks rows by arrays",
        ("data.interaction", "Interaction.__getitem__", "recbole_edlae.data.indexing:getitem"),
        ("data.interaction", "Interaction._reindex", "recbole_edlae.data.indexing:reindex"),
        ("data.dataset.dataset", "Dataset.split_by_ratio", "recbole_edlae.data.splits:split_by_ratio"),
        ("data.dataset.dataset", "Dataset.leave_one_out", "recbole_edlae.data.splits:leave_one_out"),
        ("data.dataset.dataset", "Dataset.time_based_split", "recbole_edlae.data.splits:time_based_split"),
    ),
    *rows(
        "adds every interaction to the set of its user, once for each phase",
        "RecBole groups interactions by arrays",
        ("sampler.sampler", "Sampler.get_used_ids", "recbole_edlae.data.used_ids:used_items"),
        ("sampler.sampler", "KGSampler.get_used_ids", "recbole_edlae.data.used_ids:used_tails"),
        ("sampler.sampler", "RepeatableSampler.get_used_ids", "recbole_edlae.data.used_ids:no_items"),
    ),
    *rows(
        "asks a set for each drawn number, and counts and draws items one by one",
        "RecBole draws by arrays",
        ("sampler.sampler", "AbstractSampler.sample_by_key_ids", "recbole_edlae.data.drawing:sample_by_key_ids"),
        (
            "sampler.sampler",
            "RepeatableSampler.sample_by_user_ids",
            "recbole_edlae.data.drawing:sample_for_chosen_items",
        ),
        ("sampler.sampler", "AbstractSampler._build_alias_table", "recbole_edlae.data.drawing:build_alias_table"),
        ("sampler.sampler", "AbstractSampler._pop_sampling", "recbole_edlae.data.drawing:pop_sampling"),
    ),
    *rows(
        "lists the numbers of all rows for PyTorch's loader",
        "RecBole gives PyTorch a range",
        (
            "data.dataloader.abstract_dataloader",
            "AbstractDataLoader.__init__",
            "recbole_edlae.data.positions:init",
        ),
    ),
    *rows(
        "a loader does not take this package to its worker processes",
        "RecBole asks the model, or has these models",
        (
            "data.dataloader.abstract_dataloader",
            "AbstractDataLoader.__init__",
            "recbole_edlae.integration.processes:then_mark",
        ),
    ),
    *rows(
        "walks through all interactions, and makes two tensors for every user before the training",
        "RecBole finds each user's rows by arrays",
        (
            "data.dataloader.general_dataloader",
            "FullSortEvalDataLoader.__init__",
            "recbole_edlae.data.full_sort:init",
        ),
        (
            "data.dataloader.general_dataloader",
            "NegSampleEvalDataLoader.__init__",
            "recbole_edlae.data.sampled_eval:init",
        ),
    ),
    # What RecBole reads, splits and samples wrongly.
    *rows(
        "runs what stands in files and arguments: it evaluates texts as Python, and reads YAML with Python's objects",
        "RecBole reads literals only",
        ("config.configurator", "Config._convert_config_dict", "recbole_edlae.settings.files:convert_config_dict"),
        (
            "trainer.hyper_tuning",
            "HyperTuning._build_space_from_file",
            "recbole_edlae.settings.files:build_space_from_file",
        ),
        (
            "model.context_aware_recommender.kd_dagfm",
            "KD_DAGFM.__init__",
            "recbole_edlae.settings.files:check_teacher",
        ),
    ),
    *rows(
        "runs what stands in files and arguments: it evaluates texts as Python, and reads YAML with Python's objects",
        "RecBole reads literals only",
        ("config.configurator", "yaml", "recbole_edlae.integration.stack:yaml_for_recbole"),
        kind="value",
    ),
    *rows(
        "passes over values with = in them",
        "RecBole splits at the first =",
        ("config.configurator", "Config._load_cmd_line", "recbole_edlae.settings.files:load_cmd_line"),
    ),
    *rows(
        "leaves out interactions without a word",
        "RecBole counts them",
        (
            "data.dataset.dataset",
            "Dataset._filter_inter_by_user_or_item",
            "recbole_edlae.data.reading:filter_inter_by_user_or_item",
        ),
    ),
    *rows(
        "does not say that a pair of user and item is in two parts",
        "RecBole counts such pairs",
        ("data.dataset.dataset", "Dataset.build", "recbole_edlae.data.repeats:build"),
    ),
    *rows(
        "does not know the popularity in training in the other parts, nor say how many users training does not know",
        "RecBole counts them",
        ("data.dataset.dataset", "Dataset.build", "recbole_edlae.data.training_counts:build"),
    ),
    *rows(
        "does not say that a part has no interactions",
        "RecBole says so",
        ("data.utils", "create_samplers", "recbole_edlae.data.parts:create_samplers"),
    ),
    *rows(
        "refuses users with all items for models that draw nothing",
        "RecBole looks for users with all items where it draws",
        ("sampler.sampler", "Sampler.get_used_ids", "recbole_edlae.data.sampler:get_used_ids"),
    ),
    *rows(
        "does not name the user who has all items",
        "RecBole looks for users with all items where it draws",
        ("data.dataloader.general_dataloader", "TrainDataLoader.__init__", "recbole_edlae.data.sampler:train_loader"),
    ),
    *rows(
        "draws negatives for models that do not use them",
        "RecBole looks for users with all items where it draws",
        (
            "data.dataloader.abstract_dataloader",
            "NegSampleDataLoader._set_neg_sample_args",
            "recbole_edlae.data.sampler:set_neg_sample_args",
        ),
    ),
    *rows(
        "draws without end where there is nothing to draw",
        "RecBole looks for users with all items where it draws",
        ("sampler.sampler", "Sampler.sample_by_user_ids", "recbole_edlae.data.sampler:sample_by_user_ids"),
        ("sampler.sampler", "RepeatableSampler.sample_by_user_ids", "recbole_edlae.data.sampler:sample_by_user_ids"),
        ("sampler.sampler", "SeqSampler.sample_neg_sequence", "recbole_edlae.data.sampler:sample_neg_sequence"),
        ("data.transform", "MaskItemSequence._neg_sample", "recbole_edlae.data.sampler:mask_negative"),
    ),
    *rows(
        "draws without end for a user who has all items",
        "RecBole looks for users with all items before it trains",
        ("quick_start.quick_start", "data_preparation", "recbole_edlae.data.candidates:prepared"),
    ),
    *rows(
        "does not say that candidates repeat for users who know nearly all items",
        "RecBole draws candidates once for a seed",
        (
            "data.dataloader.general_dataloader",
            "NegSampleEvalDataLoader.__init__",
            "recbole_edlae.data.candidates:eval_loader",
        ),
    ),
    # RecBole's loops over rows, with the same results: reading.
    *rows(
        "makes a text of every token of every row, and hashes each again in every step",
        "RecBole reads tokens as categories",
        ("data.dataset.dataset", "Dataset._load_inter_feat", "recbole_edlae.data.reading:load_inter_feat"),
        ("data.dataset.dataset", "Dataset._remap_ID_all", "recbole_edlae.data.remapping:remap_all"),
        ("data.dataset.dataset", "Dataset._remap", "recbole_edlae.data.remapping:remap"),
    ),
    *rows(
        "counts the interactions of users and items in Python, row by row",
        "RecBole counts with arrays",
        ("data.dataset.dataset", "Dataset._filter_by_inter_num", "recbole_edlae.data.filtering:filter_by_inter_num"),
    ),
    *rows(
        "counts the interactions of users and items in Python, row by row",
        "RecBole counts with arrays",
        ("data.dataset.dataset", "Dataset.avg_actions_of_users", "recbole_edlae.data.average_actions:average_of_users"),
        ("data.dataset.dataset", "Dataset.avg_actions_of_items", "recbole_edlae.data.average_actions:average_of_items"),
        kind="value",
    ),
    # Metrics, and lists that are longer than the catalog.
    *rows(
        "fails after the training where topk exceeds the number of items",
        "RecBole takes topk beyond the number of items",
        (
            "evaluator.collector",
            "Collector.eval_batch_collect",
            "recbole_edlae.evaluation.collector:eval_batch_collect",
        ),
        ("evaluator.collector", "Collector.get_data_struct", "recbole_edlae.evaluation.collector:get_data_struct"),
        ("evaluator.metrics", "AveragePopularity.topk_result", "recbole_edlae.evaluation.collector:topk_result"),
        ("evaluator.metrics", "TailPercentage.topk_result", "recbole_edlae.evaluation.collector:topk_result"),
    ),
    *rows(
        "does not say before the training that topk exceeds the number of items",
        "RecBole takes topk beyond the number of items",
        ("data.utils", "create_samplers", "recbole_edlae.evaluation.collector:create_samplers"),
    ),
    *rows(
        "has no Recall that divides by min(k, positives), as Liang et al. measure it",
        "RecBole has that metric",
        ("evaluator.register", "metrics_dict[liangrecall]", "recbole_edlae.evaluation.liang:metric"),
        ("evaluator.register", "metric_types[liangrecall]", "recbole_edlae.evaluation.liang:metric_type"),
        ("evaluator.register", "metric_information[liangrecall]", "recbole_edlae.evaluation.liang:metric_information"),
        kind="value",
    ),
    *rows(
        "a metric does not know the Config, which says what is corrected",
        "the corrections of metrics are gone",
        (
            "evaluator.base_metric",
            "AbstractMetric.__init__",
            "recbole_edlae.evaluation.beyond_accuracy:remember_config",
        ),
    ),
    *rows(
        "EASE, ADMMSLIM, SLIMElastic and ItemKNN score one user at a time with the default eval_batch_size",
        "RecBole chooses the size of a batch of full ranking",
        ("trainer.trainer", "Trainer.evaluate", "recbole_edlae.evaluation.large_batches:evaluate"),
    ),
    # Short runs that are not mostly imports and waiting.
    *rows(
        "imports scikit-learn, which takes a second, for three functions of metrics that are seldom asked for",
        "RecBole imports scikit-learn where it uses it",
        ("evaluator.metrics", "(import)", "recbole_edlae.integration.startup:sklearn_stand_in"),
        kind="import",
    ),
    *rows(
        "sleeps for a second to measure the load of the CPU after the run; here it is that of the run",
        "RecBole measures without sleeping",
        ("utils.utils", "get_environment", "recbole_edlae.integration.startup:get_environment"),
    ),
    *rows(
        "imports a counter of operations and copies the model, where there is nothing to count",
        "RecBole counts on request only",
        ("utils.utils", "get_flops", "recbole_edlae.integration.startup:get_flops"),
    ),
    # Checkpoints that know their data.
    *rows(
        "a model does not know which data it was built on",
        "RecBole stores and compares the tokens itself",
        (
            "model.abstract_recommender",
            "GeneralRecommender.__init__",
            "recbole_edlae.integration.checkpoints:then_note",
        ),
        (
            "model.abstract_recommender",
            "SequentialRecommender.__init__",
            "recbole_edlae.integration.checkpoints:then_note",
        ),
        (
            "model.abstract_recommender",
            "KnowledgeRecommender.__init__",
            "recbole_edlae.integration.checkpoints:then_note",
        ),
        (
            "model.abstract_recommender",
            "ContextRecommender.__init__",
            "recbole_edlae.integration.checkpoints:then_note",
        ),
    ),
    *rows(
        "loads weights onto other data, where they belong to other items",
        "RecBole stores and compares the tokens itself",
        (
            "model.abstract_recommender",
            "AbstractRecommender.load_state_dict",
            "recbole_edlae.integration.checkpoints:load_state_dict",
        ),
    ),
    *rows(
        "does not store the tokens, and leaves half a file where it is interrupted",
        "RecBole stores and compares the tokens itself",
        ("trainer.trainer", "Trainer._save_checkpoint", "recbole_edlae.integration.checkpoints:save_checkpoint"),
    ),
    *rows(
        "a refused checkpoint changes the trainer",
        "RecBole stores and compares the tokens itself",
        ("trainer.trainer", "Trainer.resume_checkpoint", "recbole_edlae.integration.checkpoints:resume_checkpoint"),
    ),
    *rows(
        "models of one second write into one checkpoint",
        "RecBole gives each trainer a file of its own",
        ("trainer.trainer", "Trainer.__init__", "recbole_edlae.integration.checkpoints:trainer_with_its_own_file"),
        (
            "trainer.trainer",
            "DecisionTreeTrainer.__init__",
            "recbole_edlae.integration.checkpoints:trainer_with_its_own_file",
        ),
    ),
    *rows(
        "does not say that without checkpoints validation and test are of different epochs",
        "RecBole says so",
        ("trainer.trainer", "Trainer.fit", "recbole_edlae.integration.checkpoints:fit"),
        ("trainer.trainer", "NCLTrainer.fit", "recbole_edlae.integration.checkpoints:fit"),
        ("trainer.trainer", "DecisionTreeTrainer.fit", "recbole_edlae.integration.checkpoints:fit"),
    ),
    # Saved datasets and loaders that know their files.
    *rows(
        "a dataset does not know which files it was read from",
        "RecBole stores and compares a hash of the files",
        ("data.dataset.dataset", "Dataset._from_scratch", "recbole_edlae.data.saved:from_scratch"),
    ),
    *rows(
        "loads saved data and loaders although the files have changed since",
        "RecBole stores and compares a hash of the files",
        ("data.utils", "create_dataset", "recbole_edlae.data.saved:create_dataset"),
        ("data.utils", "load_split_dataloaders", "recbole_edlae.data.saved:load_split_dataloaders"),
    ),
    *rows(
        "misses the labels to measure on after the training",
        "RecBole looks for them before it trains",
        ("quick_start.quick_start", "create_dataset", "recbole_edlae.data.columns:create_dataset"),
    ),
    *rows(
        "a run that saves its loaders draws other random numbers",
        "RecBole gives the loaders their generators back",
        ("data.utils", "save_split_dataloaders", "recbole_edlae.data.saved:save_split_dataloaders"),
    ),
    *rows(
        "fails for users without items in the test part",
        "FullSortEvalDataLoader notes the history of every user",
        ("utils.case_study", "full_sort_scores", "recbole_edlae.integration.case_study:full_sort_scores"),
    ),
)
