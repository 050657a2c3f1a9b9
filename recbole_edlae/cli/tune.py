"""`recbole-edlae tune`: searches one model's settings on validation, with the data and the Gram matrix built once.

The test set is looked at once, for the settings that validation chose. Where the test comes without a validation file,
search_filename: [fit, valid] beside benchmark_filename: [train, test, test] searches on parts of the training file,
refits the best on the whole of it, and tests that.
"""

import argparse
import json
import pathlib
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tqdm import tqdm

from recbole_edlae._files import CONFIGS, write_atomically
from recbole_edlae._warnings import warn
from recbole_edlae.cli import runs as command
from recbole_edlae.cli.checks import check_model
from recbole_edlae.data.search_files import check_search_files
from recbole_edlae.runs import space
from recbole_edlae.runs.engine import run_all
from recbole_edlae.runs.protocol import check_space
from recbole_edlae.runs.records import Records
from recbole_edlae.runs.run import Run, make_run
from recbole_edlae.runs.sweep import ALGORITHMS, Sweep, is_tested
from recbole_edlae.runs.sweep_results import best_config, summary
from recbole_edlae.settings.configs import SPACES, find
from recbole_edlae.settings.files import read_config_files
from recbole_edlae.settings.parts import validates_on_test
from recbole_edlae.settings.registry import model_class, registered

