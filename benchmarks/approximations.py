"""What do approximations of EDLAE for large catalogues cost in accuracy, seconds and memory?

    python benchmarks/approximations.py exact neighbors:100 head:1000 sansa:0.01 --dataset=ml-1m \
        --config_files=configs/ml-1m.yaml --data_path=DATA [--out approximations.json]

Every method is fitted in a process of its own, for its peak of memory, and ranks all items for the test users:
`exact` is full_rank, `neighbors:k` what EDLAE's setting `neighbors` does, `head:h` the exact solution with the h most
popular items as the only inputs, and `sansa:density` the package of that name (sparse approximate inverse, RecSys
2023), fed with G + Λ, if installed.
"""

import argparse
import sys
import time

import numpy as np
import scipy.sparse as sp
from common import Peak, fresh, report


def load(options):
    """Training matrix, and for every test user what to hide and what to find, as RecBole has them."""
    import recbole_edlae  # noqa: F401  before RecBole

    from recbole.config import Config  # isort: skip
    from recbole.data import create_dataset, data_preparation  # isort: skip
    from recbole.utils import init_seed  # isort: skip

    settings = {"data_path": options.data_path} if options.data_path else {}
    sys.argv = sys.argv[:1]
    config = Config("EDLAE", options.dataset, options.config_files, {"state": "ERROR", **settings})
    init_seed(config["seed"], config["reproducibility"])
    train, _, test = data_preparation(config, create_dataset(config))
    X = train.dataset.inter_matrix(form="csr").astype(np.float32)
    X.data[:] = 1
    users = test.uid_list.numpy()
    return (
        X,
        users,
        [test.uid2history_item[u].numpy() for u in users],
        [test.uid2positive_item[u].numpy() for u in users],
    )


def exact(X, _, problem):
    from recbole_edlae.solvers import full_rank, gram

    B = full_rank(gram(X), overwrite=True, **problem).numpy()
    return lambda x: x @ B


def neighbors(X, count, problem):
    from recbole_edlae.solvers import neighbors

    B = neighbors(X, int(count), **problem)
    return lambda x: (x @ B).toarray()


def head(X, count, problem):
    """Head targets by EDLAE among themselves, tail targets by ridge regression on the head; no tail inputs."""
    from recbole_edlae.solvers import full_rank, gram, inverse_gram

    order = np.argsort(-X.getnnz(axis=0), kind="stable")
    H, T = np.sort(order[: int(count)]), np.sort(order[int(count) :])
    XH, XT = X[:, H].tocsr(), X[:, T].tocsr()
    G = gram(XH)
    B = full_rank(G, **problem).numpy()
    C = inverse_gram(G, overwrite=True, **problem)[0].numpy()

    def score(x):
        x, scores = x[:, H], np.empty((x.shape[0], X.shape[1]), np.float32)
        scores[:, H] = x @ B
        scores[:, T] = (XH @ (x @ C).T).T @ XT
        return scores

    return score


def sansa(X, density, problem):
    from sansa import SANSA, ICFGramianFactorizerConfig, SANSAConfig, UMRUnitLowerTriangleInverterConfig

    from recbole_edlae.solvers import penalty

    G = (X.T @ X).tocsr()
    G += sp.diags(penalty(G.diagonal(), **problem) - problem["l2"], format="csr", dtype=np.float32)
    factorizer = ICFGramianFactorizerConfig(
        factorization_shift_step=1e-3, factorization_shift_multiplier=2.0
    )
    inverter = UMRUnitLowerTriangleInverterConfig(scans=1, finetune_steps=5)
    model = SANSA(SANSAConfig(problem["l2"], float(density), factorizer, inverter))
    model.fit(
        G.tocsc(), compute_gramian=False
    )  # in CSR its compiled part meets index types it does not know
    return lambda x: model.forward(x).toarray()


METHODS = {
    "exact": exact,
    "neighbors": neighbors,
    "head": head,
    "sansa": sansa,
}


def evaluate(score, X, users, hidden, wanted, k):
    """Recall@k and NDCG@k, as RecBole defines them."""
    discount = 1 / np.log2(np.arange(2, k + 2))
    recall = ndcg = 0.0
    for start in range(0, len(users), 500):
        part = slice(start, start + 500)
        scores = np.asarray(score(X[users[part]]))
        scores[:, 0] = -np.inf
        for row, items in zip(scores, hidden[part]):
            row[items] = -np.inf
        top = np.argpartition(-scores, k, axis=1)[:, :k]
        top = np.take_along_axis(
            top, np.argsort(-np.take_along_axis(scores, top, 1), axis=1, kind="stable"), 1
        )
        for best, items in zip(top, wanted[part]):
            hit = np.isin(best, items)
            recall += hit.sum() / len(items)
            ndcg += discount[hit].sum() / discount[: len(items)].sum()
    return recall / len(users), ndcg / len(users)


def measure(name, options):
    method, _, argument = name.partition(":")
    X, *test = load(options)
    with Peak() as peak:
        start = time.perf_counter()
        score = METHODS[method](X, argument, {"dropout": options.dropout, "l2": options.l2})
        seconds = time.perf_counter() - start
    start = time.perf_counter()
    recall, ndcg = evaluate(score, X, *test, options.k)
    return {
        "method": name, f"Recall@{options.k}": float(recall), f"NDCG@{options.k}": float(ndcg), "seconds": seconds,
        "peak MiB": peak.above / 2**20, "evaluation seconds": time.perf_counter() - start,
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("methods", nargs="+", help="exact, neighbors:k, head:h or sansa:density")
    parser.add_argument("--dataset", default="ml-100k")
    parser.add_argument("--data_path")
    parser.add_argument("--config_files", nargs="+", default=[])
    parser.add_argument("--dropout", type=float, default=0.33)
    parser.add_argument("--l2", type=float, default=500.0)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--out", help="JSON file, written after every method")
    options = parser.parse_args()
    for name in options.methods:
        if name.partition(":")[0] not in METHODS:
            parser.error(f"there is no method {name}; there are {', '.join(METHODS)}")
    rows = []
    for name in options.methods:
        rows.append(fresh(measure, name, options))
        report(rows, options.out, question="accuracy of approximations", dataset=options.dataset)


if __name__ == "__main__":
    main()
