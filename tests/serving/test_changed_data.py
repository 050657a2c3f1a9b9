"""A checkpoint whose data have changed: answers do not, or whoever asks for more is told."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
import torch
from recbole.quick_start import load_data_and_model

from recbole_edlae.serving.recommender import Recommender
from tests.conftest import ROOT
from tests.serving.shop_checkpoints import CHANGES, HISTORY, change, recommend, train, written
from tests.shop import shop_rows, shop_text


def test_recommend_answers_alike_after_sorting_the_file(checkpoint, command, write_shop):
    pathlib.Path("users.jsonl").write_text(json.dumps(HISTORY) + '\n{"user": "u3"}\n')
    assert recommend(command, checkpoint).status == 0
    before = written()
    change(write_shop, "sorted the other way")
    assert recommend(command, checkpoint).status == 0
    assert written() == before


def test_an_export_answers_alike_after_sorting_the_file(checkpoint, command, write_shop):
    expected = Recommender.load(checkpoint).recommend([["i3", "i7"], []], 8)
    change(write_shop, "sorted the other way")
    assert command("export", "--checkpoint", checkpoint, "--output=small", "--dtype=float16").status == 0
    found = Recommender.load("small").recommend([["i3", "i7"], []], 8)
    assert found.items == expected.items
    assert [values.tolist() for values in found.scores] == [
        pytest.approx(v.tolist(), rel=1e-2) for v in expected.scores
    ]


def test_load_data_and_model_is_refused_after_sorting_the_file(checkpoint, write_shop):
    assert load_data_and_model(checkpoint)[1].weights.encoder.shape == (21, 21)
    change(write_shop, "sorted the other way")
    with pytest.raises(ValueError, match="was not trained on these data"):
        load_data_and_model(checkpoint)


@pytest.mark.parametrize("how", CHANGES)
def test_changed_data_do_not_change_the_answers(how, checkpoint, write_shop):
    expected = Recommender.load(checkpoint).recommend([["i3", "i7"], []], 8)
    change(write_shop, how)
    found = Recommender.load(checkpoint).recommend([["i3", "i7"], []], 8)
    assert found.items == expected.items and found.scores[0].tolist() == expected.scores[0].tolist()
    with pytest.raises(ValueError, match=r"was not trained on these data|weights for 21 items"):
        load_data_and_model(checkpoint)


def test_data_that_split_otherwise_are_refused(checkpoint, write_shop):
    rows = shop_rows()
    rows[-8:] = rows[-8:][::-1]  # the last user's rows: every token has come up before
    write_shop(shop_text(rows))
    with pytest.raises(
        ValueError, match=r"was not trained on these data: .*the interactions to train on are not"
    ):
        load_data_and_model(checkpoint)


def test_without_data_new_users_are_answered_and_known_ones_refused(checkpoint, command):
    shutil.rmtree("dataset")
    pathlib.Path("users.jsonl").write_text(json.dumps(HISTORY) + "\n")
    assert recommend(command, checkpoint).status == 0 and len(written()["me"]) == 18
    pathlib.Path("users.jsonl").write_text('{"user": "u1"}\n')
    outcome = recommend(command, checkpoint)
    assert outcome.status == 2 and "its data are not in" in outcome.err and outcome.err.count("\n") == 1


def test_a_trainer_neither_resumes_nor_evaluates_on_changed_data(checkpoint, write_shop):
    from recbole.utils import get_trainer

    change(write_shop, "two items swapped")
    other = train()
    config, model, _, train_data, _, test = load_data_and_model(other)
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    name = trainer.saved_model_file
    with pytest.raises(ValueError, match="was not trained on these data"):
        trainer.resume_checkpoint(checkpoint)
    assert trainer.saved_model_file == name
    trainer.eval_collector.data_collect(train_data)
    with pytest.raises(ValueError, match="was not trained on these data"):
        trainer.evaluate(test, model_file=checkpoint)
    assert trainer.evaluate(test, model_file=other)


def test_checkpoints_without_a_description_of_their_data_open_with_a_warning(checkpoint, write_shop):
    saved = torch.load(checkpoint, weights_only=False)
    expected = Recommender.load(checkpoint).recommend([["i3"]], 5).items
    del saved["trained_on"]
    torch.save(saved, "old.pth")
    with pytest.warns(UserWarning, match="old.pth does not say what it was trained on"):
        assert Recommender.load("old.pth").recommend([["i3"]], 5).items == expected
    with pytest.warns(UserWarning, match="old.pth does not say what it was trained on"):
        load_data_and_model("old.pth")


@pytest.mark.slow
def test_changed_data_are_refused_in_a_process_that_does_not_import_the_plugin(checkpoint, write_shop):
    change(write_shop, "sorted the other way")
    program = (
        "import sys, recbole_edlae.integration.hook as hook; hook.arm()\n"  # as torch does where it is installed
        "from recbole.quick_start import load_data_and_model\n"
        "assert 'recbole_edlae.model' not in sys.modules\n"
        f"load_data_and_model({checkpoint!r})\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert done.returncode == 1 and "was not trained on these data" in done.stderr.strip().splitlines()[-1]
