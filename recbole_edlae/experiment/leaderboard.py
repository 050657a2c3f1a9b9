"""`recbole-edlae leaderboard`: many models under one protocol, on the same splits, tested against each other."""

import pathlib
import shlex
import sys

import yaml
from tqdm import tqdm

from recbole_edlae import checks
from recbole_edlae.evaluation.significance import TESTS
from recbole_edlae.experiment import board, command, engine, report
from recbole_edlae.experiment.records import Records

PROGRAM = "recbole-edlae leaderboard"
BOARDS = command.CONFIGS / "leaderboard"
_KEYS = ("dataset", "config_files", "seeds", "reference", "models")


def add_arguments(parser):
    """The command's own words."""
    parser.add_argument("--models", nargs="+", metavar="MODEL", help="rows of the settings file, or models as they are")
    parser.add_argument("--dataset", nargs="+", metavar="NAME", help="one or several (default: the settings file's)")
    parser.add_argument("--settings", metavar="FILE", help="YAML: models and the settings of each (default: that of "
                        "the dataset, of those that come along; without a dataset ml-100k)")  # fmt: skip
    parser.add_argument("--seeds", nargs="+", type=int, metavar="N", help="each is another split (default: 2020)")
    parser.add_argument("--test", choices=TESTS, default=TESTS[0], help="paired test over users (default: %(default)s)")
    parser.add_argument("--reference", metavar="FILE", help="CSV of published results to show beside")


def main(arguments):
    """Runs what is not on record in --output, then writes the report there and prints the table."""
    with checks.said_in_one_line(PROGRAM):
        options, overrides = command.parse(PROGRAM, __doc__, add_arguments, arguments)
        plans = [Plan(dataset, options, overrides) for dataset in options.dataset or [None]]
        for plan in plans:
            command.check(plan.cells, overrides)
        records = Records(options.output or "leaderboard")
        boards = [run(plan, records, options) for plan in plans]
        words = shlex.join(["recbole-edlae", "leaderboard", *arguments])
        report.write(boards, records.folder, words)
    print("\n".join(report.terminal(each) for each in boards))
    print(f"\nreport: {records.folder / 'leaderboard.html'}")


class Plan:
    """The cells of one dataset's leaderboard: rows of a settings file × seeds."""

    def __init__(self, dataset, options, overrides):
        path = _settings_file(dataset, options)
        content = read_settings(path) if path else {}
        folder = path.parent if path else pathlib.Path()
        self.dataset = dataset or content.get("dataset", "ml-100k")
        files = options.config_files or [folder / file for file in content.get("config_files", [])]
        overrides = dict(overrides)
        self.seeds = options.seeds or content.get("seeds") or [overrides.pop("seed", 2020)]
        reference = options.reference or (folder / content["reference"] if "reference" in content else None)
        self.reference = board.read_reference(reference) if reference else []
        self.rows = _rows(content.get("models") or {}, options.models)
        self.cells = [
            command.make_cell(model, self.dataset, files, {**settings, **overrides, "seed": seed}, label)
            for seed in self.seeds
            for label, (model, settings) in self.rows.items()
        ]


def read_settings(path):
    """Content of a leaderboard's YAML file.

    Its keys: ``models`` maps the label of a row to the settings of its model, or to a config file with them as ``tune``
    writes it (what the leaderboard's config_files say as well is left out); the model is the label unless a setting
    ``model`` says otherwise. ``dataset``, ``config_files`` and ``reference`` and ``seeds`` are what the command line's
    words of that name are. Files are found relative to this one.

    Raises:
        ValueError: there is a key it does not know, or models are not a mapping of mappings.
    """
    content = checks.read_config_files([path])
    for key in content:
        if key not in _KEYS:
            raise ValueError(f"settings: {path} has a key {key}; there are {', '.join(_KEYS)}")
    models = content.get("models")
    if not isinstance(models, dict) or not all(isinstance(each or {}, (dict, str)) for each in models.values()):
        raise ValueError(
            f"settings: models in {path} must map names to settings, `EDLAE: {{reg_weight: 500.0}}`, or to files"
        )
    folder = pathlib.Path(path).parent
    protocol = checks.read_config_files([folder / file for file in content.get("config_files", [])])
    for label, settings in models.items():
        if isinstance(settings, str):
            models[label] = _settings_of(folder / settings, {**protocol, "dataset": content.get("dataset")})
    return content


def _settings_of(file, protocol):
    """What a config file says beyond the protocol."""
    content = checks.read_config_files([file])
    return {key: value for key, value in content.items() if key not in protocol or protocol[key] != value}


def run(plan, records, options):
    """Board of one plan, whose cells are run or found on record."""
    outcomes = {label: {} for label in plan.rows}
    again = ""
    with tqdm(total=len(plan.cells), desc=plan.dataset, unit="run", disable=None) as bar:
        for cell, record, known in engine.run(plan.cells, records, engine=options.engine):
            outcomes[cell.label][cell.settings["seed"]] = record
            bar.update()
            again = " (on record)" if known else ""
            tqdm.write(f"{plan.dataset}  {_line(cell, record)}{again}", file=sys.stderr)
    ordered = {label: [found[seed] for seed in plan.seeds] for label, found in outcomes.items()}
    settings = {label: settings for label, (_, settings) in plan.rows.items()}
    return board.build(
        plan.dataset, ordered, records, settings=settings, test=options.test, reference=plan.reference
    )  # fmt: skip


def _line(cell, record):
    what = f"{cell.label}, seed {cell.settings['seed']}"
    if record["status"] == "failed":
        return f"{what}: failed, {record['error']}"
    metric = record["identity"]["settings"]["valid_metric"].lower()
    return f"{what}: {metric} {record['test'][metric]:.4f}, fit in {record['fit_seconds']:.1f} s"


def _settings_file(dataset, options):
    if options.settings:
        return pathlib.Path(options.settings)
    path = BOARDS / f"{dataset or 'ml-100k'}.yaml"
    return path if path.is_file() else None


def _rows(models, chosen):
    """Label → (model, settings): the file's rows, or those chosen of them; a chosen model that is none is as it is."""
    default = yaml.safe_load((BOARDS / "ml-100k.yaml").read_text(encoding="utf-8"))["models"]
    models = models or dict.fromkeys(default)
    rows = {label: dict(models.get(label) or {}) for label in chosen or models}
    return {label: (settings.pop("model", label), settings) for label, settings in rows.items()}
