"""Execute runs as RecBole's run_recbole does, with the data read, split and batched once for all that agree on them."""

import copy
import itertools
import logging
import tempfile
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from recbole.config import Config
from recbole.data import create_dataset
from recbole.data import utils as data_utils
from recbole.data.dataloader import FullSortEvalDataLoader, KnowledgeBasedDataLoader
from recbole.data.dataset import Dataset
from recbole.data.transform import construct_transform
from recbole.utils import get_flops, init_seed

from recbole_edlae.data.fingerprint import changed, fingerprint
from recbole_edlae.data.parts import check_loaders
from recbole_edlae.data.saved import BATCHING
from recbole_edlae.evaluation.per_user import KeepingEvaluator, PerUser
from recbole_edlae.model.ensemble import Ensemble
from recbole_edlae.model.ensemble_trainer import EnsembleTrainer, load_best
from recbole_edlae.model.members import IN_ONE_STEP, TrainedMember
from recbole_edlae.model.trainer import ClosedFormTrainer
from recbole_edlae.runs.preparation import build_model, build_trainer, prepare_data
from recbole_edlae.runs.protocol import data_settings, dataset_class, has_own_dataset
from recbole_edlae.runs.quiet import quiet
from recbole_edlae.runs.run import Run
from recbole_edlae.runs.stopwatch import Stopwatch
from recbole_edlae.runs.trained import TrainedModels, member_configs
from recbole_edlae.settings import corrections
from recbole_edlae.solvers.steps import compile_gram

BATCHES_BYTES = 2**28  # kept for one loader at most


