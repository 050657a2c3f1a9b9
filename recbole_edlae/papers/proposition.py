"""Steck & Garcia 2021, Proposition: no deep autoencoder fits its training data better than a linear one as wide."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch

from recbole_edlae.analysis.training_error import squared_error, svd_bound
from recbole_edlae.model.history import binary_interactions
from recbole_edlae.model.members import build
from recbole_edlae.papers.claims import Verdict
from recbole_edlae.papers.figure import Figure, cells, markdown_table, settings_text
from recbole_edlae.papers.study import Study
from recbole_edlae.runs.preparation import build_trainer, prepare_data
from recbole_edlae.runs.runner import quiet
from recbole_edlae.solvers import gram, low_rank

SETTINGS = {
    "dropout_prob": 0.0,
    "reg_weight": 0.0,
    "use_bias": False,
    "normalize_input": False,
}
# Label → settings of DeepAE; its last hidden layer is k wide.
MODELS: dict[str, Callable[[int], dict[str, Any]]] = {
    "shallow, linear": lambda k: {
        "latent_dimension": k,
        "latent_activation": "identity",
    },
    "shallow, sigmoid": lambda k: {
        "latent_dimension": k,
        "latent_activation": "sigmoid",
    },
    "deep, tanh": lambda k: {
        "mlp_hidden_size": [k, 256],
        "latent_dimension": 128,
        "latent_activation": "tanh",
    },
}


class Proposition(Figure):
    """Training errors of deep models against their width, beside the bound."""

    name = "proposition"
    title = "Training error against width (Steck & Garcia 2021, Proposition)"
    claims = (
        "No model whose last hidden layer has width k fits the training data "
        "better than the rank-k singular value decomposition, however deep.",
    )

    def measure(self, study: Study) -> dict[str, Any]:
        """Return the squared errors, as shares of ‖X‖², of the bound, of unpenalized models and of row 2 of Table 1."""
        settings = dict(study.plan["proposition"])
        widths = study.up_to_items(settings.pop("widths"))
        l2 = study.best("free_diagonal", rank=study.rank)["reg_weight"]

        # Each training is a measurement of its own, so an interrupted study loses only one.
        errors: dict[str, list[float]] = {}
        for label in MODELS:
            errors[label] = []
            for width in widths:
                error = study.remember("proposition", _trained, label, width, settings)
                errors[label].append(error)

        penalized = []
        for width in widths:
            penalized.append(study.remember("proposition, penalized", _penalized, width, l2))
        errors["linear, penalized"] = penalized

        return {
            "widths": widths,
            "settings": settings,
            "bound": study.remember("proposition, bound", _bound, widths),
            "errors": errors,
            "reg_weight": l2,
        }

    def verdicts(self, data: dict[str, Any]) -> list[Verdict]:
        """Return whether the claim holds, decided on the number as it is shown, because training in float32 rounds."""
        # The model that is nearest to the bound decides.
        ratios = []
        for label, errors in data["errors"].items():
            for error, bound, width in zip(errors, data["bound"], data["widths"]):
                ratios.append((error / bound, label, width))
        ratio, label, width = min(ratios)
        numbers = f"nearest to the bound: {label} of width {width}, {ratio:.4f} of it"
        return [Verdict(round(ratio, 4) >= 1, numbers)]

    def table(self, data: dict[str, Any]) -> str:
        """Return a model a line, a width a column."""
        # The bound is above what it bounds.
        head = ["squared error / ‖X‖²", *map("width {}".format, data["widths"])]
        rows = [["rank-k singular value decomposition", *cells(data["bound"])]]
        for label, errors in data["errors"].items():
            rows.append([label, *cells(errors)])

        settings = settings_text(data["settings"])
        penalty = settings_text({"reg_weight": data["reg_weight"]})
        note = f"Trained with {settings}; the penalized one with {penalty}."
        return f"{markdown_table(head, rows)}\n\n{note}"

    def draw(self, data: dict[str, Any], figure: Any) -> None:
        """Draw errors against width, the bound as a line that nothing may cross."""
        # Points have no line between them: each is a model of its own.
        axes = figure.subplots()
        axes.plot(data["widths"], data["bound"], "k-", label="singular value decomposition")
        for label, style in zip(data["errors"], ("bo", "c^", "rs", "g+")):
            axes.plot(data["widths"], data["errors"][label], style, label=label)
        axes.set(xscale="log", xlabel="width of the last hidden layer")
        axes.set_ylabel("squared error / ‖X‖²")
        axes.legend(fontsize="small")


def _bound(study: Study, widths: Sequence[int]) -> list[float]:
    """Return the error of the singular value decomposition at each width."""
    # ‖X‖² of a binary matrix is the number of its ones.
    errors = np.ravel(svd_bound(study.X, widths))
    return (errors / study.X.nnz).tolist()


@torch.no_grad()
def _trained(study: Study, label: str, width: int, settings: Mapping[str, Any]) -> float:
    """Return the error of one DeepAE, trained on the training data for a number of epochs."""
    # Never evaluated, so that no epoch is chosen: the claim is about the fit alone.
    run = study.protocol.run("sampled", **SETTINGS, **MODELS[label](width), **settings)
    with quiet(), tempfile.TemporaryDirectory() as folder:
        config = run.config(checkpoint_dir=folder, show_progress=False, eval_step=0)
        train, *_ = prepare_data(config)
        model: Any = build(config, train._dataset)
        with torch.enable_grad():
            build_trainer(config, model).fit(train, saved=False, verbose=False)

    # A CSR row is a user's history as the model takes it.
    def score(rows: sp.csr_matrix) -> np.ndarray:
        items = torch.from_numpy(rows.indices).long().to(config["device"])
        lengths = torch.from_numpy(np.diff(rows.indptr)).long().to(config["device"])
        return model.score(items, lengths).cpu().numpy()

    # ‖X‖² of a binary matrix is the number of its ones.
    model.eval()
    return squared_error(binary_interactions(train.dataset), score) / study.X.nnz


def _penalized(study: Study, width: int, l2: float) -> float:
    """Return the error of row 2 of Table 1."""
    G = gram(study.X, dtype=torch.float64)
    u, v, *_ = low_rank(G, width, method="free_diagonal", dropout=0.0, l2=l2)

    # From left to right, so that no items × items matrix is made.
    error = squared_error(study.X, lambda rows: rows @ u.numpy() @ v.numpy().T)
    return error / study.X.nnz
