"""Large batches, and lists kept from validation, have the results of RecBole's own evaluation, number for number."""

import copy
import importlib
from typing import Any

import numpy as np
import pytest
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.evaluator.collector import Collector
from recbole.trainer import TraditionalTrainer
from recbole.utils import get_model, init_seed

from recbole_edlae.integration.compat import stack
from recbole_edlae.integration.fast.loaders import OF_RECBOLE, UserBatch
from recbole_edlae.model import kept_lists
from recbole_edlae.model import trainer as trainers
from recbole_edlae.model.kept_lists import KeptLists, ranked
from recbole_edlae.model.linear import LinearAutoEncoder
from recbole_edlae.model.packed_weights import Packed
from recbole_edlae.model.trainer import ClosedFormTrainer
from recbole_edlae.model.weights import Dense, Factors, Weights
from recbole_edlae.solvers import PackedWeights, SymmetricTiles

ALL_LISTS = ["Recall", "NDCG", "MAP", "ItemCoverage", "GiniIndex", "AveragePopularity", "TailPercentage"]
USERS, ITEMS = 40, 25


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the data_path of `odd`: repeated pairs, users with one item and with nearly all, items of nobody else."""
    generator = np.random.default_rng(3)
    folder = tmp_path_factory.mktemp("odd") / "odd"
    folder.mkdir()
    lines = ["user_id:token\titem_id:token\ttimestamp:float"]
    for user in range(USERS):
        count = (1, 2, 3, 8, 23)[user % 5]
        for item in generator.choice(ITEMS, size=count, replace=user % 3 == 0):
            lines.append(f"u{user}\ti{item}\t{generator.integers(50)}")
    (folder / "odd.inter").write_text("\n".join(lines) + "\n")
    return str(folder.parent)


def weights_of(kind: str, items: int) -> Weights:
    """Return weights by which many items are equally good, or few."""
    generator = torch.Generator().manual_seed(1)
    if kind == "zero":
        return Dense(encoder=torch.zeros(items, items))
    if kind == "whole numbers":
        return Dense(encoder=torch.randint(-1, 3, (items, items), generator=generator).float())
    if kind == "some equal":
        B = torch.randn(items, items, generator=generator)
        B[:, 3:9] = B[:, 3:4]
        return Dense(encoder=B)
    if kind == "infinite":
        B = torch.randn(items, items, generator=generator)
        B[:, 4], B[2, 5] = -torch.inf, torch.nan
        return Dense(encoder=B)
    if kind == "factors":
        return Factors(encoder=torch.randn(items, 4, generator=generator), decoder=torch.randn(items, 4))
    if kind == "packed":
        M = SymmetricTiles.of(torch.randn(items, items, generator=generator), side=10)
        M.set_diagonal(torch.zeros(items))
        scales = torch.rand(3, items, generator=generator)
        return Packed.of(PackedWeights(M, *scales))
    return Dense(encoder=torch.randn(items, items, generator=generator))


def trainer_of(data_path: str, weights: str, **settings: Any) -> tuple:
    """Return a trainer whose fit has given weights, and the loaders of training, validation and test."""
    quiet = {"data_path": data_path, "state": "ERROR", "show_progress": False, "metrics": ALL_LISTS}
    options = {**quiet, "topk": [3, 7], **settings}
    options["valid_metric"] = f"{options['metrics'][0]}@{options['topk'][0]}"
    config = Config("EDLAE", "odd", config_dict=options)
    init_seed(config["seed"], config["reproducibility"])
    loaders = data_preparation(config, create_dataset(config))
    model = get_model("EDLAE")(config, loaders[0].dataset)
    model.fit = lambda *_: setattr(model, "weights", weights_of(weights, model.n_items))
    return ClosedFormTrainer(config, model), *loaders


class StockCollector(Collector):
    """RecBole's, which fails on what is no tensor."""

    def get_data_struct(self) -> Any:
        data = self.data_struct._data_dict
        counts = {name: data.pop(name) for name in [*data] if not isinstance(data[name], torch.Tensor)}
        returned = super().get_data_struct()
        for each in (data, returned._data_dict):
            each.update(counts)
        return returned