class Runner:
    """Execute one run after the other, with the metrics that ``run_recbole`` has for the same settings.

    The dataset is kept until a run needs another one, its split until another seed or protocol is asked for, and
    with it one set of loaders for each way to batch it.
    """

    def __init__(self) -> None:
        self._dataset: Any = None
        self._dataset_settings: str | None = None
        self._split_settings: str | None = None
        self._loaders: dict[str, tuple] = {}
        self._touched: dict[str, set[str]] = {}  # corrections that touched the data behind each set of loaders
        self._gram: Any = None  # the Gram memory of the first model that has one
        self._trained = TrainedModels()

    def expect(self, runs: Iterable[Run]) -> None:
        """Say what will be run, so that what is trained now and is a member of a later ensemble is kept for it.

        Args:
            runs: in any order; they are not executed.
        """
        with quiet():
            configs = [run.config(show_progress=False) for run in runs]
            self._trained.expect(member for config in configs for member in member_configs(config).values())

    def run(self, run: Run, phases: Sequence[str] = ("valid", "test")) -> tuple[dict[str, Any], PerUser | None]:
        """Train and evaluate one model.

        Args:
            run: what to run.
            phases: "valid" is always evaluated, it steers the training; "test" where it is asked for. A run that is
                tested may have an empty validation part: its model is then trained for all its epochs.

        Returns:
            A dict of "valid", "test" (metric → value), "score" (that of the validation metric; both None without a
            validation part), "bigger" (whether a bigger score is better), "epochs" (those after which the model was
            kept: the best on validation, or all; None for a model that is fitted in one step; for an ensemble label →
            epochs of the members that have any), "corrections" (of RecBole's numbers: those that were active, and those
            that touched this run), "fit_seconds" (model and training without evaluation), in which a Gram matrix or
            members found ready count as long as they took, and "evaluate_seconds"; and the hits of each user in the
            test, None where there are none.

        Raises:
            EmptyPart: the part that is to be evaluated is empty.
            ValueError: nothing was evaluated on validation, and the test is not asked for.
        """
        with tempfile.TemporaryDirectory() as folder, quiet():
            config = run.config(checkpoint_dir=folder, show_progress=False)
            dataset, train, valid, test = self._prepare(config, run.data)
            check_loaders((train, valid, test), ("training", "test" if "test" in phases else "validation"))
            trainer, built = self._build(config, dataset, train)
            trainer.evaluate = stopwatch = Stopwatch(trainer.evaluate)
            trainer._save_checkpoint = kept = KeptEpoch(trainer._save_checkpoint)
            saved = trainer.epochs > 1  # after a single epoch the model is the best one
            _compile(trainer.model)  # part of no model's time
            start = time.perf_counter()
            remembered = self._remembered(trainer)
            if isinstance(trainer, EnsembleTrainer):
                trainer.watch = stopwatch.watch
            score, best = trainer.fit(train, valid, verbose=False, saved=saved, **remembered)
            trained = time.perf_counter() - start - stopwatch.seconds
            if best is None and "test" not in phases:
                raise ValueError(
                    f"nothing was evaluated on validation with epochs {config['epochs']}, eval_step "
                    f"{config['eval_step']}: both must be at least 1, and {config['valid_metric']} a number"
                )
            result = {"valid": best, "score": None if best is None else score, "bigger": config["valid_metric_bigger"]}
            per_user = None
            if "test" in phases:
                result["test"], per_user = _test(trainer, test, saved)
            fit_seconds = built + trained + (self._gram.saved if self._gram else 0.0) + self._trained.saved
            if self._trained.is_wanted(config):
                epochs = load_best(trainer) if saved else IN_ONE_STEP
                self._trained.put(config, TrainedMember(trainer.model, epochs, fit_seconds))
        return {
            **_plain(result),
            "epochs": trainer.model.best_epochs if isinstance(trainer, EnsembleTrainer) else kept.epochs,
            "corrections": corrections.record(config),
            "fit_seconds": fit_seconds,
            "evaluate_seconds": stopwatch.seconds,
        }, per_user

    def tested(self, run: Run) -> set[tuple[str, str]]:
        """Return the user and the item of all that a run is tested on, as tokens; drawn candidates count too.

        Args:
            run: only its data are prepared.
        """
        with quiet():
            dataset, *_, test = self._prepare(run.config(show_progress=False), run.data)
        full = isinstance(test, FullSortEvalDataLoader)
        pairs: set[tuple[str, str]] = set()
        for rows in [test._dataset.inter_feat] if full else (batch[0] for batch in test):
            users, items = (dataset.id2token(field, rows[field]) for field in (dataset.uid_field, dataset.iid_field))
            pairs.update(zip(users.tolist(), items.tolist()))
        return pairs

    def _remembered(self, trainer: Any) -> dict[str, Any]:
        """Return what a trainer takes from earlier runs: a sweep needs one Gram matrix, and each member once."""
        if self._gram is None and hasattr(trainer.model, "gram_memory"):
            self._gram = trainer.model.gram_memory()
        if self._gram is not None:
            self._gram.saved = 0.0
        if isinstance(trainer, EnsembleTrainer):
            return {"gram": self._gram, "memory": self._trained}
        return {"gram": self._gram} if isinstance(trainer, ClosedFormTrainer) else {}

    def _build(self, config: Config, dataset: Dataset, train: Any) -> tuple[Any, float]:
        """Return the trainer of a model, and how long the model took to build."""
        ready = self._trained.take(member_configs(config))
        init_seed(config["seed"], config["reproducibility"])
        start = time.perf_counter()
        model = build_model(config, train, **({"trained": ready} if ready else {}))
        built = time.perf_counter() - start
        # run_recbole counts operations here, which draws random numbers where a model's predict does. It copies the
        # model, which trained members make large; an ensemble seeds its members' random numbers itself.
        if not ready:
            get_flops(model, dataset, config["device"], logging.getLogger(), construct_transform(config))
        trainer = build_trainer(config, model)
        return trainer, built

    def _prepare(self, config: Config, data: str) -> tuple:
        """Return dataset and the three loaders of a config, in the state in which run_recbole's would be."""
        self._read(config, data)
        split_settings = _text(config, ["seed", "eval_args"])
        if split_settings != self._split_settings:
            self._loaders.clear()
            self._split_settings = split_settings
        if config["transform"]:  # draws random numbers for every batch, and has settings of its model
            corrections.note(config, *corrections.touched(self._dataset.config))
            return self._split(config)
        batching = _text(config, BATCHING, data_utils.get_dataloader(config, "train"))
        if batching not in self._loaders:
            self._loaders[batching] = self._split(config)
            self._touched[batching] = corrections.touched(config) | corrections.touched(self._dataset.config)
        corrections.note(config, *self._touched[batching])
        dataset, *loaders = self._loaders[batching]
        for loader in itertools.chain.from_iterable(map(_single_loaders, loaders)):
            loader.config = loader._dataset.config = config
            loader.generator.manual_seed(config["seed"])
        return dataset, *loaders

    def _read(self, config: Config, data: str) -> None:
        """Read the data, unless they are those of the run before.

        Args:
            config: of the run.
            data: fingerprint of the files that they have to be of; "" takes the files as they are.
        """
        data = data or fingerprint(config.final_config_dict)
        dataset_settings = repr((sorted(data_settings(config).items()), dataset_class(config), data))
        if dataset_settings == self._dataset_settings and not has_own_dataset(config["model"]):
            return
        self._dataset_settings = self._split_settings = None
        self._trained.clear()
        init_seed(config["seed"], config["reproducibility"])  # a class of its own may draw, as DIEN's does
        self._dataset = create_dataset(config)
        if data not in ("", self._dataset.fingerprint):  # "" where RecBole has downloaded them
            raise changed(config["data_path"], config.final_config_dict)
        self._dataset_settings = dataset_settings

    def _split(self, config: Config) -> tuple:
        """Return a copy of the data, and its loaders of training, validation and test."""
        # splitting shuffles the dataset in place: every split gets a copy, and the config of its own
        dataset = copy.deepcopy(self._dataset, {id(self._dataset.config): config})
        train, *held_out = prepare_data(config, dataset)
        for loader in held_out:
            if isinstance(loader, FullSortEvalDataLoader) and not config["transform"]:
                loader.collate_fn = Once(loader.collate_fn)
        return dataset, train, *held_out


