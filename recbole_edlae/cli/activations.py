"""`recbole-edlae activations`: DeepAE with several latent activations, what its encoder keeps and how it ranks."""

import argparse
import json
import pathlib
from collections.abc import Sequence

from recbole.config import Config

from recbole_edlae._files import write_atomically
from recbole_edlae.cli.parser import Parser
from recbole_edlae.cli.single_run import prepare
from recbole_edlae.nn.activations import ACTIVATIONS
from recbole_edlae.papers.activations import Trained, compare_activations
from recbole_edlae.papers.plot import load_pyplot
from recbole_edlae.papers.spread import spread_table, write
from recbole_edlae.settings.configs import PROTOCOLS, listing
from recbole_edlae.settings.parts import check_parts
from recbole_edlae.settings.schema import check_choice

PROGRAM = "recbole-edlae activations"
DESCRIPTION = (
    "The activation study: DeepAE with several latent activations and seeds, "
    "what its encoder keeps, how it ranks."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    output = "folder of runs.json, table.txt and properties.png (default: %(default)s)"
    add = parser.add_argument
    add("--activations", nargs="+", default=list(ACTIVATIONS), metavar="NAME", help="default: all")
    add("--seeds", nargs="+", type=int, default=[1, 2, 3], metavar="N", help="default: 1 2 3")
    add("--output", default="activations", metavar="DIR", help=output)


def main(arguments: Sequence[str]) -> list[Trained]:
    """Train DeepAE with every activation and seed, write the study and print its table."""
    parser = Parser(PROGRAM, description=DESCRIPTION)
    add_arguments(parser)
    usage = "All else is as in `recbole-edlae run --model=DeepAE`: --dataset, --config_files, --key=value."
    parser.epilog = f"{usage}\n\n{listing(PROTOCOLS)}"
    # All input and the drawing library are checked before the first training.
    study, remaining = parser.parse_known_args(arguments)
    load_pyplot()
    for name in study.activations:
        check_choice("activations", name, ACTIVATIONS)
    options = prepare([*remaining, "--model=DeepAE"], PROGRAM)
    if "latent_activation" in options.settings:
        raise ValueError("latent_activation is what the study varies: name the choices after --activations")

    # RecBole's config has the split, which may be a default.
    settings = {"state": "ERROR", "show_progress": False, **options.settings}
    config = Config("DeepAE", options.dataset, options.config_files, dict(settings))
    check_parts(config.final_config_dict, {"test": "activations are compared on it"})
    folder = pathlib.Path(study.output)
    folder.mkdir(parents=True, exist_ok=True)

    # The file is written after each run, so a later failure loses none of them.
    finished: list[Trained] = []

    def report(run: Trained) -> None:
        name = f"{run['activation']}, seed {run['seed']}"
        print(f"{name}, {run['epochs']} epochs: {run['test']}", flush=True)
        finished.append(run)
        text = json.dumps({"runs": finished}, indent=1)
        write_atomically(folder / "runs.json", f"{text}\n")

    runs = compare_activations(
        options.dataset, study.activations, study.seeds, settings=settings, progress=report
    )

    # The validation metric, or the first one if the test does not have it.
    metric = str(settings.get("valid_metric", "")).lower()
    if metric not in runs[0]["test"]:
        metric = next(iter(runs[0]["test"]))
    write(runs, folder, metric)
    print(spread_table(runs, metric))
    return runs
