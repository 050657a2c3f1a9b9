"""DataFrames, lists and matrices: raw ids in and out, and one line for what cannot be read."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from recbole_edlae._warnings import DataWarning
from recbole_edlae.estimators import DLAE, EDLAE

LOG = pd.DataFrame(
    {
        "user_id": ["ann", "ann", "bob", "bob", "cem", "cem", "dot"],
        "item_id": ["tea", "milk", "tea", "milk", "tea", "rum", "rum"],
        "rating": [5, 4, 3, 5, 1, 2, 3],
    }
)


@pytest.fixture(scope="module")
def edlae():
    return EDLAE(reg_weight=1.0).fit(LOG)


def lists(answer):
    """User → items, best first, of a DataFrame of recommendations."""
    user, item = answer.columns[:2]
    assert list(answer.columns[2:]) == ["score", "rank"]
    for _, rows in answer.groupby(user):
        assert rows["rank"].tolist() == list(range(1, len(rows) + 1))
        assert rows["score"].is_monotonic_decreasing
    return {name: rows[item].tolist() for name, rows in answer.groupby(user, sort=False)}


def test_known_users_get_what_they_do_not_have(edlae):
    answer = edlae.recommend(["cem", "ann"], k=5)
    assert list(answer.columns) == ["user_id", "item_id", "score", "rank"]
    assert lists(answer) == {"cem": ["milk"], "ann": ["rum"]}
    assert answer["user_id"].tolist() == ["cem", "ann"]


@pytest.mark.parametrize("users", [
    pd.Series(["bob"]),
    pd.DataFrame({"customer": ["bob"]}),
    np.array(["bob"]),
    ("bob",),
    iter(["bob"]),
])  # fmt: skip
def test_users_may_come_in_many_forms(users, edlae):
    assert lists(edlae.recommend(users)) == {"bob": ["rum"]}


def test_histories_of_new_users_in_a_frame(edlae):
    new = pd.DataFrame({"user_id": ["u2", "u1", "u2"], "item_id": ["tea", "rum", "tea"]})
    by_list = edlae.recommend([["tea"], ["rum"]])
    answer = edlae.recommend(new)
    assert list(lists(answer)) == ["u2", "u1"] and list(lists(by_list)) == [0, 1]
    assert list(lists(answer).values()) == list(lists(by_list).values())
    assert answer["score"].tolist() == by_list["score"].tolist()


def test_a_series_of_lists_has_its_users_as_index(edlae):
    answer = edlae.recommend(LOG.groupby("user_id")["item_id"].agg(list))
    pd.testing.assert_frame_equal(answer, edlae.recommend(["ann", "bob", "cem", "dot"]))


def test_integers_come_back_as_integers():
    numbered = LOG.assign(user_id=LOG["user_id"].str.len(), item_id=LOG["item_id"].factorize()[0] + 100)
    answer = EDLAE().fit(numbered).recommend([3])
    assert answer["item_id"].dtype == numbered["item_id"].dtype == answer["user_id"].dtype


def test_numbers_and_texts_are_other_ids():
    mixed = pd.DataFrame({"user_id": [1, "1", 1, "1"], "item_id": [7, "7", "x", "x"]})
    estimator = EDLAE(reg_weight=1.0).fit(mixed)
    assert estimator.items_.tolist() == [7, "7", "x"] and estimator.users_.tolist() == [1, "1"]
    assert lists(estimator.recommend(["1"])) == {"1": [7]}


@pytest.mark.parametrize("names", [("who", "what"), ("what", "item_id"), ("user_id", "who"), (0, 1)])
def test_two_columns_may_have_any_names(names):
    frame = LOG[["user_id", "item_id"]].set_axis(list(names), axis=1)
    answer = EDLAE().fit(frame).recommend(["ann"])
    assert tuple(answer.columns[:2]) == names and answer.iloc[0, 1] == "rum"


def test_a_known_name_decides_which_of_two_columns_is_which():
    backwards = LOG[["item_id", "user_id"]].set_axis(["item_id", "who"], axis=1)
    assert EDLAE().fit(backwards).users_.tolist() == ["ann", "bob", "cem", "dot"]
    assert EDLAE().fit(LOG[["item_id", "user_id"]]).users_.tolist() == ["ann", "bob", "cem", "dot"]


@pytest.mark.parametrize("names, message", [
    ({"user": "who"}, "has no column 'who'; it has user_id, item_id"),
    ({"user": "buyer", "item": "sku"}, "has no column 'buyer'"),
    ({"user": "item_id"}, "user and item must name two columns, both are 'item_id'"),
    ({"item": None}, "has no column None"),
    ({"user": ["user_id"]}, r"has no column \['user_id'\]"),
])  # fmt: skip
def test_a_name_that_was_given_is_not_guessed_in_two_columns(names, message):
    with pytest.raises(ValueError, match=message):
        EDLAE(**names).fit(LOG[["user_id", "item_id"]])


def test_columns_named_by_parameters():
    frame = LOG.rename(columns={"user_id": "who", "item_id": "what"})
    estimator = EDLAE(user="who", item="what").fit(frame)
    assert list(estimator.recommend(["ann"]).columns) == ["who", "what", "score", "rank"]


def test_a_repeated_row_counts_once(edlae):
    again = EDLAE(reg_weight=1.0).fit(pd.concat([LOG, LOG.iloc[:3]]))
    pd.testing.assert_frame_equal(again.score(["ann"]), edlae.score(["ann"]))
    twice = edlae.recommend(pd.concat([LOG, LOG]))
    pd.testing.assert_frame_equal(twice, edlae.recommend(LOG))


@pytest.mark.parametrize("column", [
    LOG["item_id"].astype("category"),
    LOG["item_id"].astype("string"),
    pd.Series(LOG["item_id"].factorize()[0], dtype="Int64"),
    pd.Series(LOG["item_id"].factorize()[0], dtype=float),
    pd.to_datetime(pd.Series(LOG["item_id"].factorize()[0])),
])  # fmt: skip
def test_columns_of_every_type(column, edlae):
    answer = EDLAE(reg_weight=1.0).fit(LOG.assign(item_id=column)).recommend(["ann"])
    assert answer["item_id"].tolist() == [column[5]]
    assert answer["score"].tolist() == edlae.recommend(["ann"])["score"].tolist()


class Column:
    """A column as polars has it."""

    def __init__(self, values):
        self.values = values

    def to_numpy(self):
        return np.array(self.values)


class Frame:
    """A DataFrame as polars has it."""

    columns = ("user_id", "item_id", "rating")
    shape = (7, 3)

    def __getitem__(self, name):
        return Column(LOG[name].tolist())


def test_frames_of_other_libraries_are_read_by_column(edlae):
    pd.testing.assert_frame_equal(
        EDLAE(reg_weight=1.0).fit(Frame()).recommend(["ann"]), edlae.recommend(["ann"])
    )


def test_polars(edlae):
    polars = pytest.importorskip("polars", exc_type=ImportError)
    frame = polars.DataFrame(LOG.to_dict("list"))
    pd.testing.assert_frame_equal(
        EDLAE(reg_weight=1.0).fit(frame).recommend(["ann"]), edlae.recommend(["ann"])
    )
    pd.testing.assert_frame_equal(edlae.recommend(frame), edlae.recommend(LOG))
    with pytest.raises(ValueError, match="column 'item_id' has 1 missing values, the first in row 7"):
        EDLAE().fit(
            polars.concat([frame, polars.DataFrame({"user_id": ["x"], "item_id": [None], "rating": [1]})])
        )


def test_pyarrow(edlae):
    pyarrow = pytest.importorskip("pyarrow", exc_type=ImportError)
    table = pyarrow.table(LOG.to_dict("list"))
    pd.testing.assert_frame_equal(
        EDLAE(reg_weight=1.0).fit(table).recommend(["ann"]), edlae.recommend(["ann"])
    )


@pytest.mark.parametrize("frame, message", [
    (LOG.assign(item_id=[*"abcdef", None]), "column 'item_id' has 1 missing values, the first in row 6"),
    (LOG.assign(user_id=[np.nan, *"abcdef"]), "column 'user_id' has 1 missing values, the first in row 0"),
    (LOG.assign(item_id=pd.Series([1, 2, None, 4, 5, 6, 7])), "missing values, the first in row 2"),
    (LOG.assign(item_id=pd.Series([1, 2, pd.NA, 4, 5, 6, 7], dtype="Int64")), "the first in row 2"),
    (LOG.rename(columns={"user_id": "userid"}), "has no column 'user_id'; it has userid, item_id, rating: name"),
    (pd.DataFrame(np.eye(300)), "has no column 'user_id'; it has 0, 1, 2, 3, 4, …: name"),
    (LOG.iloc[:0], "X has no interactions"),
    (pd.concat([LOG, LOG[["item_id"]]], axis=1), "has 2 columns named 'item_id'"),
    (LOG["item_id"], "X must be a SciPy sparse matrix .* got Series"),
    (LOG[["item_id"]], "has no column 'user_id'"),
    (LOG.assign(item_id=[["tea"]] * 7), "column 'item_id' must hold one id a row, got \\['tea'\\]"),
    (LOG.assign(user_id=[{}] * 7), "column 'user_id' must hold one id a row, got {}"),
    (LOG.assign(user_id=[("ann", 1)] * 7), "column 'user_id' must hold one id a row, got \\('ann', 1\\)"),
    (LOG.assign(item_id=[True, False] * 3 + [True]), "column 'item_id' must hold one id a row, got True"),
    (LOG.assign(item_id=["tea", True] * 3 + ["rum"]), "column 'item_id' must hold one id a row, got True"),
    (LOG.assign(item_id=pd.Series([1, True] * 3 + ["rum"], dtype=object)), "must hold one id a row, got True"),
    (LOG.assign(item_id=pd.array([True] * 7, dtype="boolean")), "must hold one id a row, got True"),
])  # fmt: skip
def test_frames_that_cannot_be_fitted_to(frame, message):
    with pytest.raises(ValueError, match=message):
        EDLAE().fit(frame)


@pytest.mark.parametrize("X, message", [
    (sp.csr_matrix((3, 3)), "no interactions: its shape is \\(3, 3\\)"),
    (np.array([[1.0, -1.0]]), "Negative values in data: X has -1.0"),
    (np.array([[1.0, np.nan]]), "contains NaN"),
    (np.ones(3), "got ndarray of shape \\(3,\\)"),
    (sp.csr_matrix([[1.0, np.inf]]), "finite values only, got inf for row 0, column 1"),
    (np.array([["a"]]), "not compatible with arrays of bytes/strings"),
    ([["a", "b"]], "X must be a SciPy sparse matrix .* got list"),
    (None, "got NoneType"),
])  # fmt: skip
def test_matrices_that_cannot_be_fitted_to(X, message):
    with pytest.raises(ValueError, match=message):
        EDLAE().fit(X)


def test_a_masked_entry_is_no_interaction():
    masked = np.ma.masked_array(np.ones((2, 3)), mask=[[0, 1, 0], [0, 0, 0]])
    assert EDLAE().fit(masked).popularity_.tolist() == [2, 1, 2]


def test_a_sparse_vector_is_no_matrix():
    vector = sp.coo_array(np.ones(3))
    if vector.ndim == 2:
        pytest.skip("this SciPy has no sparse vectors")
    with pytest.raises(ValueError, match="got coo_array of shape \\(3,\\)"):
        EDLAE().fit(vector)


@pytest.mark.parametrize("given, message", [
    (["eve"], "unknown user 'eve'; there are 'ann', "),
    (["eve", "ann", "ron", "eve"], r"unknown user 'eve'; there are .* \(unknown users: 2\)"),
    ("ann", "must be a list of user ids, or of lists of item ids, got 'ann'"),
    (None, "must be a list of user ids"),
    ({"ann": ["tea"]}, "must be a list of user ids"),
    (["ann", ["tea"]], "a history must be a list of item ids, got 'ann' among lists"),
    ([["tea", None]], "histories: a token is text or a number, got None"),
    ([["tea", float("nan")]], "got nan"),
    ([[True, False, True]], "got True"),
    ([[["tea"]]], "a token is text or a number, got \\['tea'\\]"),
    ([None], "users: a token is text or a number, got None"),
    (pd.DataFrame({"item_id": ["tea"]}), "the DataFrame has no column 'user_id'"),
    (pd.Series(["tea"], name="item_id"), "a Series 'item_id' of items is no list of users"),
    (np.ones((2, 9)), "X has 9 features, but it is expecting 3 features as input"),
    (pd.DataFrame({"user_id": [None, "a"], "item_id": ["tea", "tea"]}), "column 'user_id' has 1 missing"),
])  # fmt: skip
def test_what_cannot_be_recommended_for(given, message, edlae):
    with pytest.raises(ValueError, match=message):
        edlae.recommend(given)
    with pytest.raises(ValueError, match=message):
        edlae.score(given)


def test_unknown_items_are_skipped_and_named(edlae):
    with pytest.warns(DataWarning, match="skipped 2 item ids that the model does not know, such as 'gin'"):
        answer = edlae.recommend([["tea", "gin", "gin", 5]])
    pd.testing.assert_frame_equal(answer, edlae.recommend([["tea"]]))


def test_an_array_of_texts_holds_histories(edlae):
    answer = edlae.recommend(np.array([["tea", "milk"], ["tea", "rum"]]))
    pd.testing.assert_frame_equal(answer, edlae.recommend([["tea", "milk"], ["tea", "rum"]]))


def test_an_empty_history_gets_the_popular_items(edlae):
    frame = pd.DataFrame({"user_id": ["new", "old"], "item_id": [None, "milk"]})
    for given, names in (([[], ["milk"]], [0, 1]), (frame, ["new", "old"])):
        with pytest.warns(DataWarning, match="1 of 2 histories have no item that the model knows"):
            answer = edlae.recommend(given)
        first = answer[answer["user_id"] == names[0]]
        assert first["item_id"].tolist() == ["tea", "milk", "rum"] or first["item_id"].tolist() == [
            "tea",
            "rum",
            "milk",
        ]
        assert first["score"].tolist() == [3.0, 2.0, 2.0]
        assert set(answer["user_id"]) == set(names)


@pytest.mark.parametrize(
    "nobody", [[], pd.DataFrame({"user_id": [], "item_id": []}), pd.Series([], dtype=object)]
)
def test_for_nobody_there_is_an_empty_frame(nobody, edlae):
    answer = edlae.recommend(nobody)
    assert list(answer.columns) == ["user_id", "item_id", "score", "rank"] and len(answer) == 0


def test_excluded_items_are_left_out(edlae):
    assert lists(edlae.recommend([["milk"]], exclude=["tea"])) == {0: ["rum"]}
    with pytest.raises(ValueError, match="exclude must be a list of item ids, got 'tea'"):
        edlae.recommend([["milk"]], exclude="tea")


@pytest.mark.parametrize("k", [0, -1, 2.5, True, None])
def test_k_is_a_positive_integer(k, edlae):
    for call in (edlae.recommend, edlae.similar):
        with pytest.raises(ValueError, match="k must be an integer of at least 1"):
            call(["ann"] if call == edlae.recommend else "tea", k)


def test_similar_items_of_a_frame(edlae):
    answer = edlae.similar("tea", k=1)
    assert list(answer.columns) == ["item_id", "score", "rank"] and answer["item_id"].tolist() == ["milk"]
    with pytest.raises(ValueError, match="unknown item 'teas'; did you mean tea"):
        edlae.similar("teas")


def test_scores_name_users_and_items(edlae):
    scores = edlae.score(["ann", "cem"])
    assert scores.index.tolist() == ["ann", "cem"] and scores.columns.tolist() == ["tea", "milk", "rum"]
    assert scores.loc["ann", "rum"] == edlae.recommend(["ann"])["score"][0]


def test_a_matrix_has_its_rows_and_columns_as_ids():
    X = sp.csr_matrix([[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0]])  # nobody has item 3
    estimator = EDLAE(reg_weight=1.0).fit(X)
    answer = estimator.recommend([2, 0], k=1)
    assert answer.items == [[1], [2]] and [type(item) for item in answer.items[0]] == [int]
    assert estimator.recommend(X[2], k=1).items == estimator.recommend([[0, 2]], k=1).items == [[1]]
    unknown = estimator.recommend([[0, 2, 99, 3], [3]], k=1)
    assert unknown.unknown == {99: 1, 3: 2} and unknown.popular.tolist() == [False, True]
    with pytest.warns(DataWarning, match="skipped 1 item ids that the model does not know, such as 99"):
        assert np.array_equal(estimator.score([[0, 99]]), estimator.score([[0]]))
    assert isinstance(estimator.recommend(pd.DataFrame({"u": ["x"], "i": [0]})), pd.DataFrame)
    with pytest.raises(ValueError, match="item: nothing is known of 3: nobody had it in training"):
        estimator.similar(3)
    with pytest.raises(ValueError, match="unknown user 3; there are "):
        estimator.recommend([3])


@pytest.mark.parametrize("estimator, message", [
    (EDLAE(dropout_prob=1.0), r"dropout_prob must be float in \[0, 1\), got 1.0"),
    (EDLAE(reg_weight="500"), "reg_weight must be float, got '500'"),
    (EDLAE(emphasis=(0.0, 1.0)), "emphasis"),
    (EDLAE(dropout_penalty="none"), "dropout_penalty must be one of "),
    (EDLAE(neighbors=2, low_pass_weight=0.1), "neighbors must be None"),
    (DLAE(rank=2, zero_diagonal=True), "zero_diagonal must be False with a rank"),
    (EDLAE(reg_weight=10**400), "reg_weight must be float in"),
    (EDLAE(item="score").set_params(user="rank"), "has no column 'rank'"),
])  # fmt: skip
def test_settings_out_of_range(estimator, message):
    with pytest.raises(ValueError, match=message):
        estimator.fit(LOG)


def test_a_column_of_ids_is_not_lost_to_the_scores():
    estimator = EDLAE(item="score").fit(LOG.rename(columns={"item_id": "score"}))
    with pytest.raises(ValueError, match="the answer has a column 'score' of its own"):
        estimator.recommend(["ann"])


def test_a_fit_that_fails_leaves_the_earlier_one():
    estimator = EDLAE().fit(LOG)
    with pytest.raises(ValueError, match="no interactions"):
        estimator.fit(LOG.iloc[:0])
    assert lists(estimator.recommend(["ann"])) == {"ann": ["rum"]}


def test_a_second_fit_forgets_the_first():
    estimator = EDLAE().fit(LOG)
    estimator.recommend(["ann"])
    X = sp.csr_matrix([[1, 1, 0], [1, 0, 1]])
    assert estimator.fit(X).recommend([0]).items == EDLAE().fit(X).recommend([0]).items
    with pytest.raises(ValueError, match="unknown user 'ann'"):
        estimator.recommend(["ann"])
