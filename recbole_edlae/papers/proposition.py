"""Steck & Garcia 2021, Proposition: no deep autoencoder fits its training data better than a linear one as wide."""

import tempfile

import numpy as np
import torch
from recbole.data import create_dataset, data_preparation
from recbole.utils import get_model, get_trainer, init_seed

from recbole_edlae.analysis.training_error import squared_error, svd_bound
from recbole_edlae.model.history import binary_interactions
from recbole_edlae.runs.runner import quiet
from recbole_edlae.solvers import gram, low_rank

TITLE = "Training error against width (Steck & Garcia 2021, Proposition)"
CLAIMS = (
    "No model whose last hidden layer has width k fits the training data better than the rank-k singular value "
    "decomposition, however deep.",
)
SETTINGS = {"dropout_prob": 0.0, "reg_weight": 0.0, "use_bias": False, "normalize_input": False}
MODELS = {  # label → settings of DeepAE for a width of the last hidden layer
    "shallow, linear": lambda k: {"latent_dimension": k, "latent_activation": "identity"},
    "shallow, sigmoid": lambda k: {"latent_dimension": k, "latent_activation": "sigmoid"},
    "deep, tanh": lambda k: {"mlp_hidden_size": [k, 256], "latent_dimension": 128, "latent_activation": "tanh"},
}


def measure(lab):
    """Squared errors, as shares of ‖X‖², of models trained without noise or penalty, of the bound and of row 2."""
    plan = lab.plan["proposition"]
    widths = [width for width in plan["widths"] if width <= lab.X.shape[1]]
    settings = {key: value for key, value in plan.items() if key != "widths"}
    l2 = lab.best("free_diagonal", rank=min(lab.plan["rank"], lab.ranks[-1]))["reg_weight"]
    errors = {
        label: [lab.remember("proposition", _trained, label, width, settings) for width in widths] for label in MODELS
    }
    errors["linear, penalised"] = [lab.remember("proposition, penalised", _penalised, width, l2) for width in widths]
    bound = lab.remember("proposition, bound", _bound, widths)
    return {"widths": widths, "settings": settings, "bound": bound, "errors": errors, "reg_weight": l2}


def _bound(lab, widths):
    return [each / lab.X.nnz for each in svd_bound(lab.X, widths)]


@torch.no_grad()
def _trained(lab, label, width, settings):
    """Error of one DeepAE, trained on all of the training data for a number of epochs."""
    cell = lab.cell("sampled", **SETTINGS, **MODELS[label](width), **settings)
    with quiet(), tempfile.TemporaryDirectory() as folder:
        config = cell.config(checkpoint_dir=folder, show_progress=False, eval_step=0)
        init_seed(config["seed"], config["reproducibility"])
        train = data_preparation(config, create_dataset(config))[0]
        model = get_model(cell.model)(config, train.dataset).to(config["device"])
        with torch.enable_grad():
            get_trainer(config["MODEL_TYPE"], cell.model)(config, model).fit(train, saved=False, verbose=False)

    def score(rows):
        items, count = (torch.from_numpy(each.astype(np.int64)) for each in (rows.indices, np.diff(rows.indptr)))
        return model.score(items.to(config["device"]), count.to(config["device"])).cpu().numpy()

    model.eval()
    return squared_error(binary_interactions(train.dataset), score) / lab.X.nnz


def _penalised(lab, width, l2):
    u, v, *_ = low_rank(gram(lab.X, dtype=torch.float64), width, method="free_diagonal", dropout=0.0, l2=l2)
    return squared_error(lab.X, lambda rows: rows @ u.numpy() @ v.numpy().T) / lab.X.nnz


def found(data):
    """For each claim whether it holds, and the numbers; float32 training may come within rounding of the bound."""
    ratio, label, width = min(
        (error / bound, label, width)
        for label, errors in data["errors"].items()
        for error, bound, width in zip(errors, data["bound"], data["widths"])
    )
    return [(ratio > 1 - 1e-4, f"nearest to the bound: {label} of width {width}, {ratio:.4f} of it")]


def table(data):
    """Markdown."""
    lines = [
        "| squared error / ‖X‖² | " + " | ".join(f"width {k}" for k in data["widths"]) + " |",
        "|---|" + "---|" * len(data["widths"]),
        "| rank-k singular value decomposition | " + " | ".join(f"{each:.4f}" for each in data["bound"]) + " |",
    ]
    lines += [f"| {label} | " + " | ".join(f"{e:.4f}" for e in each) + " |" for label, each in data["errors"].items()]
    settings = ", ".join(f"`{key}` {value:g}" for key, value in data["settings"].items())
    return "\n".join(
        [*lines, "", f"Trained with {settings}; the penalised one with `reg_weight` {data['reg_weight']:g}."]
    )


def draw(data, figure):
    """Errors against width, the bound as a line that nothing may cross."""
    axes = figure.subplots()
    axes.plot(data["widths"], data["bound"], "k-", label="singular value decomposition")
    for (label, each), style in zip(data["errors"].items(), ("bo", "c^", "rs", "g+")):
        axes.plot(data["widths"], each, style, label=label)
    axes.set(xscale="log", xlabel="width of the last hidden layer", ylabel="squared error / ‖X‖²")
    axes.legend(fontsize="small")
