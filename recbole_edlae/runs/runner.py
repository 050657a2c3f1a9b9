"""Runs cells as RecBole's run_recbole does, with the data read, split and batched once for all that agree on them."""

import collections
import contextlib
import copy
import hashlib
import logging
import tempfile
import time
import warnings

import numpy as np
import pandas as pd

from recbole_edlae.data.parts import check_loaders
from recbole_edlae.evaluation.collector import LeanCollector
from recbole_edlae.evaluation.per_user import KeepingEvaluator, PerUser
from recbole_edlae.model.trainer import ClosedFormTrainer
from recbole_edlae.solvers import gram

from recbole.data import create_dataset, data_preparation  # isort: skip
from recbole.data import dataset as datasets  # isort: skip
from recbole.data import utils as data_utils  # isort: skip
from recbole.data.dataloader import FullSortEvalDataLoader  # isort: skip
from recbole.trainer import trainer as trainers  # isort: skip
from recbole.data.transform import construct_transform  # isort: skip
from recbole.utils import get_flops, get_model, get_trainer, init_seed  # isort: skip

GRAM_BYTES = 2**30  # kept by one bench at most
_LOADER = (
    "MODEL_TYPE", "MODEL_INPUT_TYPE", "train_neg_sample_args", "valid_neg_sample_args", "test_neg_sample_args",
    "train_batch_size", "eval_batch_size", "shuffle", "worker", "transform", "reproducibility",
)  # fmt: skip


class Bench:
    """Runs one cell after the other, with the metrics that ``run_recbole`` has for the same settings.

    The dataset is kept until a cell needs another one, its split until another seed or protocol is asked for, and
    with it one set of loaders for each way to batch it.
    """

    def __init__(self):
        self._data = self._split = self._dataset = None
        self._loaders = {}
        self._gram = GramMemory()

    def run(self, cell, phases=("valid", "test")):
        """Trains and evaluates one cell.

        Args:
            cell: Cell.
            phases: "valid" is always evaluated, it steers the training; "test" where it is asked for. Of a run that is
                tested the validation part may be empty: the model is then trained for all its epochs.

        Returns:
            tuple: dict of "valid", "test" (metric → value), "score" (that of the validation metric; both None without
            a validation part), "bigger" (whether a bigger one is better), "fit_seconds" (model and training without
            evaluation; a Gram matrix found ready counts as long as it took to build) and "evaluate_seconds"; and
            PerUser of the test, None where there is none.

        Raises:
            EmptyPart: the part that is to be evaluated is empty.
            ValueError: nothing was evaluated on validation, and the test is not asked for.
        """
        with tempfile.TemporaryDirectory() as folder, quiet():
            config = cell.config(checkpoint_dir=folder, show_progress=False)
            dataset, train, valid, test = self._prepare(config)
            check_loaders((train, valid, test), ("training", "test" if "test" in phases else "validation"))
            init_seed(config["seed"], config["reproducibility"])
            start = time.perf_counter()
            model = get_model(config["model"])(config, train._dataset).to(config["device"])
            self._gram.saved = 0.0
            built = time.perf_counter() - start
            # run_recbole counts operations here, which draws random numbers where a model's predict does
            get_flops(model, dataset, config["device"], logging.getLogger(), construct_transform(config))
            trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
            trainer.eval_collector = LeanCollector(config)
            trainer.evaluate = watch = Stopwatch(trainer.evaluate)
            saved = trainer.epochs > 1  # after a single epoch the model is the best one
            start = time.perf_counter()
            # a sweep over penalties and dropouts builds the Gram matrix once
            remembered = {"gram": self._gram} if isinstance(trainer, ClosedFormTrainer) else {}
            score, best = trainer.fit(train, valid, verbose=False, saved=saved, **remembered)
            trained = time.perf_counter() - start - watch.seconds
            if best is None and "test" not in phases:
                raise ValueError(
                    f"nothing was evaluated on validation with epochs {config['epochs']}, eval_step "
                    f"{config['eval_step']}: both must be at least 1, and {config['valid_metric']} a number"
                )
            result = {"valid": best, "score": None if best is None else score, "bigger": config["valid_metric_bigger"]}
            per_user = None
            if "test" in phases:
                trainer.evaluator = keeping = KeepingEvaluator(trainer.evaluator)
                result["test"] = trainer.evaluate(test, load_best_model=saved)
                if keeping.hits is not None:
                    per_user = PerUser(np.asarray(test.uid_list), keeping.hits, keeping.positives)
        return {
            **_plain(result),
            "fit_seconds": built + trained + self._gram.saved,
            "evaluate_seconds": watch.seconds,
        }, per_user

    def _prepare(self, config):
        """Dataset and the three loaders for a config, in the state in which run_recbole's would be."""
        own_class = config["model"] if hasattr(datasets, config["model"] + "Dataset") else config["MODEL_TYPE"]
        wanted = _text(config, [*config.parameters["Dataset"], "data_path", "repeatable"], own_class)
        if wanted != self._data:
            self._data = self._split = None
            with parsed_fast():
                self._dataset = create_dataset(config)
            self._data = wanted
        if (split := _text(config, ["seed", "eval_args"])) != self._split:
            self._loaders.clear()
            self._split = split
        kind = _text(config, _LOADER, data_utils.get_dataloader(config, "train"))
        if kind not in self._loaders:
            # splitting shuffles the dataset in place: every split gets a copy, and the config of its own
            dataset = copy.deepcopy(self._dataset, {id(self._dataset.config): config})
            init_seed(config["seed"], config["reproducibility"])
            train, *held_out = data_preparation(config, dataset)
            for loader in held_out:
                if isinstance(loader, FullSortEvalDataLoader):
                    loader.collate_fn = Once(loader.collate_fn)
            self._loaders[kind] = dataset, train, *held_out
        dataset, *loaders = self._loaders[kind]
        for loader in loaders:
            loader.config = loader._dataset.config = config
            loader.generator.manual_seed(config["seed"])
        return dataset, *loaders


