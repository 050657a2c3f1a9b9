"""Every member of an Ensemble is the model that it is alone, and the ensemble's scores are the sum of theirs."""

import itertools
import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import scipy.stats
import torch
from recbole.config import Config
from recbole.data.interaction import Interaction
from recbole.quick_start import load_data_and_model, run_recbole
from recbole.utils import get_trainer

from recbole_edlae.serving.checkpoint import Checkpoint
from recbole_edlae.serving.export import write_export
from recbole_edlae.serving.recommender import Recommender
from tests.conftest import ROOT
from tests.model.ensembles import MEMBERS, scores_of

SMALL = {label: MEMBERS[label] for label in ("EDLAE", "DeepAE", "EASE")}
SERVED = {label: MEMBERS[label] for label in ("EDLAE", "DeepAE")}


def histories(model):
    """Which items users have in training, without [PAD]: array (users, items)."""
    users = torch.arange(1, model.n_users)
    items, count = model.history(users)
    has = np.zeros((len(users), model.n_items), dtype=bool)
    has[np.repeat(np.arange(len(users)), count.numpy()), items.numpy()] = True
    return has


def standardized(scores, has):
    """Standard scores by SciPy, over the items that a user does not have; those of others are left at 0."""
    expected = np.zeros_like(scores)
    for row, known in enumerate(has):
        new = ~known
        new[0] = False
        expected[row, new] = scipy.stats.zscore(scores[row, new])
    return expected


def test_each_member_is_what_it_is_alone_and_the_scores_are_their_sum(fit_best):
    weights = {"EDLAE": 2.0, "BPR": 0.5}
    together, trainer = fit_best("Ensemble", members=MEMBERS, weights=weights)
    has = histories(together)
    total = np.zeros(has.shape)
    for label, own in MEMBERS.items():
        own = dict(own)
        if own.get("seed"):
            continue  # alone, another seed splits the data otherwise too
        alone, of_member = fit_best(own.pop("model", label), **own)
        expected = scores_of(alone)
        assert np.array_equal(scores_of(together.members[label]), expected), label
        assert trainer.members[label].train_loss_dict == of_member.train_loss_dict
        total += weights.get(label, 1.0) * standardized(expected, has)
    assert 2 < len(trainer.members["DeepAE"].train_loss_dict) < 12  # it stopped early
    total += standardized(scores_of(together.members["another seed"]), has)
    shares = sum(weights.get(label, 1.0) for label in MEMBERS)
    new = ~has
    new[:, 0] = False
    np.testing.assert_allclose(scores_of(together)[new], (total / shares)[new], atol=2e-5)
    first, second = (scores_of(together.members[label]) for label in ("DeepAE", "another seed"))
    assert not np.array_equal(first, second)


@pytest.mark.slow
def test_two_of_recboles_models_as_a_user_types_them(tmp_path):
    """`run_recbole` as a user types it, the checkpoint in another process, and each member as a run of its own."""
    program = """
        import json, sys
        import recbole_edlae
        from recbole.quick_start import run_recbole, load_data_and_model
        from recbole.utils import get_trainer
        settings = {"show_progress": False, "state": "ERROR", "checkpoint_dir": sys.argv.pop(1)}
        if len(sys.argv) == 1:
            members = {"EASE": {}, "BPR": {"epochs": 3}}
            result = run_recbole(model="Ensemble", config_dict={**settings, "members": members}, dataset="ml-100k")
            print(json.dumps(result["test_result"]))
        else:
            config, model, _, _, _, test = load_data_and_model(sys.argv.pop(1))
            trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
            trainer.eval_collector.data_collect(test)
            print(json.dumps(trainer.evaluate(test, load_best_model=False)))
    """

    def process(*words):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program), str(tmp_path), *words],
            capture_output=True, text=True, cwd=ROOT, check=True,
        )  # fmt: skip
        return json.loads(done.stdout.splitlines()[-1])

    expected = process()
    (checkpoint,) = tmp_path.glob("Ensemble-*.pth")
    assert process(str(checkpoint)) == expected


def test_one_member_ranks_as_it_does_alone(fit_best):
    for label in ("EDLAE", "BPR"):
        together, _ = fit_best("Ensemble", members={label: MEMBERS[label]})
        alone, _ = fit_best(label, **MEMBERS[label])
        assert np.array_equal(scores_of(together), scores_of(alone).astype(np.float32))


def test_the_order_of_the_members_does_not_matter(build_as_run):
    results = []
    for labels in itertools.permutations(SMALL):
        _, trainer, train, valid, _ = build_as_run(
            "Ensemble", members={label: SMALL[label] for label in labels}
        )
        results.append(trainer.fit(train, valid))
        results[-1] = (*results[-1], scores_of(trainer.model.eval()).tobytes())
    assert all(result == results[0] for result in results)


