"""Execute runs as RecBole's run_recbole does, with data read, split and batched once for all runs that share them."""

import logging
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from recbole.config import Config
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.data.dataset import Dataset
from recbole.data.transform import construct_transform
from recbole.utils import get_flops, init_seed

from recbole_edlae.evaluation.per_user import KeepingEvaluator, PerUser
from recbole_edlae.model.ensemble_trainer import EnsembleTrainer, load_best
from recbole_edlae.model.members import IN_ONE_STEP, TrainedMember, build
from recbole_edlae.model.trainer import ClosedFormTrainer
from recbole_edlae.runs.cache import Cache
from recbole_edlae.runs.loaders import Loaders
from recbole_edlae.runs.preparation import build_trainer, warm_up
from recbole_edlae.runs.quiet import quiet
from recbole_edlae.runs.run import Run
from recbole_edlae.runs.trained import TrainedModels, member_configs
from recbole_edlae.settings import corrections, registry
from recbole_edlae.settings.parts import check_loaders
from recbole_edlae.solvers.steps import compile_gram


class Runner:
    """Execute one run after the other, with the metrics that ``run_recbole`` returns for the same settings.

    What runs share is made once: data and loaders, the Gram matrix, and members of ensembles.
    """

    def __init__(self) -> None:
        self._cache = Cache()
        self._trained = TrainedModels()
        self._loaders = Loaders(on_change=self._trained.clear)

    def expect(self, runs: Iterable[Run]) -> None:
        """Announce coming runs, so that a model trained now is kept if a later ensemble has it as a member."""
        # Most commands have no ensemble, and need no Config here.
        members: list[Config] = []
        with quiet():
            for run in runs:
                if registry.is_ensemble(run.model):
                    config = run.config(show_progress=False)
                    members += member_configs(config).values()
        self._trained.expect(members)

    def run(
        self, run: Run, phases: Sequence[str] = ("valid", "test")
    ) -> tuple[dict[str, Any], PerUser | None]:
        """Train and evaluate one model.

        Args:
            run: what to run.
            phases: "valid" is always evaluated, because it steers the training; "test" only if it is listed. A run
                that is tested may have an empty validation part: its model is then trained for all its epochs.

        Returns:
            A dict, and the hits of each user in the test (None where there are none). The dict has "valid" and "test"
            (metric → value); "score" (that of the validation metric; both None without a validation part); "bigger"
            (whether a bigger score is better); "epochs" (those after which the model was kept: the best on validation,
            or all; None for a model that is fitted in one step; for an ensemble label → epochs of the members that
            have any); "corrections" (of RecBole's numbers: those that were active, and those that touched this run);
            "fit_seconds" (model and training without evaluation; a cached Gram matrix or member counts as long as it
            took to make); and "evaluate_seconds".

        Raises:
            EmptyPart: the part to evaluate is empty.
            ValueError: nothing was evaluated on validation, and the test is not listed.
        """
        needed = "validation"
        if "test" in phases:
            needed = "test"

        with tempfile.TemporaryDirectory() as folder, quiet():
            config = run.config(checkpoint_dir=folder, show_progress=False)
            trained_by = getattr(config.model_class, "trainer", None)
            warm_up(config["device"], with_optimizer=trained_by is not ClosedFormTrainer)
            dataset, train, valid, test = self._loaders.prepare(config, run.data)
            check_loaders((train, valid, test), ("training", needed))
            trainer, build_seconds = self._build(config, dataset, train)

            # Watch the trainer: its evaluations are timed apart, and its last checkpoint names the epochs of the model.
            stopwatch = Stopwatch()
            trainer.evaluate = stopwatch.watch(trainer.evaluate)
            if isinstance(trainer, EnsembleTrainer):
                trainer.watch = stopwatch.watch
            checkpoints = KeptEpoch(trainer._save_checkpoint)
            trainer._save_checkpoint = checkpoints

            # After a single epoch the model is the best one.
            saved = trainer.epochs > 1

            # Compile the kernels before timing: they serve all models of this process.
            _compile(trainer.model)
            start = time.perf_counter()
            score, best = trainer.fit(train, valid, verbose=False, saved=saved, **self._remembered(trainer))
            train_seconds = time.perf_counter() - start - stopwatch.seconds

            # RecBole returns a score even where nothing was evaluated.
            if best is None:
                score = None
                if needed == "validation":
                    raise _nothing_validated(config)
            result = {"valid": best, "score": score, "bigger": config["valid_metric_bigger"]}
            per_user = None
            if needed == "test":
                result["test"], per_user = _test(trainer, test, saved)

            # Without the seconds that cache hits saved, the time of a run would depend on its place.
            saved_seconds = self._trained.saved + self._cache.saved
            fit_seconds = build_seconds + train_seconds + saved_seconds

            # A member of a coming ensemble is kept as it was on its best epoch.
            if self._trained.is_needed(config):
                best_epoch = load_best(trainer) if saved else IN_ONE_STEP
                self._trained.put(config, TrainedMember(trainer.model, best_epoch, fit_seconds))

        # The members of an ensemble have epochs of their own.
        epochs: Any = checkpoints.epochs
        if isinstance(trainer, EnsembleTrainer):
            epochs = trainer.model.best_epochs
        return {
            **_plain(result),
            "epochs": epochs,
            "corrections": corrections.record(config),
            "fit_seconds": fit_seconds,
            "evaluate_seconds": stopwatch.seconds,
        }, per_user

    def tested(self, run: Run) -> set[tuple[str, str]]:
        """Return the pairs of user and item, as tokens, on which a run is tested; sampled candidates are included.

        Only its data are prepared.
        """
        with quiet():
            dataset, *_, test = self._loaders.prepare(run.config(show_progress=False), run.data)

        # Only a loader of full ranking has no candidates in its batches: its positives are the test part.
        batches: Iterable[Any] = test
        if isinstance(test, FullSortEvalDataLoader):
            batches = [(test._dataset.inter_feat,)]

        # Tokens, because ids differ between the datasets of two models.
        user = dataset.uid_field
        item = dataset.iid_field
        pairs: set[tuple[str, str]] = set()
        for rows, *_ in batches:
            users = dataset.id2token(user, rows[user])
            items = dataset.id2token(item, rows[item])
            pairs.update(zip(users.tolist(), items.tolist()))
        return pairs

    def _remembered(self, trainer: Any) -> dict[str, Any]:
        """Return what a trainer takes from earlier runs: a sweep needs one Gram matrix, and each member once."""
        # What the cache saves has to be that of this run alone.
        self._cache.saved = 0.0
        if isinstance(trainer, EnsembleTrainer):
            return {"gram": self._cache, "memory": self._trained}
        if isinstance(trainer, ClosedFormTrainer):
            return {"gram": self._cache}
        return {}

    def _build(self, config: Config, dataset: Dataset, train: Any) -> tuple[Any, float]:
        """Return the trainer of a model, and the seconds that the model took to build."""
        trained_members = self._trained.take(member_configs(config))
        options = {}
        if trained_members:
            options["trained"] = trained_members

        # As run_recbole seeds, after the data are prepared.
        init_seed(config["seed"], config["reproducibility"])
        start = time.perf_counter()
        model = build(config, train._dataset, **options)
        seconds = time.perf_counter() - start

        # run_recbole counts operations here, which draws random numbers where a model's predict does. It copies the
        # model, which trained members make large; an ensemble seeds its members' random numbers itself.
        if not trained_members:
            get_flops(model, dataset, config["device"], logging.getLogger(), construct_transform(config))
        return build_trainer(config, model), seconds


