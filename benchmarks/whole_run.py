"""Where does the time of a whole run_recbole go, and what memory does it take?

    python benchmarks/whole_run.py --shape ml-20m --folder DATA [--repeats 1]      # a synthetic file, written once
    python benchmarks/whole_run.py --dataset ml-1m --data_path DATA --config_files configs/ml-1m.yaml
    python benchmarks/whole_run.py --shape ml-20m --folder DATA --runs EDLAE EASE --against CHECKOUT

Seconds by phase (medians) and peak memory; each run in a process of its own, by turns. A run is a model, with
``:stock`` behind it on RecBole's own data path (``vectorized_data: False``). BPR trains for one epoch. --against runs
every model with another checkout of this package too.

"other" is what is in no phase, such as settings and log files; torch puts off large imports until the first optimizer,
which falls to "make trainer".
"""

import argparse
import os
import pathlib
import sys
import tempfile
import time

from common import SHAPES, Peak, measured, median, options_of, report, synthetic

EPOCHS = {"BPR": 1}
PACKAGE = pathlib.Path(__file__).parents[1]


class Phases:
    """Adds up the seconds of wrapped functions by phase; what one calls inside another counts for the outer one."""

    def __init__(self):
        self.seconds, self.inside = {}, False

    def wrap(self, phase, function):
        def watched(*arguments, **options):
            if self.inside:
                return function(*arguments, **options)
            self.inside, start = True, time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                self.inside = False
                self.seconds[phase] = self.seconds.get(phase, 0.0) + time.perf_counter() - start

        return watched


def measure(model, dataset, config_files, settings):
    """Phase → seconds of one run in this process, from the import on, its peak memory and its metrics."""
    begin, phases = time.perf_counter(), Phases()
    sys.argv = sys.argv[:1]

    def load():
        import recbole_edlae  # noqa: F401  before RecBole

        from recbole.quick_start import quick_start  # isort: skip

        return quick_start

    quick_start = phases.wrap("import", load)()
    for name, phase in (("create_dataset", "read data"), ("data_preparation", "split data")):
        setattr(quick_start, name, phases.wrap(phase, getattr(quick_start, name)))
    for name, phase in (("get_flops", "count operations"), ("get_environment", "environment")):
        setattr(quick_start, name, phases.wrap(phase, getattr(quick_start, name)))
    get_model, get_trainer = quick_start.get_model, quick_start.get_trainer
    quick_start.get_model = lambda name: phases.wrap(
        "fit", get_model(name)
    )  # EASE is fitted when it is made

    def trainer(*kind):
        def build(*arguments):
            made = phases.wrap("make trainer", get_trainer(*kind))(*arguments)
            for name, phase in (
                ("_train_epoch", "fit"),
                ("_valid_epoch", "validate"),
                ("_save_checkpoint", "save"),
            ):
                setattr(made, name, phases.wrap(phase, getattr(made, name)))
            made.evaluate = phases.wrap("test", made.evaluate)
            return made

        return build

    quick_start.get_trainer = trainer
    with tempfile.TemporaryDirectory() as folder, Peak() as peak:
        os.chdir(folder)
        quiet = {"state": "ERROR", "show_progress": False, "checkpoint_dir": folder}
        result = quick_start.run_recbole(model, dataset, config_files, {**quiet, **settings})
        os.chdir("/")
    total = time.perf_counter() - begin
    seconds = {**phases.seconds, "other": total - sum(phases.seconds.values()), "total": total}
    return {**seconds, "peak GB": peak.total / 1e9, "metrics": str(result["test_result"])}


def run(name, checkout, dataset, config_files, settings):
    """What :func:`measure` returns in a fresh process that imports the package from a checkout."""
    model, _, stock = name.partition(":")
    settings = dict(settings)
    if stock:
        settings["vectorized_data"] = False
    if model in EPOCHS:
        settings["epochs"] = EPOCHS[model]
    return measured(__file__, [model, dataset, config_files, settings], checkout)


def write_once(shape, folder):
    """Write a synthetic atomic file, unless it is there; return the name of the dataset."""
    name = f"{shape}-shape"
    path = pathlib.Path(folder, name, f"{name}.inter")
    if not path.exists():
        X = synthetic(*SHAPES[shape]).tocoo()
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("w") as file:
            file.write("user_id:token\titem_id:token\n")
            for start in range(0, X.nnz, 1_000_000):
                rows = slice(start, start + 1_000_000)
                file.writelines(f"{user}\t{item}\n" for user, item in zip(X.row[rows] + 1, X.col[rows] + 1))
        part.rename(path)
    return name


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", default="ml-100k")
    parser.add_argument("--data_path")
    parser.add_argument("--shape", choices=SHAPES, help="a synthetic dataset instead")
    parser.add_argument("--folder", default="dataset", help="of the synthetic dataset")
    parser.add_argument("--config_files", nargs="+", default=[], type=os.path.abspath)
    parser.add_argument(
        "--runs", nargs="+", default=["EDLAE", "EDLAE:stock", "EASE"], metavar="MODEL[:stock]"
    )
    parser.add_argument("--repeats", type=int, default=3)
    options = options_of(parser, measure)
    if options is None:
        return
    data_path = options.data_path
    if options.shape:
        options.dataset = write_once(options.shape, options.folder)
        data_path = options.folder
    settings = {"data_path": os.path.abspath(data_path)} if data_path else {}
    contenders = {name: (name, PACKAGE) for name in options.runs}
    if options.against:
        contenders |= {f"{name}, against": (name, options.against.resolve()) for name in options.runs}
    runs_of = {label: [] for label in contenders}
    for _ in range(options.repeats):
        for label, (name, checkout) in contenders.items():
            runs_of[label].append(run(name, checkout, options.dataset, options.config_files, settings))
            print(label, runs_of[label][-1], file=sys.stderr, flush=True)
    last = ("other", "total", "peak GB")
    phases = list(dict.fromkeys(phase for runs in runs_of.values() for run in runs for phase in run))
    phases = [phase for phase in phases if phase not in (*last, "metrics")] + list(last)
    rows = [
        {
            "phase": phase,
            **{label: median([run.get(phase, 0.0) for run in runs]) for label, runs in runs_of.items()},
        }
        for phase in phases
    ]
    report(rows, options.out, question="whole run", dataset=options.dataset)


if __name__ == "__main__":
    main()
