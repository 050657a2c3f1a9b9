"""The activation study: DeepAE with every latent activation, its encoder's properties and its ranking metrics.

One split of the data, several seeds of training. What Susman 2024 asks of an encoder is measured beside the metrics,
so that their correlation can be seen.
"""

import dataclasses
import json
import pathlib
import statistics
import tempfile

import numpy as np
import scipy.sparse as sp
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import get_model, get_trainer, init_seed
from scipy.stats import spearmanr

from recbole_edlae._choices import choose
from recbole_edlae._files import whole, write_whole
from recbole_edlae.analysis.encoder import encoder_properties
from recbole_edlae.cli import runs as command
from recbole_edlae.cli.parser import Parser
from recbole_edlae.cli.single_run import prepare
from recbole_edlae.data.parts import check_loaders, check_parts
from recbole_edlae.nn.activations import ACTIVATIONS

PROGRAM = "recbole-edlae activations"


def main(arguments):
    """The activation study: DeepAE with several latent activations and seeds, what its encoder keeps, how it ranks.

    Returns:
        list of dict: the runs, as ``study`` gives them.
    """
    parser = Parser(PROGRAM, description=main.__doc__.partition("\n")[0])
    parser.add_argument("--activations", nargs="+", default=list(ACTIVATIONS), metavar="NAME", help="default: all")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3], metavar="N", help="default: 1 2 3")
    parser.add_argument("--output", default="activations", help="folder of runs.json, table.txt and properties.png")
    parser.epilog = "All else is as in `recbole-edlae run --model=DeepAE`: --dataset, --config_files, --key=value."
    with command.ended_in_one_line(PROGRAM):
        own, rest = parser.parse_known_args(arguments)
        load_pyplot()
        for name in own.activations:
            choose("activations", name, ACTIVATIONS)
        options = prepare([*rest, "--model=DeepAE"], PROGRAM)
        if "latent_activation" in options.settings:
            raise ValueError("latent_activation is what the study varies: name the choices after --activations")
        settings = {"state": "ERROR", "show_progress": False, **options.settings}
        config = Config("DeepAE", options.dataset, options.config_files, dict(settings))
        check_parts(config.final_config_dict, {"test": "activations are compared on it"})
        folder = pathlib.Path(own.output)
        folder.mkdir(parents=True, exist_ok=True)
        done = []

        def report(run):
            print(f"{run['activation']}, seed {run['seed']}, {run['epochs']} epochs: {run['test']}", flush=True)
            done.append(run)  # what has ended is kept, whatever happens to those after it
            write_whole(folder / "runs.json", json.dumps({"runs": done}, indent=1) + "\n")

        runs = study(options.dataset, own.activations, own.seeds, settings=settings, progress=report)
        metric = str(settings.get("valid_metric", "")).lower()
        metric = metric if metric in runs[0]["test"] else next(iter(runs[0]["test"]))
        write(runs, own.output, metric)
    print(table(runs, metric))
    return runs


def study(dataset, activations, seeds, *, config_files=(), settings=None, progress=None):
    """Trains DeepAE once for each activation and seed.

    Args:
        dataset: name of a dataset, as RecBole knows it.
        activations: names of latent activations.
        seeds: of training; the split of the data has the configured one.
        config_files: RecBole's YAML files, later ones win.
        settings: mapping of settings, which win over the files.
        progress: called with each run as it is done.

    Returns:
        list of dict: ``activation``, ``seed``, ``epochs``, ``properties``, ``valid`` and ``test`` metrics.
    """
    runs, data = [], None
    with tempfile.TemporaryDirectory() as checkpoints:
        for activation in activations:
            overrides = {**(settings or {}), "latent_activation": activation, "checkpoint_dir": checkpoints}
            config = Config("DeepAE", dataset, list(config_files), overrides)
            if data is None:
                init_seed(config["seed"], config["reproducibility"])
                data = data_preparation(config, create_dataset(config))
                check_loaders(data, ("training", "test"))
            for seed in seeds:
                runs.append({"activation": activation, "seed": seed, **_run(config, data, seed)})
                if progress:
                    progress(runs[-1])
    return runs


