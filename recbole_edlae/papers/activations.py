"""Susman 2024: which properties of users latent activations preserve, and how they rank.

DeepAE is trained with every latent activation, on one split of the data, with several seeds. The properties that the
paper requires of an encoder are measured beside the ranking metrics, to show their correlation.
"""

import dataclasses
import os
import statistics
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from recbole.config import Config
from recbole.utils import init_seed
from scipy.stats import spearmanr

from recbole_edlae.analysis.encoder import encoder_properties
from recbole_edlae.papers.claims import Verdict, together
from recbole_edlae.papers.figure import Figure, cells, markdown_table
from recbole_edlae.papers.study import Study
from recbole_edlae.runs.preparation import build_model, build_trainer, prepare_data
from recbole_edlae.runs.runner import quiet
from recbole_edlae.settings.parts import check_loaders

PROPERTIES = ("order_agreement", "zero_codes", "zero_entries", "effective_dimension")
# "activation", "seed", "epochs", "properties", and "valid" and "test" metrics.
Trained = dict[str, Any]


class Activations(Figure):
    """Properties of the encoder and accuracy of DeepAE with each latent activation."""

    name = "activations"
    title = "Latent activations (Susman 2024)"
    claims = (
        "A sigmoid code is never zero.",
        "A ReLU code can be zero.",
        "Sigmoid keeps the order of dot products better than ReLU and tanh.",
        "Sigmoid recommends better than ReLU and tanh.",
    )

    def measure(self, study: Study) -> dict[str, Any]:
        """Train DeepAE with every activation and seed."""
        # Each activation is a measurement of its own, so an interrupted study loses only one.
        settings = dict(study.plan["activations"])
        names = settings.pop("names")
        seeds = settings.pop("seeds")
        runs: list[Trained] = []
        for name in names:
            runs += study.remember("activations", _measure, name, seeds, settings)
        return {"metric": study.metric, "runs": runs, "spearman": correlations(runs)}

    def verdicts(self, data: dict[str, Any]) -> list[Verdict]:
        """Return for each claim whether it holds, and the numbers: means over seeds."""
        # The first two claims are about codes, the others are comparisons with each seed.
        zero = _means(data, "zero_codes")
        sigmoid = zero["sigmoid"]
        relu = zero["relu"]
        share = "share of users whose code is zero"
        metric = data["metric"]
        agreement = _listed(_means(data, "order_agreement"))
        accuracy = _listed(_means(data, metric))
        return [
            Verdict(sigmoid == 0, f"{share}: {sigmoid:.3g}"),
            Verdict(relu > 0, f"{share}: {relu:.3g}"),
            Verdict(_sigmoid_leads(data, "order_agreement"), f"order kept: {agreement}"),
            Verdict(_sigmoid_leads(data, metric), f"{metric}: {accuracy}"),
        ]

    def table(self, data: dict[str, Any]) -> str:
        """Return means over seeds, an activation a line, the best first."""
        metric = data["metric"]
        accuracy = _means(data, metric)
        rows = []
        for name in sorted(accuracy, key=lambda name: -accuracy[name]):
            means = [accuracy[name]]
            for encoder_property in PROPERTIES:
                means.append(_means(data, encoder_property)[name])
            rows.append([name, *cells(means)])
        titles = [name.replace("_", " ") for name in PROPERTIES]
        table = markdown_table(["latent activation", metric, *titles], rows)

        # With few runs or epochs every code may keep the order alike.
        correlation = data["spearman"]["order_agreement"][metric]
        value = f"{correlation:+.2f}" if correlation is not None else "none, one of them is constant"
        return f"{table}\n\nRank correlation of order kept and {metric} over all runs: {value}."

    def draw(self, data: dict[str, Any], figure: Any) -> None:
        """Draw every run: the ranking metric against the order kept."""
        # A color for each activation, with a point for each seed.
        axes = figure.subplots()
        runs = data["runs"]
        for name in activation_names(runs):
            agreement = column_of(runs, name, "order_agreement")
            accuracy = column_of(runs, name, data["metric"])
            axes.plot(agreement, accuracy, "o", label=name)
        axes.set(xlabel="order of dot products kept", ylabel=data["metric"])
        axes.legend(fontsize="small")


def compare_activations(
    dataset: str,
    activations: Iterable[str],
    seeds: Sequence[int],
    *,
    config_files: Iterable[str | os.PathLike] = (),
    settings: Mapping[str, Any] | None = None,
    progress: Callable[[Trained], None] | None = None,
) -> list[Trained]:
    """Train DeepAE once for each activation and seed.

    Args:
        dataset: name of a dataset, as RecBole knows it.
        activations: names of latent activations.
        seeds: seeds of training; the seed of the split is the configured one.
        config_files: RecBole's YAML files, later ones win.
        settings: override the files.
        progress: called with each run as it ends.

    Returns:
        For each run a dict of ``activation``, ``seed``, ``epochs``, ``properties``, ``valid`` and ``test`` metrics.

    Raises:
        EmptyPart: the training or the test part is empty.
    """
    # Trainers write checkpoints, which nobody needs afterwards.
    runs = []
    loaders = None
    with tempfile.TemporaryDirectory() as checkpoints:
        for activation in activations:
            overrides = dict(settings or {})
            overrides["latent_activation"] = activation
            overrides["checkpoint_dir"] = checkpoints
            config = Config("DeepAE", dataset, list(config_files), overrides)

            # Activations share the data and their split.
            if loaders is None:
                loaders = prepare_data(config)
                check_loaders(loaders, ("training", "test"))
            for seed in seeds:
                run = {"activation": activation, "seed": seed, **_train(config, loaders, seed)}
                runs.append(run)
                if progress:
                    progress(run)
    return runs