def test_weight_0_is_absence(fit_best):
    without, _ = fit_best("Ensemble", members={"EDLAE": SMALL["EDLAE"], "EASE": {}})
    absent, trainer = fit_best("Ensemble", members=SMALL, weights={"DeepAE": 0})
    assert np.array_equal(scores_of(absent), scores_of(without)) and trainer.members.keys() == {
        "EDLAE",
        "EASE",
    }
    doubled, _ = fit_best("Ensemble", members=SMALL, weights={"EDLAE": 2, "DeepAE": 0.0, "EASE": 2})
    assert np.array_equal(scores_of(doubled), scores_of(without))


def test_pairs_have_the_scores_of_full_ranking(fit_best):
    model, _ = fit_best("Ensemble", members=SMALL)
    rng = np.random.default_rng(0)
    users, items = (torch.from_numpy(rng.integers(1, n, 50)) for n in (model.n_users, model.n_items))
    with torch.no_grad():
        pairs = model.predict(Interaction({model.USER_ID: users, model.ITEM_ID: items}))
    np.testing.assert_allclose(pairs.numpy(), scores_of(model)[users.numpy() - 1, items.numpy()], atol=1e-5)


def test_a_checkpoint_is_the_whole_ensemble(settings, tmp_path):
    result = run_recbole("Ensemble", "tiny", config_dict={**settings, "members": MEMBERS})
    (file,) = tmp_path.rglob("Ensemble-*.pth")
    config, model, _, _, _, test = load_data_and_model(str(file))
    trainer = get_trainer(config["MODEL_TYPE"], "Ensemble")(config, model)
    trainer.eval_collector.data_collect(test)
    assert trainer.evaluate(test, load_best_model=False) == result["test_result"]
    assert model.fitted and model.best_epochs.keys() == {
        "DeepAE",
        "BPR",
        "MultiDAE",
        "LightGCN",
        "another seed",
    }