PROGRAM = "recbole-edlae tune"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options to a parser."""
    add = parser.add_argument
    add("--model", "-m", help="name of a model (default: the config files' or EDLAE)")
    add("--dataset", "-d", help="name of a dataset (default: the config files' or ml-100k)")
    lines = "what to search, as RecBole's hyper.test: lines `setting choice [1,2]`, or uniform, quniform, loguniform"
    add("--space", metavar="FILE", help=f"{lines} (default: the model's own)")
    add("--algo", choices=ALGORITHMS, default="exhaustive", help="bayes learns from the trials before")
    add("--max_evals", type=int, metavar="N", help="at most so many settings (default: all, or 100)")
    add("--search_seed", type=int, default=0, metavar="N", help="of the algorithm, not of the data")
    command.add_shared_arguments(parser, "tune/MODEL-DATASET")


def main(arguments: Sequence[str]) -> None:
    """Run the trials that are not on record in --output, test the best and write it there as best.yaml.

    Exits with status 1 if the test of the best trial fails; best.yaml then says so.
    """
    options, overrides = command.parse(PROGRAM, __doc__, add_arguments, arguments, [SPACES])
    from_files = read_config_files(options.config_files)

    # A wrong setting is found before the first trial takes time.
    sweep = _sweep(options, from_files, overrides)
    _check(sweep)
    for dimension in sweep.space:
        remark = dimension.remark()
        if remark:
            command.tell(remark, {})

    # Trials, the refit and its test are all on record in one folder.
    folder = options.output or pathlib.Path("tune") / f"{sweep.base.model}-{sweep.base.dataset}"
    with Records(folder) as records:
        best, validated = _search(sweep, records)
        final = sweep.final(best, validated)
        tested = _test(final, records, options.engine)

        # The settings found are worth a file even if their test failed.
        words = shlex.join(["recbole-edlae", "tune", *arguments])
        given = {**from_files, **overrides}
        text = best_config(final, validated, tested, space=sweep.space, given=given, command=words)
        path = records.folder / "best.yaml"
        write_atomically(path, text)
        content = summary(sweep.outcomes, validated, tested, words)
        write_atomically(
            records.folder / "sweep.json", json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        )

    command.tell(_times(content), {})
    print(f"{text}\n{path}")
    if tested and tested["status"] == "failed":
        print(
            f"{PROGRAM}: error: the best settings failed when they were tested: {tested['error']}",
            file=sys.stderr,
        )
        sys.exit(1)


def _sweep(
    options: argparse.Namespace, from_files: Mapping[str, Any], overrides: Mapping[str, Any]
) -> Sweep:
    """Return the sweep that the options ask for."""
    model = options.model or from_files.get("model", "EDLAE")
    dataset = options.dataset or from_files.get("dataset", "ml-100k")
    base = make_run(model, dataset, options.config_files, overrides)
    return Sweep(
        base,
        _space(options.space, model),
        algorithm=options.algo,
        max_evals=options.max_evals,
        seed=options.search_seed,
        engine=options.engine,
    )


def _check(sweep: Sweep) -> None:
    """Check the settings of all trials and of the test, and the files of both, before any trial runs."""
    check_model(sweep.base.model)
    check_space(sweep.base.model, [dimension.key for dimension in sweep.space])

    # If the ends of each dimension are valid, so is every point between them.
    trials = sweep.extremes()
    command.check(trials, {}, {"validation": "tune chooses by it"})

    # A search on files of its own has a refit with other files and settings.
    settings = trials[0].config().final_config_dict
    if sweep.stage:
        final = sweep.final(trials[0], {})
        command.check([final], {}, {"test": "the settings found are tested on it"})
        check_search_files(final.config().final_config_dict)
    elif validates_on_test(settings):
        warn(
            f"benchmark_filename {settings['benchmark_filename']} has one file for validation and test: settings are "
            "chosen on it and nothing is tested; to test elsewhere set search_filename: [fit, valid] and "
            "benchmark_filename: [train, test, test]"
        )


def _times(content: Mapping[str, Any]) -> str:
    """Return one line on how long the search and the test took."""
    # Cached trials count with the time that they took.
    search = content["search"]
    line = f"{search['trials']} trials took {_duration(search['hours'])}"
    if content["test"] is not None:
        line += f", the test {_duration(content['test']['hours'])}"
    return line


def _duration(hours: float) -> str:
    """Return a duration as text, in minutes below one hour."""
    if hours < 1:
        return f"{60 * hours:.1f} minutes"
    return f"{hours:.1f} hours"


def _space(name: str | None, model: str) -> list[space.Dimension]:
    """Return the search space of a file, of a model's class, or that in the package for a model of RecBole."""
    if name:
        return space.read(find(SPACES, name))

    check_model(model)
    if model in registered():
        text = getattr(model_class(model), "search_space", None)
        if text:
            return space.parse(text, f"search_space of {model}")

    # The classes of RecBole say nothing of what to search.
    file = CONFIGS / "spaces" / f"{model}.test"
    if not file.is_file():
        raise ValueError(f"space: {model} has no search space of its own; name a file: --space FILE")
    return space.read(file)


def _search(sweep: Sweep, records: Records) -> tuple[Run, dict[str, Any]]:
    """Return the best trial with its record, and show the progress of the search."""
    with tqdm(total=sweep.max_evals, desc=f"tune {sweep.base.model}", unit="trial", disable=None) as bar:

        def show(trial: Run, record: dict[str, Any], cached: bool) -> None:
            bar.update()
            command.tell(_line(trial, record, sweep.space), record, cached)

        return sweep.run(records, show)


def _test(final: Run, records: Records, engine: str) -> dict[str, Any] | None:
    """Return the record of the test of the best settings; None if there is no test part."""
    if not is_tested(final):
        return None
    ((_, tested, _),) = run_all([final], records, engine=engine)
    return tested


def _line(trial: Run, record: Mapping[str, Any], dimensions: Sequence[space.Dimension]) -> str:
    """Return one line on a trial that has ended."""
    point = ", ".join(f"{dimension.key} {trial.settings[dimension.key]}" for dimension in dimensions)
    if record["status"] == "failed":
        return f"{point}: failed, {record['error']}"

    metric = record["identity"]["settings"]["valid_metric"].lower()
    seconds = record["fit_seconds"] + record["evaluate_seconds"]
    return f"{point}: {metric} {record['score']:.4f}, {seconds:.1f} s"
