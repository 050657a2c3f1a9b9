"""Susman 2024: what latent activations keep of the users, and how they rank.

DeepAE is trained with every latent activation, on one split of the data, with several seeds. What the paper asks of an
encoder is measured beside the ranking metrics, so that their correlation can be seen.
"""

import dataclasses
import json
import os
import pathlib
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

from recbole_edlae._files import whole, write_whole
from recbole_edlae.analysis.encoder import encoder_properties
from recbole_edlae.data.parts import check_loaders
from recbole_edlae.papers.claims import Verdict, together
from recbole_edlae.papers.figure import Figure
from recbole_edlae.papers.plot import load_pyplot
from recbole_edlae.papers.study import Study
from recbole_edlae.runs.preparation import build_model, build_trainer, prepare_data
from recbole_edlae.runs.runner import quiet

PROPERTIES = ("order_agreement", "zero_codes", "zero_entries", "effective_dimension")
_IN_SPREAD_TABLE = ("order_agreement", "order_ties", "zero_codes", "effective_dimension")
_IN_PLOT = ("order_agreement", "zero_entries", "effective_dimension")
Trained = dict[str, Any]  # "activation", "seed", "epochs", "properties", and "valid" and "test" metrics


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
        settings = dict(study.plan["activations"])
        names = settings.pop("names")
        seeds = settings.pop("seeds")
        runs = [run for name in names for run in study.remember("activations", _measure, name, seeds, settings)]
        return {"metric": study.metric, "runs": runs, "spearman": correlations(runs)}

    def verdicts(self, data: dict[str, Any]) -> list[Verdict]:
        """Return for each claim whether it holds, and the numbers: means over seeds."""
        agreement = _means(data, "order_agreement")
        metric = _means(data, data["metric"])
        zero = _means(data, "zero_codes")
        return [
            Verdict(zero["sigmoid"] == 0, f"share of users whose code is zero: {zero['sigmoid']:.3g}"),
            Verdict(zero["relu"] > 0, f"share of users whose code is zero: {zero['relu']:.3g}"),
            Verdict(_sigmoid_leads(data, "order_agreement"), f"order kept: {_listed(agreement)}"),
            Verdict(_sigmoid_leads(data, data["metric"]), f"{data['metric']}: {_listed(metric)}"),
        ]

    def table(self, data: dict[str, Any]) -> str:
        """Return means over seeds, an activation a line, the best first."""
        metric = data["metric"]
        means = {column: _means(data, column) for column in (metric, *PROPERTIES)}
        headings = [name.replace("_", " ") for name in PROPERTIES]
        lines = [
            f"| latent activation | {metric} | " + " | ".join(headings) + " |",
            "|---|" + "---|" * (len(PROPERTIES) + 1),
        ]
        for name in sorted(means[metric], key=lambda name: -means[metric][name]):
            lines.append(f"| {name} | " + " | ".join(f"{values[name]:.4f}" for values in means.values()) + " |")
        correlation = data["spearman"]["order_agreement"][metric]
        rank = "none, one of them is constant" if correlation is None else f"{correlation:+.2f}"
        return "\n".join([*lines, "", f"Rank correlation of order kept and {metric} over all runs: {rank}."])

    def draw(self, data: dict[str, Any], figure: Any) -> None:
        """Draw every run: the ranking metric against the order kept."""
        axes = figure.subplots()
        for name in _activations(data["runs"]):
            agreement = _column(data, name, "order_agreement")
            axes.plot(agreement, _column(data, name, data["metric"]), "o", label=name)
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
        seeds: of training; the split of the data has the configured one.
        config_files: RecBole's YAML files, later ones win.
        settings: win over the files.
        progress: called with each run as it ends.

    Returns:
        For each run a dict of ``activation``, ``seed``, ``epochs``, ``properties``, ``valid`` and ``test`` metrics.

    Raises:
        EmptyPart: the training or the test part is empty.
    """
    runs = []
    loaders = None
    with tempfile.TemporaryDirectory() as checkpoints:
        for activation in activations:
            overrides = {**(settings or {}), "latent_activation": activation, "checkpoint_dir": checkpoints}
            config = Config("DeepAE", dataset, list(config_files), overrides)
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
        property → metric → correlation; None where one of them is constant.
    """

    def column(part: str, key: str) -> np.ndarray:
        return np.array([run[part][key] for run in runs], dtype=float)

    return {
        name: {
            metric: _rank_correlation(column("properties", name), column("test", metric)) for metric in runs[0]["test"]
        }
        for name in runs[0]["properties"]
    }


def spread_table(runs: Sequence[Trained], metric: str) -> str:
    """Return mean and standard deviation over seeds, an activation a line, the best by a test metric first.

    Args:
        runs: as :func:`compare_activations` returns them.
        metric: of the test.
    """
    lines = []
    for activation in _activations(runs):
        of_activation = [run for run in runs if run["activation"] == activation]
        scores = [run["test"][metric] for run in of_activation]
        properties = [[run["properties"][name] for run in of_activation] for name in _IN_SPREAD_TABLE]
        cells = [_spread(values) for values in (scores, *properties)]
        lines.append((statistics.fmean(scores), activation, cells))
    head = "".join(f"{name:>22}" for name in (metric, *_IN_SPREAD_TABLE))
    body = [f"{name:<14}" + "".join(f"{cell:>22}" for cell in cells) for _, name, cells in sorted(lines, reverse=True)]
    return "\n".join([f"{'':<14}{head}", *body])


