"""What do the estimators take beside RecBole's EASE, irspack's, RecTools' and implicit's models?

    python benchmarks/estimators.py [--data FILE.inter | --shape 6k] [--repeats 3] [--out file.json]

On ml-100k, which ships with RecBole, if neither a file nor a shape is given. Each contender is fitted and gives ten
items to each of at most 10,000 users: seconds (medians), peak memory of both beyond the data, and how often a hidden
item of a user is among the ten. Every run is in a process of its own, the contenders by turns, with a fit to few users
before it for what is compiled or loaded then. Data are in the form that a contender reads before the clock starts.

irspack, RecTools and implicit are contenders where they are installed. implicit's fastest are the neighbors by cosine;
they and ALS are models of another kind, with implicit's own settings. All others have λ = 500.
"""

import importlib.metadata
import importlib.util
import pathlib
import time

import numpy as np
import scipy.sparse as sp
from common import Peak, by_turns, median, report

K = 10
L2, DROPOUT = 500.0, 0.33
RECOMMEND_TO = 10_000
BATCH = 1000  # users whose scores are held at a time, where a library leaves that to its caller


def estimator(name):
    def prepare(X, history):
        from recbole_edlae import estimators

        def fit():
            model = getattr(estimators, name)(reg_weight=L2, dropout_prob=DROPOUT).fit(X)
            return lambda: model.recommend(history, K).items

        return fit

    return prepare


def recbole_ease(X, history):
    from models import fitted, recommend

    padded = sp.csr_matrix(sp.block_diag([sp.csr_matrix((1, 1), dtype=X.dtype), X]))
    users = np.arange(1, history.shape[0] + 1)

    def fit():
        model = fitted("EASE", padded, reg_weight=L2)
        return lambda: (recommend(model, padded, users, K).numpy() - 1).tolist()

    return fit


def irspack(name, **settings):
    def prepare(X, history):
        from irspack import recommenders

        def fit():
            model = getattr(recommenders, name)(X, **settings).learn()
            return lambda: best_new(model.get_score_cold_user, history)

        return fit

    return prepare


def rectools_ease(X, history):
    import pandas as pd
    from rectools import Columns
    from rectools.dataset import Dataset
    from rectools.models import EASEModel

    user, item = X.nonzero()
    log = pd.DataFrame(
        {Columns.User: user, Columns.Item: item, Columns.Weight: 1.0, Columns.Datetime: "2026-01-01"}
    )
    dataset = Dataset.construct(log)
    users = np.flatnonzero(np.diff(history.indptr))  # it knows no others

    def fit():
        model = EASEModel(regularization=L2)
        model.fit(dataset)

        def recommend():
            answer = model.recommend(users, dataset, K, filter_viewed=True)
            best = answer.groupby(Columns.User)[Columns.Item].agg(list)
            return best.reindex(range(history.shape[0]), fill_value=[]).tolist()

        return recommend

    return fit


def implicit_cosine(X, history):
    from implicit.nearest_neighbours import CosineRecommender

    return implicit_fit(lambda: CosineRecommender(K=100), X, history)


def implicit_als(X, history):
    from implicit.als import AlternatingLeastSquares

    return implicit_fit(lambda: AlternatingLeastSquares(random_state=0), X, history, recalculate_user=True)


def implicit_fit(new_model, X, history, **settings):
    users = np.arange(history.shape[0])

    def fit():
        model = new_model()
        model.fit(X, show_progress=False)
        return lambda: model.recommend(users, history, N=K, **settings)[0].tolist()

    return fit


def best_new(score, history):
    """The ten best items of each user that are not in the history, by a function that scores histories."""
    best = []
    for start in range(0, history.shape[0], BATCH):
        rows = history[start : start + BATCH]
        scores = score(rows)
        scores[rows.nonzero()] = -np.inf
        top = np.argpartition(-scores, K, axis=1)[:, :K]
        order = np.argsort(-np.take_along_axis(scores, top, 1), axis=1)
        best.extend(np.take_along_axis(top, order, 1).tolist())
    return best


def is_installed(name):
    return importlib.util.find_spec(name) is not None


CONTENDERS = {"EDLAE": estimator("EDLAE"), "DLAE": estimator("DLAE"), "RecBole's EASE": recbole_ease}
if is_installed("irspack"):
    CONTENDERS["irspack's EDLAE"] = irspack("EDLAERecommender", reg=L2, dropout_p=DROPOUT)
    CONTENDERS["irspack's EASE"] = irspack("DenseSLIMRecommender", reg=L2)
if is_installed("rectools"):
    CONTENDERS["RecTools' EASE"] = rectools_ease
if is_installed("implicit"):
    CONTENDERS["implicit's neighbors by cosine"] = implicit_cosine
    CONTENDERS["implicit's ALS"] = implicit_als


def measure(name, file):
    """Seconds to fit and to recommend, bytes and hits of one contender in this process."""
    X, hidden = hide_one(sp.load_npz(file))
    history = X[:RECOMMEND_TO].tocsr()

    # A few users, but as many items: other paths are taken with few.
    few = X[:2000].tocsr()
    CONTENDERS[name](few, few[:10])()()

    fit = CONTENDERS[name](X, history)
    with Peak() as peak:
        start = time.perf_counter()
        recommend = fit()
        fitted = time.perf_counter()
        best = recommend()
        done = time.perf_counter()
    hits = [target in items for target, items in zip(hidden, best, strict=True) if target >= 0]
    return fitted - start, done - fitted, peak.above, float(np.mean(hits))


def hide_one(X):
    """X without one random item of each user that is recommended to and has five, and these items; -1 for no item."""
    X = X.copy()
    rng = np.random.default_rng(0)
    hidden = []
    for start, stop in zip(X.indptr[:RECOMMEND_TO], X.indptr[1 : RECOMMEND_TO + 1]):
        if stop - start < 5:
            hidden.append(-1)
            continue
        position = rng.integers(start, stop)
        hidden.append(int(X.indices[position]))
        X.data[position] = 0
    X.eliminate_zeros()
    return X, hidden


def ml_100k():
    """The file that ships with RecBole, which is not imported for it."""
    (package,) = importlib.util.find_spec("recbole").submodule_search_locations
    return pathlib.Path(package, "dataset_example", "ml-100k", "ml-100k.inter")


def versions():
    """The versions of the contenders' packages."""
    names = ["recbole", "irspack", "rectools", "implicit"]
    return {name: importlib.metadata.version(name) for name in names if is_installed(name)}


def main():
    measured, options = by_turns(__doc__, CONTENDERS, measure, ml_100k())
    users, items, interactions = options.shape
    rows = [
        {
            "contender": name,
            "fit s": median([run[0] for run in runs]),
            "recommend s": median([run[1] for run in runs]),
            "peak MiB": median([run[2] for run in runs]) / 2**20,
            f"hits@{K}": runs[0][3],
        }
        for name, runs in measured.items()
    ]
    facts = {"users": users, "items": items, "interactions": interactions, "versions": versions()}
    report(rows, options.out, question="estimators", data=options.name, **facts)


if __name__ == "__main__":
    main()
