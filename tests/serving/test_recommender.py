"""Recommending by raw tokens: what RecBole would, for users it knows and for others."""

import os
import pathlib
import pickle
import subprocess
import sys

import numpy as np
import pytest
import scipy.stats
import torch
from recbole.utils.case_study import full_sort_topk

from recbole_edlae.nn import binary_rows
from recbole_edlae.serving.checkpoint import Checkpoint
from recbole_edlae.serving.recommender import Recommender
from tests.serving.conftest import MODELS


def histories(dataset, loader):
    """User token → items in training, and those that RecBole leaves out of the ranking beside."""
    X = dataset.inter_matrix(form="csr")
    for user in loader.uid_list.tolist():
        known = X[user].indices
        masked = loader.uid2history_item[user].numpy()
        yield (
            dataset.id2token("user_id", user),
            dataset.id2token("item_id", known),
            dataset.id2token("item_id", masked),
        )


def test_agrees_with_full_sort_topk_token_for_token(name, checkpoints):
    path = checkpoints(name)
    checkpoint, recommender = Checkpoint.read(path), Recommender.load(path)
    users, known, masked = zip(*histories(checkpoint.train._dataset, checkpoint.test))
    values, items = full_sort_topk(
        checkpoint.test.uid_list.numpy(), checkpoint.model, checkpoint.test, k=10
    )
    answer = recommender.recommend(known, 10, exclude=masked)
    assert answer.items == checkpoint.dataset.id2token("item_id", items).tolist()
    np.testing.assert_allclose(np.array(answer.scores), values, rtol=1e-5, atol=1e-6)
    assert not answer.unknown and not answer.popular.any() and len(users) > 50


def test_known_users_by_all_that_is_known_of_them(recommender, tiny):
    raw = {}
    with open(f"{tiny}/tiny/tiny.inter") as file:
        for line in file.read().splitlines()[1:]:
            user, item = line.split("\t")[:2]
            raw.setdefault(user, set()).add(item)
    assert all(set(recommender.profile(user)) == items for user, items in raw.items())
    answer = recommender.recommend_users(list(raw), 30)
    assert all(not raw[user] & set(items) for user, items in zip(raw, answer.items))
    assert [len(items) for items in answer.items] == [30 - len(items) for items in raw.values()]
    with pytest.raises(ValueError, match=r"unknown user 'u99'; did you mean u9\?"):
        recommender.profile("u99")


def test_scores_by_definition(recommender):
    B, tokens = recommender.model.weights.encoder.numpy(), list(recommender.tokens)
    history = ["i3", "i7", "i0"]
    scores = B[[tokens.index(item) for item in history]].sum(0)
    scores[[0, *(tokens.index(item) for item in [*history, "i1"])]] = -np.inf
    answer = recommender.recommend([history], 4, exclude=["i1"])
    assert answer.items == [[tokens[each] for each in np.argsort(-scores)[:4]]]
    np.testing.assert_allclose(answer.scores[0], np.sort(scores)[::-1][:4], rtol=1e-5)


def test_order_repetition_and_batches_change_nothing(recommender, monkeypatch):
    some = [["i1", "i2", "i3"], ["i9"], ["i4", "i20"]]
    expected = recommender.recommend(some, 5)
    assert (
        recommender.recommend([["i3", "i1", "i2", "i1"], ["i9", "i9"], ["i20", "i4"]], 5).items
        == expected.items
    )
    monkeypatch.setattr("recbole_edlae.serving.ranking.SCORES", 1)
    assert recommender.recommend(some, 5).items == expected.items
    assert recommender.recommend([], 5).items == []


def test_unknown_items_are_counted_and_skipped(recommender):
    answer = recommender.recommend(
        [["i1", "new", "newer"], ["new", "[PAD]"], ["i1", 5]], 3, exclude=["gone"]
    )
    assert answer.unknown == {"new": 2, "newer": 1, "[PAD]": 1, "5": 1, "gone": 3}
    assert answer.items[0] == answer.items[2] == recommender.recommend([["i1"]], 3).items[0]
    assert answer.popular.tolist() == [False, True, False]


def test_without_history_the_popular_ones(recommender, checkpoints):
    dataset = Checkpoint.read(checkpoints("EDLAE")).train._dataset
    users = np.asarray((dataset.inter_matrix(form="csr") > 0).sum(0))[0]
    answer = recommender.recommend([[], ["i1"]], 5)
    assert answer.popular.tolist() == [True, False]
    assert answer.scores[0].tolist() == sorted(users, reverse=True)[:5]
    assert [users[dataset.token2id("item_id", item)] for item in answer.items[0]] == answer.scores[
        0
    ].tolist()


