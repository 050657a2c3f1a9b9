"""What does a whole fit take: EDLAE here, RecBole's EASE, irspack's EDLAE if installed?

    python benchmarks/fit.py [--shape 6k | --users U --items N --interactions M] [--repeats 3] [--out fit.json]

From the users × items matrix to the model's weights, in seconds (medians) and peak memory beyond the matrix. Every fit
is in a process of its own, the contenders by turns, with a fit to few users before it for what is compiled or loaded
then.
"""

import importlib.util
import time

import scipy.sparse as sp
from common import Peak, by_turns, median, report


def edlae(X):
    from models import fitted

    return lambda X=X: fitted("EDLAE", X)


def recbole_ease(X):
    from models import fitted

    return lambda X=X: fitted("EASE", X, reg_weight=500.0)


def irspack_edlae(X):
    from irspack.recommenders import EDLAERecommender

    return lambda X=X: EDLAERecommender(X, reg=500.0, dropout_p=0.33).learn()


CONTENDERS = {"EDLAE": edlae, "RecBole's EASE": recbole_ease}
if importlib.util.find_spec("irspack"):
    CONTENDERS["irspack's EDLAE"] = irspack_edlae


def measure(name, file):
    """Seconds and bytes of one fit in this process."""
    X = sp.load_npz(file)
    fit = CONTENDERS[name](X)
    fit(X[:2000].tocsr())  # as many items: other paths are taken with few
    with Peak() as peak:
        start = time.perf_counter()
        model = fit()
        seconds = time.perf_counter() - start
    del model
    return seconds, peak.above


def main():
    measured, options = by_turns(__doc__, CONTENDERS, measure)
    shape = options.shape
    ours = median([seconds for seconds, _ in measured[options.contenders[0]]])
    matrix = 4 * shape[1] ** 2
    rows = [
        {
            "contender": name,
            "seconds": (seconds := median([run[0] for run in runs])),
            f"x {options.contenders[0]}": seconds / ours,
            "peak MiB": (peak := median([run[1] for run in runs])) / 2**20,
            "peak / matrix": peak / matrix,
            "all seconds": [run[0] for run in runs],
        }
        for name, runs in measured.items()
    ]
    report(rows, options.out, question="whole fit", users=shape[0], items=shape[1], interactions=shape[2])


if __name__ == "__main__":
    main()