def evaluate_all(
    odd: str, weights: str, stock: bool, monkeypatch: pytest.MonkeyPatch, **settings: Any
) -> list:
    """Return results and collected data of validation, test, validation and test; by RecBole's loop if ``stock``."""
    trainer, train, valid, test = trainer_of(odd, weights, vectorized_data=not stock, **settings)
    if stock:
        if not settings["corrections"] and max(settings.get("topk", [0])) < ITEMS:
            trainer.eval_collector = StockCollector(trainer.config)
        monkeypatch.setattr(
            ClosedFormTrainer, "_full_sort_batch_eval", TraditionalTrainer._full_sort_batch_eval
        )
    collected = []
    evaluator = trainer.evaluator.evaluate
    trainer.evaluator.evaluate = lambda data: (
        collected.append(copy.deepcopy(data._data_dict)) or evaluator(data)
    )
    results = [trainer.fit(train, valid)[1]]
    for loader in (test, valid, test):
        results.append(trainer.evaluate(loader))
    monkeypatch.undo()
    return [results, collected, torch.rand(1), np.random.rand()]


SETTINGS: list[dict[str, Any]] = [
    {},
    {"repeatable": True},
    {"topk": [1]},
    {"topk": [3, 60]},
    {"topk": [24]},
    {"eval_args": {"split": {"RS": [0.5, 0.3, 0.2]}, "group_by": None, "order": "RO", "mode": "full"}},
    {"eval_args": {"split": {"LS": "valid_and_test"}, "group_by": "user", "order": "RO", "mode": "full"}},
    {"eval_args": {"split": {"US": [0.4, 0.3, 0.3]}, "fold_in": 0.5, "order": "RO", "mode": "full"}},
    {"metrics": ["Recall", "GAUC"]},
    {"metrics": ["ItemCoverage"]},
    {"eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}, "group_by": "user", "order": "RO", "mode": "uni5"}},
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize(
    "weights", ["zero", "whole numbers", "some equal", "infinite", "factors", "packed", "no ties"]
)
@pytest.mark.parametrize("corrections", [False, True])
def test_results_are_those_of_recboles_loop(
    odd: str, corrections: bool, weights: str, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {**settings, "corrections": corrections}
    stock, stock_data, *stock_random = evaluate_all(odd, weights, True, monkeypatch, **settings)
    monkeypatch.setattr(trainers, "SCORES_BYTES", 4 * 9 * 26)  # a few batches
    monkeypatch.setattr(trainers, "KEPT_FROM", 0)
    monkeypatch.setattr(kept_lists, "SPARE", 2)
    results, data, *random = evaluate_all(odd, weights, False, monkeypatch, **settings)
    assert results == stock and len(data) == len(stock_data) == 4 and random == stock_random
    for ours, theirs in zip(data, stock_data):
        assert list(ours) == list(theirs)
        for name, value in theirs.items():
            same = (
                torch.equal(ours[name], value) if isinstance(value, torch.Tensor) else ours[name] == value
            )
            assert same and type(ours[name]) is type(value), name
            assert getattr(ours[name], "dtype", None) == getattr(value, "dtype", None)


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that is told how many users each call of the models' ``score`` scores."""
    calls: list[int] = []
    score = LinearAutoEncoder.score

    def counted(model: LinearAutoEncoder, items: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        calls.append(len(count))
        return score(model, items, count)

    monkeypatch.setattr(LinearAutoEncoder, "score", counted)
    return calls


def test_the_test_of_a_validated_model_scores_nobody_again(
    scored: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainers, "KEPT_FROM", 2**20)  # ml-100k has 1.6 million scores
    settings = {"state": "ERROR", "show_progress": False}
    config = Config("EDLAE", "ml-100k", config_dict=settings)
    train, valid, test = data_preparation(config, create_dataset(config))
    trainer = ClosedFormTrainer(config, get_model("EDLAE")(config, train.dataset))
    trainer.fit(train, valid)
    assert scored == [len(valid.uid_list)]  # one batch, where eval_batch_size makes one of two users
    trainer.evaluate(test)
    in_validation = np.isin(test.uid_list, valid.uid_list)
    assert sum(scored[1:]) <= np.count_nonzero(~in_validation) + 20


def change_weights(model: Any, change: str) -> None:
    """Negate a model's weights in one of three ways; leave them as they are for another change."""
    weights = model.weights.encoder
    if change == "replaced":
        model.weights = Dense(encoder=-weights)
    elif change == "in place":
        weights.neg_()
    elif change == "loaded":
        model.load_state_dict(model.state_dict() | {"encoder": -weights})


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("change", ["replaced", "in place", "loaded", "own function", "history"])
def test_a_model_that_has_changed_is_scored_again(
    odd: str, scored: list[int], change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainers, "KEPT_FROM", 0)
    trainer, train, valid, test = trainer_of(odd, "no ties")
    trainer.fit(train, valid)
    model = trainer.model
    before = trainer.evaluate(test)
    scored.clear()
    change_weights(model, change)
    if change == "history":
        model.indices.copy_(model.indices.flip(0))
    elif change == "own function":
        model.full_sort_predict = lambda users: -type(model).full_sort_predict(model, users)
    after = trainer.evaluate(test, load_best_model=False)
    assert sum(scored) == len(test.uid_list) and after != before


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("change", ["none", "replaced", "in place", "loaded", "history"])
def test_a_checkpoint_is_read_where_the_model_has_changed(
    odd: str, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer, train, valid, test = trainer_of(odd, "no ties")
    trainer.fit(train, valid)
    expected = trainer.evaluate(test)
    change_weights(trainer.model, change)
    if change == "history":
        trainer.model.indices.add_(0)

    # RecBole's trainers see a torch whose `load` reads checkpoints.
    reads = []
    names = vars(importlib.import_module("recbole.trainer.trainer").torch)
    monkeypatch.setitem(names, "load", lambda *a, **k: reads.append(1) or stack.read_checkpoint(*a, **k))
    assert trainer.evaluate(test) == expected
    assert len(reads) == (change != "none")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", OF_RECBOLE)
def test_recboles_models_rank_alike_in_large_batches(odd: str, name: str) -> None:
    lists, batches = [], []
    for in_large_batches in (False, True):
        quiet = {
            "data_path": odd,
            "state": "ERROR",
            "show_progress": False,
            "metrics": ["Recall"],
            "topk": [7],
        }
        options = {"eval_batch_size": 1, "vectorized_data": in_large_batches, "valid_metric": "Recall@7"}
        config = Config(name, "odd", config_dict=quiet | options)
        init_seed(config["seed"], config["reproducibility"])
        train, _, test = data_preparation(config, create_dataset(config))
        trainer = TraditionalTrainer(config, get_model(name)(config, train.dataset))
        scores, collected = trainer.model.full_sort_predict, trainer.evaluator.evaluate
        batches.append(0)

        def counted(users: Any, scores: Any = scores) -> torch.Tensor:
            batches[-1] += 1
            return scores(users)

        trainer.model.full_sort_predict = counted
        trainer.evaluator.evaluate = lambda data, go_on=collected: (
            lists.append(data.get("rec.topk")) or go_on(data)
        )
        init_seed(config["seed"], config["reproducibility"])  # ADMMSLIM adds random numbers to its scores
        trainer.evaluate(test, load_best_model=False)
    assert torch.equal(*lists)
    assert batches == [len(test.uid_list), 1]


def test_a_batch_that_is_larger_than_the_one_before(odd: str) -> None:
    trainer, train, valid, test = trainer_of(odd, "packed")
    trainer.fit(train, valid)
    expected = trainer.evaluate(test, load_best_model=False)
    trainer._kept = None
    trainer._room = torch.empty(1, trainer.model.n_items)
    assert trainer.evaluate(test, load_best_model=False) == expected and trainer._room is None


def test_lists_follow_from_kept_ones_or_are_said_not_to() -> None:
    generator = torch.Generator().manual_seed(0)
    seen = []
    for trial in range(60):
        users, items, k = 12, 15, int(torch.randint(1, 6, (1,), generator=generator))
        scores = torch.randint(0, 4 if trial % 2 else 1000, (users, items), generator=generator).float()
        first, second = (torch.rand(users, items, generator=generator) < 0.2 for _ in range(2))
        if trial % 3:
            second |= first  # nothing is unmasked
        kept = KeptLists(items, 10**6)
        ids = torch.randperm(users, generator=generator)
        for rows in ids.split(5):
            _, lists = ranked(scores[rows].masked_fill(first[rows], -torch.inf), k, 2, None)
            kept.add(rows, first[rows].nonzero(as_tuple=True), lists)
        asked = torch.randperm(users + 3, generator=generator)  # some of whom nothing is known
        mask = torch.cat((second, second[:3]))[asked]
        follows, lists = kept.lists_of(UserBatch(None, mask.nonzero(as_tuple=True), None, None), asked, k)
        masked = torch.cat((scores, scores[:3]))[asked].masked_fill(mask, -torch.inf)
        assert torch.equal(lists, masked[follows].topk(k).indices) and not follows[asked >= users].any()
        seen.append(follows.float().mean().item())
    assert min(seen) < 0.1 and max(seen) > 0.6


def test_lists_that_would_take_too_much_memory_are_not_kept() -> None:
    lists, history = torch.tensor([[2, 1, 0]], dtype=torch.int32), (torch.tensor([0]), torch.tensor([3]))
    for limit, known in ((1000, True), (30, False)):
        kept = KeptLists(4, limit)
        kept.add(torch.tensor([7]), history, lists)
        follows, _ = kept.lists_of(UserBatch(None, history, None, None), torch.tensor([7]), 2)
        assert follows.tolist() == [known]
