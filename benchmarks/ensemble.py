"""On which scale are the scores of an ensemble's members added? By validation; each member is trained once.

python benchmarks/ensemble.py --dataset=ml-1m --data_path=DATA --config_files configs/ml-1m.yaml
    --members "{DLAE: {}, ChebyCF: {}}" "{DLAE: {}, ItemKNN: {}}"
"""

import argparse

import torch
import yaml
from common import report

import recbole_edlae  # noqa: F401  before RecBole
from recbole_edlae.model import ensemble
from recbole_edlae.nn import standardize_
from recbole_edlae.runs.run import make_run
from recbole_edlae.runs.runner import Runner


def all_items(scores, known):
    """Standard scores over all items."""
    return standardize_(scores)


def new_items(scores, known):
    """Standard scores over the items that a user does not have."""
    return standardize_(scores, known)


def ranks(scores, known):
    """Ranks among all items, as shares."""
    return scores.copy_(scores.argsort(dim=1).argsort(dim=1) / scores.shape[1])


def softmax(scores, known):
    """Probabilities, of scores in units of their standard deviation."""
    return scores.copy_((scores / scores.std(dim=1, keepdim=True).clamp_min(1e-12)).softmax(dim=1))


def between_extremes(scores, known):
    """Where a score lies between the smallest and the largest."""
    low, high = torch.aminmax(scores, dim=1, keepdim=True)
    return scores.sub_(low).div_((high - low).clamp_min(1e-12))


WAYS = (new_items, all_items, ranks, softmax, between_extremes)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", default="ml-100k")
    parser.add_argument("--data_path")
    parser.add_argument("--config_files", nargs="*", default=["configs/ml-100k.yaml"])
    parser.add_argument(
        "--members", nargs="+", default=["{DLAE: {}, ItemKNN: {}}"], help="in YAML, for each ensemble"
    )
    parser.add_argument("--out")
    options = parser.parse_args()
    data = {"data_path": options.data_path} if options.data_path else {}
    ensembles = [yaml.safe_load(text) for text in options.members]
    runs = [
        make_run("Ensemble", options.dataset, options.config_files, {**data, "members": members})
        for members in ensembles
    ]
    runner = Runner()
    runner.expect(runs * len(WAYS))
    rows = []
    for run, members in zip(runs, ensembles):
        for way in WAYS:
            ensemble.standardize_ = way
            result, _ = runner.run(run, phases=("valid",))
            rows.append({"members": " + ".join(members), "scale": way.__name__, **result["valid"]})
    report(rows, options.out, question="ensemble")


if __name__ == "__main__":
    main()
