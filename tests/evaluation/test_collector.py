"""The lean collector gathers what RecBole's does, number for number."""

import itertools

import pytest
import torch
from recbole.evaluator.collector import Collector

from recbole_edlae.integration.fixes.ranking import LeanCollector

METRICS = [["Recall", "NDCG"], ["Hit", "GAUC"], ["ItemCoverage", "MRR"], ["ShannonEntropy"]]


def config_of(metrics, topk, mode="full"):
    return {
        "metrics": metrics,
        "topk": topk,
        "device": torch.device("cpu"),
        "eval_args": {"mode": {"valid": mode}},
        "LABEL_FIELD": "label",
    }


@pytest.mark.parametrize("metrics", METRICS)
def test_equals_recboles(metrics):
    generator = torch.Generator().manual_seed(0)
    config = config_of(metrics, [3, 7])
    both = [Collector(config), LeanCollector(config)]
    for users in (40, 13):
        scores = torch.rand(users, 30, generator=generator)
        scores[:, 0] = -torch.inf
        pairs = torch.rand(users, 30, generator=generator) < 0.2
        pairs[:, 0], pairs[:, 1] = False, True
        row, column = pairs.nonzero(as_tuple=True)
        again = torch.randperm(len(row), generator=generator)  # pairs in any order, some of them twice
        order = torch.randperm(len(row) + 5, generator=generator)
        row, column = (torch.cat([each, each[again[:5]]])[order] for each in (row, column))
        for collector in both:
            collector.eval_batch_collect(scores.clone(), None, row, column)
    stock, lean = (each.get_data_struct() for each in both)
    assert set(stock._data_dict) == set(lean._data_dict) and len(stock._data_dict) > 0
    for name in stock._data_dict:
        assert torch.equal(stock.get(name), lean.get(name))


def test_a_users_hits_are_its_own():
    config = config_of(["Recall"], [2])
    for first, second in itertools.permutations([1, 2, 3], 2):
        collector = LeanCollector(config)
        scores = torch.zeros(2, 4)
        scores[0, first], scores[1, second] = 1, 1
        collector.eval_batch_collect(scores, None, torch.tensor([0, 1]), torch.tensor([first, first]))
        hits = collector.get_data_struct().get("rec.topk")
        assert hits[0, 0] == 1 and hits[1, 0] == 0 and hits[:, -1].tolist() == [1, 1]


def test_a_single_score_may_be_a_number():
    """RecBole's Random returns one for a batch of one row."""
    collector = LeanCollector(config_of(["RMSE"], [2], mode="labeled"))
    for scores in (torch.tensor([0.25, 0.75]), torch.tensor(0.5)):
        labels = {"label": torch.ones(scores.numel())}
        collector.eval_batch_collect(scores, labels, None, None)
    assert collector.get_data_struct().get("rec.score").tolist() == [0.25, 0.75, 0.5]
