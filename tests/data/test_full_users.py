"""Negatives for a user who has all items cannot be drawn: models that draw say so, the others run."""

import pathlib

import pytest
from recbole.quick_start import run_recbole

from tests.data.shop_splits import COLUMNS, FULL_USER, build
from tests.shop import QUIET, shop_rows, shop_text


@pytest.mark.parametrize("model", ["EDLAE", "DeepAE", "Pop", "EASE"])
def test_models_that_draw_nothing_run(write_shop, command, model):
    write_shop(shop_text(FULL_USER))
    assert command("run", f"--model={model}", *QUIET).status == 0


def test_a_model_that_draws_names_the_user(write_shop, refused):
    write_shop(shop_text(FULL_USER))
    line = refused("run", "--model=BPR", *QUIET)
    assert "user all has all 20 items" in line and "user_inter_num_interval: '[0,19]'" in line


@pytest.mark.filterwarnings("ignore::recbole_edlae._warnings.DataWarning")
@pytest.mark.parametrize("model", ["EDLAE", "DeepAE", "Pop"])
@pytest.mark.parametrize("alone", ["user", "item"])
def test_data_of_one_user_or_one_item_run(write_shop, command, model, alone):
    rows = [row for row in shop_rows() if row[0] == "u0"]
    write_shop(shop_text(rows if alone == "user" else [(f"u{u}", "i0", 3, u) for u in range(40)]))
    assert command("run", f"--model={model}", *QUIET).status == 0
    group = "{'split':{'RS':[.8,.1,.1]},'group_by':'none','order':'RO','mode':'full'}"
    assert command("run", f"--model={model}", f"--eval_args={group}", *QUIET).status == 0


def test_an_item_that_nobody_has_is_not_drawn_by_popularity(write_shop):
    """An item that nobody has cannot be drawn by popularity: the user who has all others is named."""
    path = write_shop(shop_text(FULL_USER))
    path.with_suffix(".item").write_text("\n".join(["item_id:token", *(f"i{i}" for i in range(22))]) + "\n")
    columns = {**COLUMNS, "item": ["item_id"]}
    train = {"distribution": "popularity", "sample_num": 1}
    with pytest.raises(ValueError, match="user all has all 20 items"):
        build("BPR", load_col=columns, train_neg_sample_args=train)
    build("BPR", load_col=columns)


def test_dynamic_sampling_names_the_user_too(write_shop):
    write_shop(shop_text(FULL_USER))
    train = {"distribution": "uniform", "sample_num": 1, "dynamic": True, "candidate_num": 2}
    with pytest.raises(ValueError, match="user all has all 20 items"):
        build("BPR", train_neg_sample_args=train)


def test_candidates_for_a_user_with_all_items_are_refused_before_the_training(write_shop):
    write_shop(shop_text(FULL_USER))
    eval_args = {"split": {"RS": [0.8, 0.1, 0.1]}, "mode": "uni5"}
    with pytest.raises(ValueError, match="eval_args mode uni5: user all has all 20 items"):
        run_recbole("EDLAE", "shop", config_dict={"state": "ERROR", "eval_args": eval_args})
    assert not pathlib.Path("saved").exists()  # it was said before the training
    loaders = build("EDLAE", eval_args=eval_args)[2]
    with pytest.raises(ValueError, match="user all has all 20 items"):
        list(loaders[2])


def test_a_sampler_that_is_asked_directly_names_the_user(write_shop):
    write_shop(shop_text(FULL_USER))
    _, data, (_, _, test) = build("EDLAE")
    assert test._sampler is not None
    user = data.token2id("user_id", "all")
    with pytest.raises(ValueError, match="user all has all 20 items"):
        test._sampler.sample_by_user_ids([user], [1], 3)
