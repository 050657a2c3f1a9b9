"""What does a sweep cost here, and what through RecBole's HyperTuning, for the same settings with the same metrics?

    python benchmarks/tuning.py DATA [pairs]      # DATA/ml-1m/ml-1m.inter; 1 pair if not given

Runs the 30 settings of EDLAE's own search space on RecBole's ml-1m protocol, each way in its own process, one after
the other, `pairs` times; checks that the metrics of every setting agree, and prints the seconds of either and
their ratio. HyperTuning needs hyperopt 0.2.5 for an exhaustive search (requirements.lock).
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time

from recbole_edlae.model.edlae import EDLAE

ROOT = pathlib.Path(__file__).parents[1]
PROTOCOL = ROOT / "configs/ml-1m.yaml"
KEYS = ("reg_weight", "dropout_prob", "user_weight_power")
HYPER_TUNING = """
import json, sys
sys.argv, (space, *configs) = sys.argv[:1], sys.argv[1:]
import recbole_edlae
from recbole.quick_start import objective_function
from recbole.trainer import HyperTuning
tuning = HyperTuning(objective_function, params_file=space, fixed_config_file_list=configs, early_stop=10**6)
tuning.run()
print("RESULT" + json.dumps([[params, result["best_valid_result"]] for params, result in tuning.params2result.items()]))
"""


def timed(words, folder):
    """Seconds and standard output of a process."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *map(str, words)], cwd=folder, check=True, stdout=subprocess.PIPE, text=True
    )
    return time.perf_counter() - start, done.stdout


def hyper_tuning(data, folder):
    """Seconds and {settings: metrics on validation} of RecBole's way."""
    given = folder / "given.yaml"
    given.write_text(
        f"model: EDLAE\ndataset: ml-1m\ndata_path: {data}\nshow_progress: False\nstate: ERROR\n"
    )
    space = folder / "hyper.test"
    space.write_text(EDLAE.search_space)
    seconds, output = timed(["-c", HYPER_TUNING, space, PROTOCOL, given], folder)
    found = json.loads(output.rpartition("RESULT")[2])
    pairs = [(dict(part.split(":") for part in params.split(", ")), metrics) for params, metrics in found]
    return seconds, {tuple(float(params[key]) for key in KEYS): metrics for params, metrics in pairs}


def tune(data, folder):
    """The same of ours, the test of the best settings included."""
    words = ["--model=EDLAE", "--dataset=ml-1m", f"--data_path={data}", "--config_files", PROTOCOL]
    seconds, _ = timed(["-m", "recbole_edlae", "tune", *words, "--output", folder / "sweep"], folder)
    records = [json.loads(line) for line in (folder / "sweep" / "records.jsonl").read_text().splitlines()]
    return seconds, {
        tuple(float(record["identity"]["settings"][key]) for key in KEYS): record["valid"]
        for record in records
        if record["status"] == "ok"
    }


def main(data, pairs=1):
    data, times = pathlib.Path(data).resolve(), []
    for _ in range(int(pairs)):
        with tempfile.TemporaryDirectory() as folder:
            (ours, found), (theirs, expected) = (
                way(data, pathlib.Path(folder)) for way in (tune, hyper_tuning)
            )
        assert found == expected, "the metrics differ"
        times.append((ours, theirs))
        print(
            f"{len(found)} settings: tune {ours:.1f} s, HyperTuning {theirs:.1f} s, ratio {theirs / ours:.1f}"
        )
    ours, theirs = map(sum, zip(*times))
    print(f"together: ratio {theirs / ours:.1f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