def test_a_training_that_is_resumed_goes_on_with_the_next_member(build_as_run, monkeypatch):
    _, expected, train, valid, _ = build_as_run("Ensemble", members=SMALL)
    expected.fit(train, valid)
    _, first, train, valid, _ = build_as_run("Ensemble", members=SMALL)
    stock, trained = type(first)._train, []

    def interrupted(self, label, *words):
        if label == "EASE" and not trained.count("resumed"):
            raise KeyboardInterrupt
        trained.append(label)
        return stock(self, label, *words)

    monkeypatch.setattr(type(first), "_train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        first.fit(train, valid)
    assert trained == ["EDLAE", "DeepAE"] and not first.model.fitted
    model, second, train, valid, _ = build_as_run("Ensemble", members=SMALL)
    second.resume_checkpoint(first.saved_model_file)
    trained.append("resumed")
    second.fit(train, valid)
    assert trained[3:] == ["EASE"] and model.fitted
    assert np.array_equal(scores_of(model.eval()), scores_of(expected.model.eval()))
    assert second.best_valid_result == expected.best_valid_result


def test_without_validation_members_are_trained_to_the_end(build_as_run):
    model, trainer, train, _, _ = build_as_run("Ensemble", members=SERVED)
    _, result = trainer.fit(train, None)
    assert result is None and model.fitted and model.best_epochs == {"DeepAE": 12}


def test_building_one_leaves_random_numbers_alone(build_as_run):
    model, _, train, _, _ = build_as_run("Ensemble", members=SMALL)
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    type(model)(train.config, train.dataset)
    assert torch.equal(torch.rand(1), expected)


EDLAE = {"EDLAE": {}}
WRONG = {
    "no members": ({"members": {}}, r"^members must map models to their settings"),
    "a list": ({"members": ["EDLAE"]}, r"^members must be dict, got \['EDLAE'\]"),
    "settings": ({"members": {"EDLAE": 5}}, r"^members: EDLAE must have settings"),
    "no such model": ({"members": {"EDLEA": {}}}, r"^members: EDLEA: unknown model 'EDLEA'.*EDLAE"),
    "no such setting": (
        {"members": {"EDLAE": {"reg_wieght": 5}}},
        r"^members: EDLAE: EDLAE has no setting reg_wieght; .*reg_weight",
    ),
    "out of range": (
        {"members": {"EDLAE": {"dropout_prob": 1.5}}},
        r"^members: EDLAE: dropout_prob must be float in \[0, 1\), got 1.5",
    ),
    "of the run": (
        {"members": {"EDLAE": {"topk": 5}}},
        r"^members: EDLAE: topk is the same for all members: set it be",
    ),
    "a sequential model": ({"members": {"SASRec": {}}}, r"^members: SASRec: "),
    "a model of context": (
        {"members": {"FM": {}}},
        r"^members: FM: FM needs other data than users and their items",
    ),
    "pairs alone": (
        {"members": {"ConvNCF": {}}},
        r"^members: ConvNCF: ConvNCF does not score all items of a user",
    ),
    "an unknown weight": (
        {"members": EDLAE, "weights": {"EASE": 1}},
        r"^weights: 'EASE' is no member; there are EDLA",
    ),
    "a negative weight": (
        {"members": EDLAE, "weights": {"EDLAE": -1}},
        r"^weights: EDLAE must have a number from 0 to 1e\+100, got -1",
    ),
    "a huge weight": (
        {"members": EDLAE, "weights": {"EDLAE": 1e308}},
        r"^weights: EDLAE must have a number from 0",
    ),
    "beyond floats": (
        {"members": EDLAE, "weights": {"EDLAE": 10**400}},
        r"^weights: EDLAE must have a number from 0",
    ),
    "a number as label": ({"members": {2: {"model": "EDLAE"}}}, r"^members: a label must be a text, got 2"),
    "no weight left": (
        {"members": EDLAE, "weights": {"EDLAE": 0}},
        r"^weights must leave a member above 0",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_members_are_named_before_data_are_read(case, settings):
    given, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        Config("Ensemble", "tiny", config_dict={**settings, **given})


def test_an_error_in_training_names_the_member(build_as_run):
    members = {"EDLAE": {}, "singular": {"model": "EDLAE", "reg_weight": 0.0, "dropout_prob": 0.0}}
    model, trainer, train, valid, _ = build_as_run("Ensemble", members=members)
    model.members["singular"].interactions = model.members["singular"].interactions[
        :10
    ]  # fewer users than items
    with pytest.raises(
        ValueError, match=r"^members: singular: reg_weight 0\.0 and dropout_prob 0\.0 leave"
    ):
        trainer.fit(train, valid)


def test_it_serves_new_users_where_all_members_do(settings, tmp_path):
    # A member of weight 0 is not part of the model, and not of its export.
    members = {**SERVED, "absent": {"model": "BPR"}}
    weights = {"DeepAE": 0.5, "absent": 0}
    run_recbole("Ensemble", "tiny", config_dict={**settings, "members": members, "weights": weights})
    (file,) = tmp_path.rglob("Ensemble-*.pth")
    recommender = Recommender.load(file)
    answer = recommender.recommend([["i1", "i2"]], k=3)
    model = recommender.model
    tokens = recommender.tokens.tolist()
    ids = [tokens.index("i1"), tokens.index("i2")]
    with torch.no_grad():
        scores = model.score(torch.tensor(ids), torch.tensor([2]))[0].double().numpy()
        parts = [
            model.members[label].score(torch.tensor(ids), torch.tensor([2])).double().numpy()
            for label in SERVED
        ]
    has = np.zeros((1, model.n_items), dtype=bool)
    has[0, ids] = True
    expected = (standardized(parts[0], has) + 0.5 * standardized(parts[1], has))[0] / 1.5
    new = ~has[0]
    new[0] = False
    np.testing.assert_allclose(scores[new], expected[new], atol=2e-5)
    best = np.argsort(-np.where(new, expected, -np.inf))[:3]
    assert answer.items[0] == recommender.tokens[best].tolist()
    write_export(Checkpoint.read(file), tmp_path / "export")
    again = Recommender.load(tmp_path / "export").recommend([["i1", "i2"]], k=3)
    assert again.items == answer.items and np.array_equal(again.scores[0], answer.scores[0])
    similar, values = recommender.similar("i1", k=3)
    with torch.no_grad():
        of_one = model.score(torch.tensor(ids[:1]), torch.tensor([1]))[0]
    assert values.tolist() == [of_one[tokens.index(token)].item() for token in similar]


@pytest.mark.parametrize(
    "label, settings_of_it", [("BPR", MEMBERS["BPR"]), ("of users", {"model": "DLAE", "based_on": "user"})]
)
def test_a_member_that_cannot_serve_is_named(label, settings_of_it, settings, tmp_path):
    members = {"EDLAE": {}, label: settings_of_it}
    run_recbole("Ensemble", "tiny", config_dict={**settings, "members": members})
    (file,) = tmp_path.rglob("Ensemble-*.pth")
    with pytest.raises(ValueError, match=rf"members: {label}: model: "):
        Recommender.load(file)
    split = {"eval_args": {"split": {"US": [0.8, 0.1, 0.1]}}}
    with pytest.raises(ValueError, match=rf"members: {label}: model: "):
        Config("Ensemble", "tiny", config_dict={**settings, "members": members, **split})


def test_held_out_users_are_scored_from_their_fold_in(settings):
    split = {"eval_args": {"split": {"US": [0.6, 0.2, 0.2]}, "mode": "full"}}
    members = {"EDLAE": {"reg_weight": 3.0}, "ItemKNN": {"k": 5}}
    together = run_recbole("Ensemble", "tiny", config_dict={**settings, **split, "members": members})
    one = run_recbole(
        "Ensemble", "tiny", config_dict={**settings, **split, "members": {"EDLAE": {"reg_weight": 3.0}}}
    )
    alone = run_recbole("EDLAE", "tiny", config_dict={**settings, **split, "reg_weight": 3.0})
    assert one["test_result"] == alone["test_result"] != together["test_result"]