class GramMemory:
    """``gram`` that remembers: a sweep over penalties and dropouts builds the matrix once.

    ``saved`` adds up the seconds that the matrices it had ready took to build.
    """

    def __init__(self):
        self._kept, self._seconds, self.saved = collections.OrderedDict(), {}, 0.0

    def __call__(self, X, user_weight=None, **options):
        """As ``gram``; the caller may overwrite what it gets."""
        digest = hashlib.sha256(repr((X.shape, options)).encode())
        for array in (X.indptr, X.indices, X.data, *([] if user_weight is None else [user_weight])):
            digest.update(array.tobytes())
        name = digest.digest()
        if name in self._kept:
            self.saved += self._seconds[name]
        else:
            start = time.perf_counter()
            self._kept[name] = gram(X, user_weight, **options)
            self._seconds[name] = time.perf_counter() - start
            while sum(G.nbytes for G in self._kept.values()) > GRAM_BYTES and len(self._kept) > 1:
                self._kept.popitem(last=False)
        G = self._kept[name]
        return self._kept.pop(name) if G.nbytes > GRAM_BYTES else G.clone()


class Once:
    """A loader's ``collate_fn`` that puts every batch together once: those of an evaluation never change."""

    def __init__(self, function):
        self.function, self.batches = function, {}

    def __call__(self, index):
        name = index[0], len(index)
        if name not in self.batches:
            self.batches[name] = self.function(index)
        return self.batches[name]


class Stopwatch:
    """A function that adds up the time it takes."""

    def __init__(self, function):
        self.function, self.seconds = function, 0.0

    def __call__(self, *arguments, **options):
        start = time.perf_counter()
        try:
            return self.function(*arguments, **options)
        finally:
            self.seconds += time.perf_counter() - start


@contextlib.contextmanager
def parsed_fast():
    """RecBole reads atomic files with pandas' engine in Python; its engine in C gives the same values."""
    stock = pd.read_csv

    def read_csv(*arguments, **options):
        if options.get("engine") == "python" and len(options.get("delimiter", "")) == 1:
            options["engine"] = "c"
        return stock(*arguments, **options)

    pd.read_csv = read_csv
    try:
        yield
    finally:
        pd.read_csv = stock


@contextlib.contextmanager
def quiet():
    """RecBole logs errors only, warns of nothing in its own lines, and leaves no tensorboard folder behind."""
    logger, stock = logging.getLogger(), trainers.get_tensorboard
    level = logger.level
    logger.setLevel(logging.ERROR)
    trainers.get_tensorboard = lambda _: _Nothing()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"recbole\.")
            yield
    finally:
        logger.setLevel(level)
        trainers.get_tensorboard = stock


class _Nothing:
    """Takes every call and does nothing."""

    def __getattr__(self, name):
        return lambda *_, **__: None


def _plain(value):
    """RecBole's results as built-in types."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return value if value is None or isinstance(value, (bool, str)) else float(value)


def _text(config, keys, *rest):
    return repr([(key, config[key]) for key in keys] + list(rest))
