"""Susman 2024: which properties of users latent activations preserve, and how they rank.

DeepAE is trained with every latent activation, on one split of the data, with several seeds. The properties that the
paper requires of an encoder are measured beside the ranking metrics, to show their correlation.
"""

import dataclasses
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch
from recbole.config import Config
from recbole.utils import init_seed

from recbole_edlae.analysis.encoder import encoder_properties
from recbole_edlae.model.members import build
from recbole_edlae.papers.claims import Verdict, shown, together
from recbole_edlae.papers.figure import Figure, cells, markdown_table
from recbole_edlae.papers.study import Study
from recbole_edlae.runs.preparation import build_trainer, prepare_data
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
        metric = data["metric"]
        means = as_table(data["runs"]).groupby("activation").mean()
        zero = means["zero_codes"]
        share = "share of users whose code is zero"
        agreement = _listed(means["order_agreement"])
        accuracy = _listed(means[metric])
        return [
            Verdict(zero["sigmoid"] == 0, f"{share}: {zero['sigmoid']:.3g}"),
            Verdict(zero["relu"] > 0, f"{share}: {zero['relu']:.3g}"),
            Verdict(_sigmoid_leads(data, "order_agreement"), f"order kept: {agreement}"),
            Verdict(_sigmoid_leads(data, metric), f"{metric}: {accuracy}"),
        ]

    def table(self, data: dict[str, Any]) -> str:
        """Return means over seeds, an activation a line, the best first."""
        metric = data["metric"]
        means = as_table(data["runs"]).groupby("activation", sort=False).mean()
        means = means.sort_values(metric, ascending=False, kind="stable")
        rows = []
        for name, values in means[[metric, *PROPERTIES]].iterrows():
            rows.append([name, *cells(values)])
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
        for name, runs in as_table(data["runs"]).groupby("activation", sort=False):
            axes.plot(runs["order_agreement"], runs[data["metric"]], "o", label=name)
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
    """Train DeepAE once for each activation and seed of training; the seed of the split is the configured one.

    Settings override the files. ``progress`` is called with each run as it ends.

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
    """Return property → test metric → Spearman's correlation over all runs; None if one of them is constant."""
    # All runs have the same properties and metrics. Two runs are always correlated.
    correlation = as_table(runs).drop(columns="activation").corr("spearman", min_periods=3)
    found = correlation.loc[list(runs[0]["properties"]), list(runs[0]["test"])]
    return found.astype(object).where(found.notna(), None).T.to_dict()


def as_table(runs: Iterable[Trained]) -> pd.DataFrame:
    """Return a run a line: its activation, properties and test metrics, which have different names."""
    lines = []
    for run in runs:
        lines.append({"activation": run["activation"], **run["properties"], **run["test"]})
    return pd.DataFrame(lines)


@torch.no_grad()
def rows_and_codes(model: Any, batch: int = 1024) -> tuple[sp.csr_matrix, np.ndarray]:
    """Return all users' histories, of shape (users, items), and their codes, of shape (users, k)."""
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
    model = build(config, train._dataset)
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


def _sigmoid_leads(data: Mapping[str, Any], column: str) -> bool | None:
    """Return whether sigmoid leads ReLU and tanh with every seed, in four digits; False if one leads sigmoid so."""
    values = as_table(data["runs"]).groupby("activation")[column]
    lowest = values.min().map(shown)
    highest = values.max().map(shown)
    verdicts: list[bool | None] = []
    for name in ("relu", "tanh"):
        # Seeds whose values overlap decide nothing.
        if lowest["sigmoid"] > highest[name]:
            verdicts.append(True)
        elif highest["sigmoid"] < lowest[name]:
            verdicts.append(False)
        else:
            verdicts.append(None)
    return together(verdicts)


def _listed(means: Mapping[str, float]) -> str:
    """Return the means of the activations that the claims are about."""
    return ", ".join(f"{name} {means[name]:.4f}" for name in ("sigmoid", "relu", "tanh"))
