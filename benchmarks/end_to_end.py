"""Where does the time of a whole run_recbole go, of EDLAE and of RecBole's EASE?

    python benchmarks/end_to_end.py [--dataset ml-100k] [--data_path DATA] [--config_files FILE ...] [--repeats 3]
        [--models EDLAE EASE] [--out end_to_end.json]

Seconds by phase (medians), each run in a process of its own, by turns. "other" is what is in no phase, such as
settings and log files; torch puts off large imports until the first optimizer, which falls to "make trainer".
"""

import argparse
import os
import sys
import tempfile
import time

from common import fresh, median, report


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
    """Phase → seconds of one run, from the import on."""
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
    quick_start.get_model = lambda name: phases.wrap("fit", get_model(name))  # EASE is fitted when it is made

    def trainer(*kind):
        def build(*arguments):
            made = phases.wrap("make trainer", get_trainer(*kind))(*arguments)
            for name, phase in (("_train_epoch", "fit"), ("_valid_epoch", "validate"), ("_save_checkpoint", "save")):
                setattr(made, name, phases.wrap(phase, getattr(made, name)))
            made.evaluate = phases.wrap("test", made.evaluate)
            return made

        return build

    quick_start.get_trainer = trainer
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        quiet = {"state": "ERROR", "show_progress": False, "checkpoint_dir": folder}
        quick_start.run_recbole(model, dataset, config_files, {**quiet, **settings})
        os.chdir("/")
    total = time.perf_counter() - begin
    return {**phases.seconds, "other": total - sum(phases.seconds.values()), "total": total}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="ml-100k")
    parser.add_argument("--data_path")
    parser.add_argument("--config_files", nargs="+", default=[], type=os.path.abspath)
    parser.add_argument("--models", nargs="+", default=["EDLAE", "EASE"])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", help="JSON file")
    options = parser.parse_args()
    settings = {"data_path": os.path.abspath(options.data_path)} if options.data_path else {}
    measured = {name: [] for name in options.models}
    for _ in range(options.repeats):
        for name, runs in measured.items():
            runs.append(fresh(measure, name, options.dataset, options.config_files, settings))
    phases = list(dict.fromkeys(phase for runs in measured.values() for run in runs for phase in run))
    phases.sort(key=lambda phase: (phase in ("other", "total"), phase == "total"))
    rows = [
        {"phase": phase, **{name: median([run.get(phase, 0.0) for run in runs]) for name, runs in measured.items()}}
        for phase in phases
    ]
    report(rows, options.out, question="whole run", dataset=options.dataset)


if __name__ == "__main__":
    main()
