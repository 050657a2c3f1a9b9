"""What do the estimators take beside irspack's models and implicit's, to fit and to recommend?

    python benchmarks/estimators.py [--shape 6k | --users U --items N --interactions M] [--repeats 3] [--out file.json]

From a users × items matrix to the model and to ten items for each of 10,000 users, in seconds (medians), with the peak
memory of both beyond the matrix, and how often a hidden item of a user is among the ten. Every run is in a process of
its own, the contenders by turns, with a fit to few users before it for what is compiled or loaded then. irspack and
implicit are contenders where they are installed. implicit's fastest are the neighbors by cosine; they and ALS are
models of another kind, with implicit's own settings.
"""

import importlib.util
import time

import numpy as np
import scipy.sparse as sp
from common import Peak, by_turns, median, report

K = 10
RECOMMEND_TO = 10_000


def edlae(X, history):
    from recbole_edlae.estimators import EDLAE

    model = EDLAE(reg_weight=500.0, dropout_prob=0.33).fit(X)
    return lambda: model.recommend(history, K).items


def dlae(X, history):
    from recbole_edlae.estimators import DLAE

    model = DLAE(reg_weight=500.0, dropout_prob=0.33).fit(X)
    return lambda: model.recommend(history, K).items


def _irspack(name, **settings):
    def fit(X, history):
        from irspack import recommenders

        model = getattr(recommenders, name)(X, **settings).learn()

        def recommend():
            best = []
            for start in range(0, history.shape[0], 1000):
                rows = history[start : start + 1000]
                scores = model.get_score_cold_user(rows)
                scores[rows.nonzero()] = -np.inf
                top = np.argpartition(-scores, K, axis=1)[:, :K]
                order = np.argsort(-np.take_along_axis(scores, top, 1), axis=1)
                best.extend(np.take_along_axis(top, order, 1).tolist())
            return best

        return recommend

    return fit


def implicit_cosine(X, history):
    from implicit.nearest_neighbours import CosineRecommender

    model = CosineRecommender(K=100)
    model.fit(X, show_progress=False)
    users = np.arange(history.shape[0])
    return lambda: model.recommend(users, history, N=K)[0].tolist()


def implicit_als(X, history):
    from implicit.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(random_state=0)
    model.fit(X, show_progress=False)
    users = np.arange(history.shape[0])
    return lambda: model.recommend(users, history, N=K, recalculate_user=True)[0].tolist()


CONTENDERS = {"EDLAE": edlae, "DLAE": dlae}
if importlib.util.find_spec("irspack"):
    CONTENDERS["irspack's EDLAE"] = _irspack("EDLAERecommender", reg=500.0, dropout_p=0.33)
    CONTENDERS["irspack's DenseSLIM (EASE)"] = _irspack("DenseSLIMRecommender", reg=500.0)
if importlib.util.find_spec("implicit"):
    CONTENDERS["implicit's neighbors by cosine"] = implicit_cosine
    CONTENDERS["implicit's ALS"] = implicit_als


def measure(name, file):
    """Seconds to fit and to recommend, bytes and hits of one contender in this process."""
    X = sp.load_npz(file)
    X, hidden = hide_one(X)
    history = X[:RECOMMEND_TO].tocsr()
    CONTENDERS[name](X[:2000].tocsr(), history[:10])()  # as many items: other paths are taken with few
    with Peak() as peak:
        start = time.perf_counter()
        recommend = CONTENDERS[name](X, history)
        fitted = time.perf_counter()
        best = recommend()
        done = time.perf_counter()
    hits = [target in items for target, items in zip(hidden, best) if target >= 0]
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


def main():
    measured, options = by_turns(__doc__, CONTENDERS, measure)
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
    report(rows, options.out, question="estimators", users=users, items=items, interactions=interactions)


if __name__ == "__main__":
    main()
