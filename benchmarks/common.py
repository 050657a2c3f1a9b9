"""What the benchmarks share: synthetic interactions, timings side by side, peak memory, and the file they end in."""

import argparse
import concurrent.futures
import json
import multiprocessing
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import scipy.sparse as sp
import threadpoolctl
import torch

SHAPES = {  # users, items, interactions
    "6k": (60_000, 6_000, 4_400_000),
    "ml-20m": (136_677, 20_108, 9_990_682),
    "msd": (571_355, 41_140, 33_633_450),
    "amazon-book": (52_643, 91_599, 2_380_730),
    "gowalla": (107_092, 1_280_969, 3_981_334),
}


def synthetic(users, items, interactions, *, groups=40, seed=0):
    """A binary users × items CSR matrix (float32, int32) with power laws on both sides and tastes in common.

    Item popularity falls as 1 / (rank + 50), user activity is log-normal; half of a user's items are taken from the
    user's group. Items are in random order. Exactly ``interactions`` entries.
    """
    generator = np.random.default_rng(seed)
    activity, popularity = generator.lognormal(size=users).cumsum(), (1 / (np.arange(items) + 50)).cumsum()
    order = generator.permutation(items)
    cells = np.empty(0, dtype=np.int64)
    while len(cells) < interactions:
        short = 2 * (interactions - len(cells)) + 1000
        user = np.searchsorted(activity, generator.random(short) * activity[-1])
        item = np.searchsorted(popularity, generator.random(short) * popularity[-1])
        own = np.flatnonzero(generator.random(short) < 0.5)
        item[own] = np.minimum(item[own] // groups * groups + user[own] % groups, items - 1)
        cells = np.sort(np.concatenate((cells, user * items + order[item])))
        cells = cells[np.append(True, cells[1:] != cells[:-1])]
    cells = np.delete(cells, generator.choice(len(cells), len(cells) - interactions, replace=False))
    rows, columns = np.divmod(cells, items)
    indptr = np.searchsorted(rows, np.arange(users + 1))
    ones = np.ones(interactions, dtype=np.float32)
    return sp.csr_matrix((ones, columns.astype(np.int32), indptr.astype(np.int32)), shape=(users, items))


def side_by_side(functions, repeats=5, warm=True):
    """Seconds of each of several functions of no arguments, by turns, so that a busy machine is unfair to none.

    Args:
        functions: dict, name → function.
        repeats: calls of each.
        warm: one call of each before, not counted.

    Returns:
        dict, name → list of seconds.
    """
    seconds = {name: [] for name in functions}
    for turn in range(-int(warm), repeats):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            if turn >= 0:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def median(seconds):
    return statistics.median(seconds)


class Peak:
    """``with Peak() as peak: ...``, then ``peak.above``: bytes of memory at most, beyond those held at the beginning.

    ``peak.total`` is the process's peak in the block. Linux only; both are resident memory as the kernel counts it.
    """

    def __enter__(self):
        pathlib.Path("/proc/self/clear_refs").write_text("5")  # the high-water mark begins here
        self.before = _status("VmRSS")
        return self

    def __exit__(self, *_):
        self.total = _status("VmHWM")
        self.above = self.total - self.before


def fresh(function, *arguments):
    """What a function of a module's top level returns in a process of its own: nothing is warm, no memory is held."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(function, *arguments).result()


def interactions_in(file):
    """The users × items matrix of a RecBole file, .inter: every row is an interaction, and repeated ones count once.

    Users and items are in the order of their first rows.
    """
    import pandas as pd

    columns = pd.read_csv(file, sep="\t", usecols=["user_id:token", "item_id:token"], dtype=str)
    user, users = pd.factorize(columns["user_id:token"])
    item, items = pd.factorize(columns["item_id:token"])
    X = sp.csr_matrix((np.ones(len(user), dtype=np.float32), (user, item)), shape=(len(users), len(items)))
    X.data[:] = 1  # a repeated interaction counts once
    return X


def by_turns(description, contenders, measure, data=None):
    """Measure contenders on one matrix, each run in a process of its own, as the command line says.

    Args:
        description: of the script.
        contenders: their names.
        measure: function of a name and the matrix's file, of a module's top level.
        data: RecBole file to measure on where the command line names neither a file nor a shape; None for the
            synthetic shape "6k".

    Returns:
        dict, name → what its runs returned; and the options, with ``shape`` and ``name`` of the data.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help="RecBole's file of interactions, .inter")
    parser.add_argument("--shape", choices=SHAPES, help="synthetic data of this shape")
    parser.add_argument("--users", type=int)
    parser.add_argument("--items", type=int)
    parser.add_argument("--interactions", type=int)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--contenders", nargs="+", choices=contenders, default=list(contenders))
    parser.add_argument("--out", help="JSON file")
    options = parser.parse_args()
    options.name, X = _chosen_matrix(options, data)
    options.shape = *X.shape, X.nnz
    runs = {name: [] for name in options.contenders}
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "X.npz")
        sp.save_npz(file, X, compressed=False)
        del X
        for _ in range(options.repeats):
            for name in runs:
                runs[name].append(fresh(measure, name, file))
    return runs, options


