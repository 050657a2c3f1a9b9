"""Does a large catalogue fit, and what does it take?

    python benchmarks/large.py [--shape gowalla] [--neighbors 100] [--out large.json]     # 1.28 million items
    python benchmarks/large.py --shape msd --neighbors 0                                  # 41,140 items, exact
    python benchmarks/large.py --shape amazon-book --neighbors 0                          # 91,599 items, exact

Fits EDLAE, saves its weights and loads them into a second model, recommends to a thousand users; seconds and peak
memory of each, with the data's own share.
"""

import argparse
import pathlib
import tempfile
import time

import numpy as np
import torch
from common import SHAPES, Peak, report, synthetic
from models import fitted, recommend

from recbole_edlae.model.weights import Unfitted


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shape", choices=SHAPES, default="gowalla")
    parser.add_argument("--users", type=int)
    parser.add_argument("--items", type=int)
    parser.add_argument("--interactions", type=int)
    parser.add_argument("--neighbors", type=int, default=100, help="0 for the exact model")
    parser.add_argument("--recommend-to", type=int, default=1000)
    parser.add_argument("--out", help="JSON file")
    options = parser.parse_args()
    given = options.users, options.items, options.interactions
    shape = tuple(own or usual for own, usual in zip(given, SHAPES[options.shape]))
    rows = []

    def step(name, function):
        with Peak() as peak:
            start = time.perf_counter()
            result = function()
            seconds = time.perf_counter() - start
        rows.append(
            {"step": name, "seconds": seconds, "peak MiB": peak.total / 2**20, "above": peak.above / 2**20}
        )
        return result

    X = step("data", lambda: synthetic(*shape))
    model = step("fit", lambda: fitted("EDLAE", X, neighbors=options.neighbors or None))
    users = np.random.default_rng(0).choice(shape[0], min(options.recommend_to, shape[0]), replace=False)
    best = step("recommend", lambda: recommend(model, X, users))
    with tempfile.TemporaryDirectory(dir=".") as folder:
        file = pathlib.Path(folder, "weights.pth")
        step("save", lambda: torch.save(model.state_dict(), file))
        saved = file.stat().st_size
        model.weights = Unfitted(encoder=torch.zeros(model.n_items, 0))
        step("load", lambda: model.load_state_dict(torch.load(file, mmap=True)))
    again = recommend(model, X, users[:10])
    assert torch.equal(again, best[:10])
    facts = {"users": shape[0], "items": shape[1], "interactions": shape[2], "neighbors": options.neighbors}
    report(rows, options.out, question="large catalogue", checkpoint_mib=saved / 2**20, **facts)


if __name__ == "__main__":
    main()
