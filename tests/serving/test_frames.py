"""A Recommender takes and returns DataFrames."""

import numpy as np
import pandas as pd
import pytest

from recbole_edlae._warnings import DataWarning
from recbole_edlae.serving.frames import answer_frame

LOG = pd.DataFrame(
    {"user_id": ["b", "a", "b", "b"], "item_id": ["i1", "i9", "i4", "i1"], "rating": [1, 2, 3, 4]}
)


def test_a_frame_is_answered_by_a_frame(recommender):
    expected = recommender.recommend([["i1", "i4"], ["i9"]], 3)
    answer = recommender.recommend(LOG, 3)
    assert list(answer.columns) == ["user_id", "item_id", "score", "rank"]
    assert answer["user_id"].tolist() == ["b"] * 3 + ["a"] * 3
    assert answer["item_id"].tolist() == [*expected.items[0], *expected.items[1]]
    assert answer["score"].tolist() == np.concatenate(expected.scores).tolist()
    assert answer["rank"].tolist() == [1, 2, 3, 1, 2, 3]


def test_columns_of_other_names(recommender):
    renamed = LOG.rename(columns={"user_id": "who", "item_id": "what"})
    answer = recommender.recommend(renamed, 3, user="who", item="what")
    assert list(answer.columns[:2]) == ["who", "what"]
    two = recommender.recommend(renamed[["who", "what"]], 3)
    pd.testing.assert_frame_equal(two, answer)
    with pytest.raises(ValueError, match="the DataFrame has no column 'user_id'; it has "):
        recommender.recommend(renamed, 3)


def test_what_a_frame_does_not_show_is_said(recommender):
    new = pd.DataFrame({"user_id": [1, 2, 2], "item_id": [None, "i1", "gone"]})
    with pytest.warns(DataWarning) as said:
        answer = recommender.recommend(new, 2)
    assert [str(each.message) for each in said] == [
        "skipped 1 item ids that the model does not know, such as 'gone'",
        "1 of 2 histories have no item that the model knows: they get the popular ones",
    ]
    assert answer["item_id"].tolist()[2:] == recommender.recommend([["i1"]], 2).items[0]
    assert answer["user_id"].tolist() == [1, 1, 2, 2]


def test_exclude_goes_by_the_users_first_rows(recommender):
    best = recommender.recommend(LOG, 1)["item_id"].tolist()
    answer = recommender.recommend(LOG, 1, exclude=[[best[0]], None])
    assert answer["item_id"].tolist()[0] != best[0] and answer["item_id"].tolist()[1] == best[1]


def test_a_missing_user_is_refused(recommender):
    with pytest.raises(ValueError, match="column 'user_id' has 1 missing values, the first in row 1"):
        recommender.recommend(LOG.assign(user_id=["a", None, "b", "c"]))


def test_an_empty_frame_is_answered_by_one(recommender):
    assert len(recommender.recommend(LOG.iloc[:0])) == 0


@pytest.mark.parametrize("columns", [("score", "item_id"), ("user_id", "rank")])
def test_ids_and_scores_do_not_share_a_column(columns):
    with pytest.raises(ValueError, match=r"the answer has a column '(score|rank)' of its own"):
        answer_frame(columns, ["a"], [np.array(["i"])], [np.ones(1)])