def _chosen_matrix(options, data):
    """Name and matrix of the data that the command line says."""
    given = options.users, options.items, options.interactions
    if options.data or not (options.shape or any(given) or data is None):
        file = pathlib.Path(options.data or data)
        return file.stem, interactions_in(file)
    usual = SHAPES[options.shape or "6k"]
    return "synthetic", synthetic(*(own or default for own, default in zip(given, usual)))


def options_of(parser, measure):
    """Options of a script that calls ``measured``; None in the process that measures, once it has."""
    parser.add_argument("--against", type=pathlib.Path, help="another checkout of this package")
    parser.add_argument("--out", help="JSON file")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.measure:
        return options
    print(json.dumps(measure(*json.loads(options.measure))))
    return None


def measured(script, job, checkout):
    """What a script prints in its last line, as JSON, in a process that imports the package from a checkout."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, script, "--measure", json.dumps(job)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def matmul_rate(n, repeats=3):
    """Floating-point operations a second of an n × n float32 matrix product, the best of a few by torch and NumPy."""
    A, B = torch.rand(n, n), torch.rand(n, n)
    a, b, out = A.numpy(), B.numpy(), torch.empty_like(A)
    products = {"torch": lambda: torch.mm(A, B, out=out), "numpy": lambda: np.matmul(a, b, out=out.numpy())}
    return 2 * n**3 / min(map(min, side_by_side(products, repeats).values()))


def machine():
    """What the numbers were measured on."""
    cpu = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        "",
    )
    return {
        "cpu": cpu or platform.processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load": os.getloadavg()[0],
        "kernels": kernels(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
    }


def kernels():
    """The BLAS libraries of this process, with the kernels that they have chosen for the processor."""
    libraries = (found for found in threadpoolctl.threadpool_info() if found["user_api"] == "blas")
    return sorted(
        {
            f"{lib['internal_api']} {lib['version']} {lib.get('architecture', '')}".strip()
            for lib in libraries
        }
    )


def report(rows, path=None, **facts):
    """Prints rows (dicts with the same keys) as a table and, given a path, writes them with the facts as JSON."""
    cells = [list(rows[0]), *([_text(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells)]
    for line in cells:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip())
    print(f"kernels: {', '.join(kernels())}; {torch.get_num_threads()} threads")
    if path is not None:
        pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(path).write_text(
            json.dumps({"machine": machine(), **facts, "rows": rows}, indent=1) + "\n"
        )


def _text(value):
    if isinstance(value, (list, tuple)):
        return " ".join(map(_text, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _status(field):
    line = next(line for line in _lines("/proc/self/status") if line.startswith(field + ":"))
    return int(line.split()[1]) * 1024


def _lines(path):
    path = pathlib.Path(path)
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