def write(runs: Sequence[Trained], folder: str | os.PathLike, metric: str) -> None:
    """Write runs.json, table.txt and properties.png into a folder.

    Args:
        runs: as :func:`compare_activations` returns them.
        folder: created if it does not exist.
        metric: of the test, to rank by.

    Raises:
        ValueError: matplotlib, which draws the plot, is not installed.
    """
    pyplot = load_pyplot()
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    content = {"runs": runs, "spearman": correlations(runs)}
    write_whole(folder / "runs.json", json.dumps(content, indent=1) + "\n")
    write_whole(folder / "table.txt", spread_table(runs, metric) + "\n")
    picture, panels = pyplot.subplots(1, len(_IN_PLOT), figsize=(4 * len(_IN_PLOT), 3.6), sharey=True)
    for panel, name in zip(panels, _IN_PLOT):
        for activation in _activations(runs):
            of_activation = [run for run in runs if run["activation"] == activation]
            values = [run["properties"][name] for run in of_activation]
            panel.plot(values, [run["test"][metric] for run in of_activation], "o", label=activation)
        panel.set_xlabel(name.replace("_", " "))
    panels[0].set_ylabel(metric)
    panels[-1].legend(fontsize="small", bbox_to_anchor=(1.02, 1), loc="upper left")
    with whole(folder / "properties.png") as file:
        picture.savefig(file, format="png", dpi=150, bbox_inches="tight")
    pyplot.close(picture)


@torch.no_grad()
def rows_and_codes(model: Any, batch: int = 1024) -> tuple[sp.csr_matrix, np.ndarray]:
    """Return all users' histories, of shape (users, items), and their codes, of shape (users, k).

    Args:
        model: a trained DeepAE.
        batch: users encoded at a time.
    """
    model.eval()
    users = torch.arange(model.n_users, device=model.indptr.device)
    codes = [model.code(*model.history(part)).cpu().numpy() for part in users.split(batch)]
    indices = model.indices.cpu().numpy()
    indptr = model.indptr.cpu().numpy()
    X = sp.csr_matrix((np.ones(len(indices)), indices, indptr), shape=(model.n_users, model.n_items))
    return X, np.concatenate(codes)


def _measure(study: Study, name: str, seeds: Sequence[int], settings: Mapping[str, Any]) -> list[Trained]:
    """Return the runs of one activation."""
    run = study.protocol.run("full_rank")
    settings = {"state": "ERROR", "show_progress": False, **settings, **run.settings}
    files = study.plan["config_files"]
    with quiet():
        return compare_activations(study.protocol.dataset, [name], seeds, config_files=files, settings=settings)


def _train(config: Config, loaders: tuple, seed: int) -> Trained:
    """Train one model; the properties are those of its best epoch, on the users of training."""
    train, valid, test = loaders
    init_seed(seed, config["reproducibility"])
    train.generator.manual_seed(seed)
    model = build_model(config, train)
    trainer = build_trainer(config, model)
    _, best = trainer.fit(train, valid, verbose=False, show_progress=config["show_progress"])
    metrics = trainer.evaluate(test, show_progress=config["show_progress"])
    properties = encoder_properties(*rows_and_codes(model), seed=seed)
    return {
        "epochs": len(trainer.train_loss_dict),
        "properties": dataclasses.asdict(properties),
        "valid": dict(best or {}),
        "test": dict(metrics),
    }


def _rank_correlation(x: np.ndarray, y: np.ndarray) -> float | None:
    """Return Spearman's correlation of what is finite in both; None where one is constant."""
    known = np.isfinite(x) & np.isfinite(y)
    x = x[known]
    y = y[known]
    varied = len(x) > 2 and np.ptp(x) > 0 and np.ptp(y) > 0
    return float(spearmanr(x, y).statistic) if varied else None


def _sigmoid_leads(data: Mapping[str, Any], column: str) -> bool | None:
    """Return whether sigmoid leads ReLU and tanh with every seed, in four digits; False where one leads sigmoid so."""
    sigmoid = [round(value, 4) for value in _column(data, "sigmoid", column)]
    verdicts: list[bool | None] = []
    for name in ("relu", "tanh"):
        other = [round(value, 4) for value in _column(data, name, column)]
        if min(sigmoid) > max(other):
            verdicts.append(True)
        else:
            verdicts.append(False if max(sigmoid) < min(other) else None)
    return together(verdicts)


def _listed(means: Mapping[str, float]) -> str:
    """Return the means of the activations that the claims are about."""
    return ", ".join(f"{name} {means[name]:.4f}" for name in ("sigmoid", "relu", "tanh"))


def _activations(runs: Iterable[Trained]) -> list[str]:
    """Return the activations of some runs, in their order."""
    return list(dict.fromkeys(run["activation"] for run in runs))


def _means(data: Mapping[str, Any], column: str) -> dict[str, float]:
    """Return activation → mean over seeds of a property or test metric."""
    return {name: statistics.fmean(_column(data, name, column)) for name in _activations(data["runs"])}


def _column(data: Mapping[str, Any], name: str, column: str) -> list[float]:
    """Return a property or test metric of every run of one activation."""
    runs = [run for run in data["runs"] if run["activation"] == name]
    return [(run["properties"] if column in run["properties"] else run["test"])[column] for run in runs]


def _spread(values: Sequence[float]) -> str:
    """Return mean and standard deviation as text."""
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.fmean(values):.4f} ± {deviation:.4f}"