def test_what_to_exclude_for_all_or_for_each(recommender):
    free = recommender.recommend([["i1"], ["i2"]], 3).items
    for_all = recommender.recommend([["i1"], ["i2"]], 3, exclude=free[0]).items
    assert not set(for_all[0]) & set(free[0]) and not set(for_all[1]) & set(free[0])
    for_each = recommender.recommend([["i1"], ["i2"]], 3, exclude=[free[0], []]).items
    assert for_each == [for_all[0], free[1]]


def test_similar_items(name, checkpoints):
    recommender = Recommender.load(checkpoints(name))
    model, tokens = recommender.model, list(recommender.tokens)
    own = tokens.index("i4")
    items, values = recommender.similar("i4", 5)
    if name in ("EDLAE", "DLAE"):
        expected = model.weights.encoder[own].clone()
    elif name in ("GFCF", "ChebyCF"):
        expected = model.score(torch.tensor([own]), torch.tensor([1]))[0]
    elif name == "EnsembleAE":  # the scores of a history of the item alone
        deep = (
            model.members["DeepAE"].network(binary_rows(torch.tensor([own]), torch.tensor([1])))[0].detach()
        )
        new = [number for number in range(1, model.n_items) if number != own]
        parts = [part[new].numpy() for part in (model.members["EDLAE"].weights.encoder[own], deep)]
        expected = torch.zeros(model.n_items)
        expected[new] = torch.from_numpy(
            0.6 * scipy.stats.zscore(parts[0]) + 0.4 * scipy.stats.zscore(parts[1])
        )
    else:
        V = model.weights.decoder if name == "LowRankEDLAE" else model.network.decoder.weights[-1].detach()
        expected = (V @ V[own]) / (V.norm(dim=1) * V[own].norm())
    expected[[0, own]] = -np.inf
    assert items == [tokens[each] for each in expected.argsort(descending=True)[:5]]
    np.testing.assert_allclose(values, expected.sort(descending=True).values[:5], rtol=1e-4)
    before = recommender.recommend([["i4"]], 5).items
    recommender.similar("i4", 5)
    assert recommender.recommend([["i4"]], 5).items == before  # nothing was overwritten


def test_held_out_users_are_known(checkpoints):
    path = checkpoints("EDLAE", eval_args={"split": {"US": [0.8, 0.1, 0.1]}})
    checkpoint, recommender = Checkpoint.read(path), Recommender.load(path)
    user = checkpoint.dataset.id2token("user_id", checkpoint.test.uid_list[0].item())
    answer = recommender.recommend_users([user], 5)
    assert len(answer.items[0]) == 5 and not set(answer.items[0]) & set(recommender.profile(user))


WRONG = [
    ((["i1"], 5), "a history must be a list of item tokens, got 'i1'"),
    (([3], 5), "a history must be a list"),
    (([["i1"]], 5, [["i1"], ["i2"]]), "exclude has 2 lists for 1 histories"),
]


@pytest.mark.parametrize("arguments, message", WRONG)
def test_wrong_arguments(arguments, message, recommender):
    histories, k, *exclude = arguments
    with pytest.raises(ValueError, match=message):
        recommender.recommend(histories, k, **({"exclude": exclude[0]} if exclude else {}))


def test_no_such_item(recommender):
    with pytest.raises(ValueError, match=r"unknown item 'i99'; did you mean i9\?"):
        recommender.similar("i99")


def test_files_that_are_none(tmp_path, checkpoints):
    with pytest.raises(ValueError, match=r"checkpoint: .*nothing.pth cannot be read: No such file"):
        Recommender.load(tmp_path / "nothing.pth")
    torch.save({"a": 1}, tmp_path / "own.pth")
    with pytest.raises(ValueError, match=r"own.pth is not a RecBole checkpoint"):
        Recommender.load(tmp_path / "own.pth")
    content = pathlib.Path(checkpoints("EDLAE")).read_bytes()
    (tmp_path / "short.pth").write_bytes(content[:1000])
    with pytest.raises(ValueError, match=r"short.pth is corrupt, cut short or not one of RecBole's"):
        Recommender.load(tmp_path / "short.pth")