def correlations(runs: Sequence[Trained]) -> dict[str, dict[str, float | None]]:
    """Return Spearman's rank correlation of every property with every test metric over all runs.

    Args:
        runs: as :func:`compare_activations` returns them.

    Returns:
        property → metric → correlation; None if one of them is constant.
    """
    # All runs have the same properties and metrics.
    table: dict[str, dict[str, float | None]] = {}
    for name in runs[0]["properties"]:
        values = [run["properties"][name] for run in runs]
        table[name] = {}
        for metric in runs[0]["test"]:
            scores = [run["test"][metric] for run in runs]
            table[name][metric] = _rank_correlation(values, scores)
    return table


@torch.no_grad()
def rows_and_codes(model: Any, batch: int = 1024) -> tuple[sp.csr_matrix, np.ndarray]:
    """Return all users' histories, of shape (users, items), and their codes, of shape (users, k).

    Args:
        model: a trained DeepAE.
        batch: number of users in a batch.
    """
    # Evaluation mode leaves the input complete.
    model.eval()
    users = torch.arange(model.n_users, device=model.indptr.device)
    codes = []
    for users_of_batch in users.split(batch):
        histories = model.history(users_of_batch)
        codes.append(model.code(*histories).cpu().numpy())

    # The model keeps the histories as the index arrays of a CSR matrix.
    indices = model.indices.cpu().numpy()
    indptr = model.indptr.cpu().numpy()
    shape = (model.n_users, model.n_items)
    X = sp.csr_matrix((np.ones(len(indices)), indices, indptr), shape=shape)
    return X, np.concatenate(codes)


def _measure(study: Study, name: str, seeds: Sequence[int], settings: Mapping[str, Any]) -> list[Trained]:
    """Return the runs of one activation."""
    # The run of another model has the paths and the overrides of the study.
    run = study.protocol.run("full_rank")
    settings = {"state": "ERROR", "show_progress": False, **settings, **run.settings}
    with quiet():
        return compare_activations(
            run.dataset, [name], seeds, config_files=run.config_files, settings=settings
        )


def _train(config: Config, loaders: tuple, seed: int) -> Trained:
    """Train one model and measure its best epoch: the properties on the training users, the metrics on the test."""
    train, valid, test = loaders

    # The loader shuffles by a generator of its own.
    init_seed(seed, config["reproducibility"])
    train.generator.manual_seed(seed)
    model = build_model(config, train)
    trainer = build_trainer(config, model)
    show_progress = config["show_progress"]
    _, best = trainer.fit(train, valid, verbose=False, show_progress=show_progress)

    # Evaluation loads the best epoch, which the properties need too.
    metrics = trainer.evaluate(test, show_progress=show_progress)
    properties = encoder_properties(*rows_and_codes(model), seed=seed)
    return {
        "epochs": len(trainer.train_loss_dict),
        "properties": dataclasses.asdict(properties),
        "valid": dict(best or {}),
        "test": dict(metrics),
    }


def _rank_correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return Spearman's correlation of the pairs that are finite; None if one side is constant."""
    pairs = np.array([first, second], dtype=float)
    x, y = pairs[:, np.isfinite(pairs).all(0)]

    # Two runs are always correlated, and SciPy warns of constants.
    if len(x) <= 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return float(spearmanr(x, y).statistic)


def _sigmoid_leads(data: Mapping[str, Any], column: str) -> bool | None:
    """Return whether sigmoid leads ReLU and tanh with every seed, in four digits; False if one leads sigmoid so."""
    lowest, highest = _shown_ends(data, "sigmoid", column)
    verdicts: list[bool | None] = []
    for name in ("relu", "tanh"):
        other_lowest, other_highest = _shown_ends(data, name, column)

        # Seeds whose values overlap decide nothing.
        if lowest > other_highest:
            verdicts.append(True)
        elif highest < other_lowest:
            verdicts.append(False)
        else:
            verdicts.append(None)
    return together(verdicts)


def _shown_ends(data: Mapping[str, Any], name: str, column: str) -> tuple[float, float]:
    """Return the least and the largest value of an activation over seeds, as the page shows them."""
    values = column_of(data["runs"], name, column)
    return round(min(values), 4), round(max(values), 4)


def _listed(means: Mapping[str, float]) -> str:
    """Return the means of the activations that the claims are about."""
    return ", ".join(f"{name} {means[name]:.4f}" for name in ("sigmoid", "relu", "tanh"))


def activation_names(runs: Iterable[Trained]) -> list[str]:
    """Return the activations of runs, each once, in the order of the runs.

    Args:
        runs: as :func:`compare_activations` returns them.
    """
    return list(dict.fromkeys(run["activation"] for run in runs))


def _means(data: Mapping[str, Any], column: str) -> dict[str, float]:
    """Return activation → mean over seeds of a property or test metric."""
    means = {}
    for name in activation_names(data["runs"]):
        values = column_of(data["runs"], name, column)
        means[name] = statistics.fmean(values)
    return means


def column_of(runs: Iterable[Trained], name: str, column: str) -> list[float]:
    """Return a property or test metric of every run of one activation.

    Args:
        runs: as :func:`compare_activations` returns them.
        name: the activation.
        column: name of the property or the metric.
    """
    # Properties and metrics have different names.
    values = []
    for run in runs:
        if run["activation"] == name:
            values.append((run["test"] | run["properties"])[column])
    return values