class Stopwatch:
    """Add up the seconds that the calls of watched functions take."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def watch(self, function: Callable) -> Callable:
        """Return a function that does the same and whose calls are timed."""

        def watched(*arguments: Any, **options: Any) -> Any:
            # A call that fails takes time too.
            start = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                self.seconds += time.perf_counter() - start

        return watched


class KeptEpoch:
    """Save checkpoints as a trainer does, and remember the epoch of the last one, which is that of the final model.

    Attributes:
        epochs: number of epochs for which the model of the last checkpoint was trained; None without a checkpoint.
    """

    def __init__(self, function: Callable) -> None:
        self.function = function
        self.epochs: int | None = None

    def __call__(self, epoch: int, *arguments: Any, **options: Any) -> None:
        """Save a checkpoint after the epoch of this number, counted from 0."""
        self.function(epoch, *arguments, **options)
        self.epochs = epoch + 1


def _nothing_validated(config: Config) -> ValueError:
    """Return the error of a run that is neither validated nor tested."""
    epochs = config["epochs"]
    step = config["eval_step"]
    return ValueError(
        f"nothing was evaluated on validation with epochs {epochs}, eval_step {step}: "
        f"both must be at least 1, and {config['valid_metric']} a number"
    )


def _test(trainer: Any, test: Any, saved: bool) -> tuple[dict[str, Any], PerUser | None]:
    """Return the metrics of the test part, and the hits of each user."""
    # The evaluator is the only one that sees which recommendations are hits.
    evaluator = KeepingEvaluator(trainer.evaluator)
    trainer.evaluator = evaluator
    metrics = trainer.evaluate(test, load_best_model=saved)
    if evaluator.hits is None or evaluator.positives is None:
        return metrics, None

    # Loaders without a list of users rank each interaction by itself.
    users = getattr(test, "uid_list", None)
    if users is None:
        users = test._dataset.inter_feat[test._dataset.uid_field]
    return metrics, PerUser(np.asarray(users), evaluator.hits, evaluator.positives)


def _compile(model: torch.nn.Module) -> None:
    """Compile the kernels that fitting a linear autoencoder needs, for a model or each member of an ensemble."""
    for member in getattr(model, "models", [model]):
        interactions = getattr(member, "interactions", None)
        if interactions is not None:
            is_weighted = getattr(member, "user_weight_power", 0.0) != 0
            compile_gram(interactions, is_weighted, getattr(member, "packed", False))


def _plain(value: Any) -> Any:
    """Return RecBole's results as built-in types."""
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if value is None or isinstance(value, (bool, str)):
        return value
    return float(value)
