"""Whatever JSON can hold as histories, exclude and k: an answer that a few lines of Python confirm, or ValueError."""

import json
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recbole_edlae.serving import histories as files
from recbole_edlae.serving.recommender import Recommender

ITEMS = [str(number) for number in range(1, 31)]
tokens = st.one_of(
    st.sampled_from(ITEMS), st.integers(-1, 40), st.integers(1, 30).map(float), st.text(max_size=3)
)
odd = st.one_of(st.none(), st.booleans(), st.floats(), st.text(max_size=3), st.integers())
anything = st.recursive(
    odd, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner)
)
lists = st.lists(st.lists(tokens, max_size=6), max_size=4)
ks = st.one_of(st.integers(1, 40), odd)


@pytest.fixture(scope="module")
def numbered(checkpoints):
    """The recommender with items that are named 1 … 30."""
    loaded = Recommender.load(checkpoints("EDLAE"))
    return Recommender(loaded.model, ["[PAD]", *ITEMS], loaded.popularity)


def token(value):
    """The token that a value stands for, by the documentation."""
    if isinstance(value, str):
        return value
    assert isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value), value
    return str(int(value)) if value == int(value) else str(value)


def check(recommender, answer, histories, excluded, k):
    B = recommender.model.weights.encoder.numpy()
    assert len(answer.items) == len(answer.scores) == len(histories)
    for items, scores, history, never in zip(answer.items, answer.scores, histories, excluded):
        known = {token(value) for value in history} & set(ITEMS)
        left = set(ITEMS) - known - {token(value) for value in never}
        all_scores = (
            B[[int(item) for item in known]].sum(0) if known else recommender.popularity.astype(np.float32)
        )
        best = sorted((all_scores[int(item)] for item in left), reverse=True)[:k]
        assert len(set(items)) == len(items) == len(best) and set(items) <= left
        np.testing.assert_allclose(scores, best, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose([all_scores[int(item)] for item in items], best, rtol=1e-4, atol=1e-5)


common = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@common
@given(lists, st.one_of(st.none(), st.lists(tokens, max_size=5), lists), ks)
def test_histories_of_tokens(numbered, histories, exclude, k):
    try:
        answer = numbered.recommend(histories, k, exclude=exclude)
    except ValueError as error:
        valid_k = isinstance(k, int) and not isinstance(k, bool) and k >= 1
        nested = bool(exclude) and isinstance(exclude[0], list)
        assert not valid_k or (nested and len(exclude) != len(histories)), error
        return
    exclude = exclude or []
    nested = bool(exclude) and isinstance(exclude[0], list)
    check(numbered, answer, histories, exclude if nested else [exclude] * len(histories), k)


@common
@given(anything, anything, st.one_of(st.just(3), odd))
def test_anything(numbered, histories, exclude, k):
    try:
        answer = numbered.recommend(histories, k, exclude=exclude)
    except ValueError:
        return
    nested = isinstance(exclude, list) and any(
        value is None or isinstance(value, list) for value in exclude
    )
    lists_ = [values or [] for values in exclude] if nested else [exclude or []] * len(histories)
    check(numbered, answer, histories, lists_, k)


@common
@given(
    st.lists(
        st.dictionaries(st.sampled_from(["user", "items", "exclude", "item"]), anything | lists), max_size=4
    )
)
def test_files_of_anything(numbered, tmp_path, lines):
    path = tmp_path / "users.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    try:
        users = list(files.open_histories(str(path)))
    except ValueError as error:
        assert "users.jsonl, line " in str(error) and "\n" not in str(error)
        return
    assert [user.user for user in users] == [token(line["user"]) for line in lines]
    assert [user.items for user in users] == [
        None if line.get("items") is None else [token(value) for value in line["items"]] for line in lines
    ]