def correlations(runs):
    """Spearman's rank correlation of every property with every test metric over all runs; None where one is constant.

    Returns:
        dict: property → metric → correlation.
    """

    def rank_correlation(x, y):
        known = np.isfinite(x) & np.isfinite(y)
        x, y = x[known], y[known]
        varied = len(x) > 2 and np.ptp(x) > 0 and np.ptp(y) > 0
        return float(spearmanr(x, y).statistic) if varied else None

    def column(part, key):
        return np.array([run[part][key] for run in runs], dtype=float)

    return {
        name: {
            metric: rank_correlation(column("properties", name), column("test", metric)) for metric in runs[0]["test"]
        }
        for name in runs[0]["properties"]
    }


def table(runs, metric):
    """Mean and standard deviation over seeds, an activation a line, the best by a test metric first."""
    properties = ("order_agreement", "order_ties", "zero_codes", "effective_dimension")
    lines = []
    for activation in dict.fromkeys(run["activation"] for run in runs):
        own = [run for run in runs if run["activation"] == activation]
        numbers = [
            [run["test"][metric] for run in own],
            *([run["properties"][name] for run in own] for name in properties),
        ]
        lines.append((statistics.fmean(numbers[0]), activation, [_spread(values) for values in numbers]))
    head = "".join(f"{name:>22}" for name in (metric, *properties))
    body = [f"{name:<14}" + "".join(f"{cell:>22}" for cell in cells) for _, name, cells in sorted(lines, reverse=True)]
    return "\n".join([f"{'':<14}{head}", *body])


def write(runs, folder, metric):
    """runs.json, table.txt and properties.png in a folder.

    Raises:
        ValueError: matplotlib, which draws the plot, is not installed.
    """
    pyplot = load_pyplot()
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    content = {"runs": runs, "spearman": correlations(runs)}
    write_whole(folder / "runs.json", json.dumps(content, indent=1) + "\n")
    write_whole(folder / "table.txt", table(runs, metric) + "\n")
    properties = ("order_agreement", "zero_entries", "effective_dimension")
    figure, panels = pyplot.subplots(1, len(properties), figsize=(4 * len(properties), 3.6), sharey=True)
    for panel, name in zip(panels, properties):
        for activation in dict.fromkeys(run["activation"] for run in runs):
            own = [run for run in runs if run["activation"] == activation]
            x, y = [run["properties"][name] for run in own], [run["test"][metric] for run in own]
            panel.plot(x, y, "o", label=activation)
        panel.set_xlabel(name.replace("_", " "))
    panels[0].set_ylabel(metric)
    panels[-1].legend(fontsize="small", bbox_to_anchor=(1.02, 1), loc="upper left")
    with whole(folder / "properties.png") as file:
        figure.savefig(file, format="png", dpi=150, bbox_inches="tight")
    pyplot.close(figure)


def load_pyplot():
    """matplotlib.pyplot, drawing to files."""
    try:
        import matplotlib
    except ImportError:
        raise ValueError("the plot needs matplotlib: pip install 'recbole_edlae[plot]'") from None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def _run(config, data, seed):
    """Trains one model; the properties are those of its best epoch, on the users of training."""
    train, valid, test = data
    init_seed(seed, config["reproducibility"])
    train.generator.manual_seed(seed)
    model = get_model("DeepAE")(config, train.dataset).to(config["device"])
    trainer = get_trainer(config["MODEL_TYPE"], "DeepAE")(config, model)
    _, best = trainer.fit(train, valid, verbose=False, show_progress=config["show_progress"])
    result = trainer.evaluate(test, show_progress=config["show_progress"])
    properties = encoder_properties(*rows_and_codes(model), seed=seed)
    return {
        "epochs": len(trainer.train_loss_dict),
        "properties": dataclasses.asdict(properties),
        "valid": dict(best or {}),
        "test": dict(result),
    }


@torch.no_grad()
def rows_and_codes(model, batch=1024):
    """All users' histories, CSR (users, items), and their codes, array (users, k)."""
    model.eval()
    users = torch.arange(model.n_users, device=model.indptr.device)
    codes = [model.code(*model.history(part)).cpu().numpy() for part in users.split(batch)]
    indices, indptr = model.indices.cpu().numpy(), model.indptr.cpu().numpy()
    X = sp.csr_matrix((np.ones(len(indices)), indices, indptr), shape=(model.n_users, model.n_items))
    return X, np.concatenate(codes)


def _spread(values):
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.fmean(values):.4f} ± {deviation:.4f}"
