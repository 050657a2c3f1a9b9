"""RecBole's case study for every user of a split."""

import torch
from recbole.utils import case_study, get_model

from tests.data.shop_splits import build
from tests.shop import shop_rows, shop_text


def test_users_without_test_items_have_recommendations_too(write_shop):
    write_shop(shop_text([*shop_rows(), ("lone", "i1", 5, 1)]))
    _, dataset, (train, _, test) = build(reg_weight=5.0)
    model = get_model("EDLAE")(train.dataset.config, train.dataset)
    model.fit()
    lone, other = dataset.token2id("user_id", ["lone", "u5"])
    assert test.uid2history_item[lone] is None
    scores, items = case_study.full_sort_topk([lone, other], model, test, 19)
    tokens = dataset.id2token("item_id", items)
    assert set(tokens[0]) == {f"i{number}" for number in range(20)} - {"i1"}
    alone = case_study.full_sort_topk([other], model, test, 12)
    assert torch.equal(scores[1, :12], alone[0][0])