class Once:
    """Put the batches of a loader together once, as many as memory is set aside for: they never change.

    Args:
        function: the loader's ``collate_fn``.
    """

    def __init__(self, function: Callable) -> None:
        self.function = function
        self.batches: dict[Hashable, Any] = {}
        self.bytes_left = BATCHES_BYTES

    def __call__(self, index: Sequence[int]) -> Any:
        """Return the batch of some rows, which are known by the first one and their number."""
        name = index[0], len(index)
        if name in self.batches:
            return self.batches[name]
        batch = self.function(index)
        size = _size(batch)
        if size <= self.bytes_left:
            self.bytes_left -= size
            self.batches[name] = batch
        return batch


class KeptEpoch:
    """Save checkpoints as a trainer does, and know the epoch of the last one: the model that the training ends with.

    Args:
        function: the trainer's ``_save_checkpoint``.

    Attributes:
        epochs: how many epochs the model of the last checkpoint was trained for; None without a checkpoint.
    """

    def __init__(self, function: Callable) -> None:
        self.function = function
        self.epochs: int | None = None

    def __call__(self, epoch: int, *arguments: Any, **options: Any) -> None:
        """Save a checkpoint after the epoch of this number, counted from 0."""
        self.function(epoch, *arguments, **options)
        self.epochs = epoch + 1


def _test(trainer: Any, test: Any, saved: bool) -> tuple[dict[str, Any], PerUser | None]:
    """Return the metrics of the test part, and the hits of each user."""
    trainer.evaluator = evaluator = KeepingEvaluator(trainer.evaluator)
    metrics = trainer.evaluate(test, load_best_model=saved)
    if evaluator.hits is None or evaluator.positives is None:
        return metrics, None
    users = test.uid_list if hasattr(test, "uid_list") else test._dataset.inter_feat[test._dataset.uid_field]
    return metrics, PerUser(np.asarray(users), evaluator.hits, evaluator.positives)


def _single_loaders(loader: Any) -> list[Any]:
    """Return a loader as a list; that of knowledge-based models has one of interactions and one of triplets."""
    if isinstance(loader, KnowledgeBasedDataLoader):
        return [loader.general_dataloader, loader.kg_dataloader]
    return [loader]


def _compile(model: torch.nn.Module) -> None:
    """Have compiled what the fit of a linear autoencoder takes, of a model or of the members of an ensemble."""
    for part in model.models if isinstance(model, Ensemble) else [model]:
        interactions = getattr(part, "interactions", None)
        if interactions is not None:
            compile_gram(interactions, getattr(part, "user_weight_power", 0.0) != 0, getattr(part, "packed", False))


def _size(batch: Any) -> int:
    """Return the bytes of the tensors of a batch of full ranking, each counted as its own."""
    interaction, history, *positives = batch
    tensors = [*interaction.interaction.values(), *(history or ()), *positives]
    return sum(tensor.nbytes for tensor in tensors)


def _plain(value: Any) -> Any:
    """Return RecBole's results as built-in types."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return value if value is None or isinstance(value, (bool, str)) else float(value)


def _text(config: Config, keys: Iterable[str], *more: Any) -> str:
    """Return a text that is the same for configs that agree on some settings."""
    return repr([(key, config[key]) for key in keys] + list(more))