@pytest.mark.parametrize("model, settings, message", [
    ("AutoRec", {"based_on": "item"}, "AutoRec scores users it was not trained on with based_on 'user' only"),
    ("AutoRec", {"feedback": "rating", "load_col": {"inter": ["user_id", "item_id", "rating"]}}, "trained on ratings"),
    ("BPR", {}, "BPR has nothing for a user it was not trained on"),
    ("EASE", {}, "EASE is RecBole's own; there are recommenders of AutoRec, "),
])  # fmt: skip
def test_models_without_a_recommender(model, settings, message, checkpoints, monkeypatch):
    monkeypatch.setitem(MODELS, model, MODELS.get(model, {}))
    with pytest.raises(ValueError, match=message):
        Recommender.load(checkpoints(model, **settings))


@pytest.fixture
def without_i9(name, checkpoints):
    """A recommender in whose training nobody had i9."""
    loaded = Recommender.load(checkpoints(name))
    popularity = loaded.popularity.copy()
    popularity[list(loaded.tokens).index("i9")] = 0
    return Recommender(loaded.model, list(loaded.tokens), popularity)


def test_a_history_that_nobody_trained_on_is_an_empty_one(without_i9):
    answer = without_i9.recommend([["i9"], ["i9", "new"], ["i1", "i9"], ["i1"]], 30, exclude=["i2"])
    empty = without_i9.recommend([[]], 30, exclude=["i2", "i9"])
    assert answer.items[0] == answer.items[1] == empty.items[0]
    assert answer.scores[0].tolist() == answer.scores[1].tolist() == empty.scores[0].tolist()
    assert answer.popular.tolist() == [True, True, False, False]
    assert answer.items[2] == [item for item in answer.items[3] if item != "i9"]
    assert answer.unknown == {"i9": 3, "new": 1}


def test_nothing_is_known_of_an_item_that_nobody_trained_on(without_i9):
    with pytest.raises(ValueError, match="item: nothing is known of i9: nobody had it in training"):
        without_i9.similar("i9")
    items, values = without_i9.similar("i4", 100)
    assert len(items) == len(values) == 28 and not {"i4", "i9", "[PAD]"} & set(items)
    assert np.isfinite(values).all()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_scores_that_are_no_numbers(recommender, value, monkeypatch):
    monkeypatch.setattr(recommender.model, "score", lambda _, count: torch.full((len(count), 31), value))
    with pytest.raises(ValueError, match="the model's scores are not finite"):
        recommender.recommend([["i1"]])
    monkeypatch.setattr(recommender.model, "similarity", lambda _: torch.full((31,), value))
    with pytest.raises(ValueError, match="the model's scores are not finite"):
        recommender.similar("i1")


def test_a_recommender_is_pickled(name, checkpoints):
    recommender = Recommender.load(checkpoints(name))
    copied = pickle.loads(pickle.dumps(recommender))
    expected, found = (each.recommend([["i1", "i4"], []], 10) for each in (recommender, copied))
    assert found.items == expected.items and all(map(np.array_equal, found.scores, expected.scores))
    assert copied.similar("i1", 5)[0] == recommender.similar("i1", 5)[0]
    assert copied.profile("u1") == recommender.profile("u1")


FORKED = """
import multiprocessing, sys, torch
from recbole_edlae.serving.recommender import Recommender

recommender = Recommender.load(sys.argv[1])
histories = [[f"i{number}" for number in range(30)]] * 3000
torch.set_num_threads(2)
expected = recommender.recommend(histories, 5)  # torch's threads now wait in this process
torch.rand(1000, 1000) @ torch.rand(1000, 1000)

def in_child(queue, recommender):
    loaded = Recommender.load(sys.argv[1])
    queue.put([each.recommend(histories, 5).items for each in (recommender, loaded)])

fork = multiprocessing.get_context("fork")
queue = fork.Queue()
child = fork.Process(target=in_child, args=(queue, recommender), daemon=True)
child.start()
try:
    assert queue.get(timeout=60) == [expected.items] * 2
    assert torch.get_num_threads() == 2
finally:
    child.kill()
"""


@pytest.mark.slow
def test_a_forked_process_answers(checkpoints):
    command = [sys.executable, "-W", "ignore", "-c", FORKED, checkpoints("DeepAE")]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "2"}
    )
    assert done.returncode == 0, done.stderr
