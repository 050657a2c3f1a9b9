"""What every registered model keeps, without being named here."""

import numpy as np
import pytest
import torch
from recbole.config import Config
from recbole.data.interaction import Interaction
from recbole.quick_start import load_data_and_model, run_recbole

from recbole_edlae._files import CONFIGS
from recbole_edlae.runs import space
from recbole_edlae.settings import registry
from recbole_edlae.settings.registry import recbole_schema
from recbole_edlae.settings.schema import read_schema


def cases():
    """Every model with its defaults, and with a rank, neighbors or a low-pass filter where it has them.

    The default rank may be too high for `tiny`.
    """
    for name, defaults in sorted(registry.registered().items()):
        rank = read_schema(defaults).get("rank")
        filtered = read_schema(defaults).get("low_pass_weight")
        is_always_filtered = filtered is not None and float(filtered.default) != 0
        if (rank is None or "None" in rank.type) and not is_always_filtered:
            yield pytest.param(name, {}, id=name)
        if rank is not None:
            yield pytest.param(name, {"rank": 8}, id=f"{name} of rank 8")
        if "neighbors" in read_schema(defaults):
            yield pytest.param(name, {"neighbors": 5}, id=f"{name} of 5 neighbors")
        if "linear_neighbors" in read_schema(defaults):
            yield pytest.param(
                name, {"linear_neighbors": 5}, id=f"{name} with a linear path of 5 neighbors"
            )
        if "low_pass_weight" in read_schema(defaults):
            yield pytest.param(
                name, {"low_pass_weight": 0.3, "low_pass_rank": 4}, id=f"{name} beside a low-pass filter"
            )


def test_every_model_says_what_to_cite_and_what_to_search():
    for name, defaults in registry.own_models().items():
        model = registry.model_class(name)
        assert all(model.paper) and model.paper.link.startswith("https://")
        dimensions = space.parse(model.search_space, name)
        assert dimensions and {dimension.key for dimension in dimensions} <= read_schema(defaults).keys()
        assert model.unseen_users is None or model.unseen_users.keys() <= read_schema(defaults).keys()
        assert not (CONFIGS / "spaces" / f"{name}.test").exists()  # the class is the one source


@pytest.mark.parametrize(
    "file", sorted(CONFIGS.glob("spaces/**/*.test")), ids=lambda file: "-".join(file.parts[-2:])
)
def test_every_search_space_that_is_shipped_has_values_that_its_model_takes(file):
    model, _, _ = file.stem.partition("-")
    if model not in registry.own_models():
        pytest.skip("a model of RecBole's own")
    schema = recbole_schema() | read_schema(registry.own_models()[model])
    for dimension in space.read(file):
        for value in dimension.ends():
            schema[dimension.key].check(value)


of_every_model = pytest.mark.parametrize("name, fitting", list(cases()))


@pytest.fixture
def fitted(build):
    def fit(name, **overrides):
        model, trainer, train, valid, test = build(name, **overrides)
        trainer.fit(train, valid)
        trainer.evaluate(test)
        return model.eval(), trainer, test

    return fit


def all_pairs(model):
    users, items = torch.meshgrid(
        torch.arange(1, model.n_users), torch.arange(model.n_items), indexing="ij"
    )
    return Interaction({model.USER_ID: users.reshape(-1), model.ITEM_ID: items.reshape(-1)})


def all_scores(model):
    with torch.no_grad():
        return model.full_sort_predict(Interaction({model.USER_ID: torch.arange(1, model.n_users)})).view(
            -1, model.n_items
        )


@of_every_model
def test_same_seed_same_result(name, fitting, settings):
    first, second = (run_recbole(name, "tiny", config_dict={**settings, **fitting}) for _ in range(2))
    assert first == second
    assert first["test_result"] and all(isinstance(value, float) for value in first["test_result"].values())


@of_every_model
def test_predict_equals_full_sort_predict(name, fitting, fitted):
    model, _, _ = fitted(name, **fitting)
    with torch.no_grad():
        pairs = model.predict(all_pairs(model))
    torch.testing.assert_close(pairs, all_scores(model).reshape(-1), rtol=1e-4, atol=1e-6)


@of_every_model
def test_scores_do_not_depend_on_the_batch(name, fitting, fitted):
    model, _, _ = fitted(name, **fitting)
    users = torch.arange(1, model.n_users)
    with torch.no_grad():
        one_by_one = [
            model.full_sort_predict(Interaction({model.USER_ID: users[u : u + 1]}))
            for u in range(len(users))
        ]
    torch.testing.assert_close(
        torch.cat(one_by_one).view(-1, model.n_items), all_scores(model), rtol=1e-5, atol=1e-6
    )


@of_every_model
def test_scores_are_finite_and_differ(name, fitting, fitted):
    scores = all_scores(fitted(name, **fitting)[0])
    assert scores.isfinite().all() and scores[:, 1:].std() > 0


@of_every_model
def test_checkpoint_round_trip_without_a_second_fit(name, fitting, fitted, monkeypatch):
    model, trainer, _ = fitted(name, **fitting)
    model_class = type(model)
    if hasattr(model_class, "fit"):
        monkeypatch.setattr(
            model_class, "fit", lambda *_, **__: pytest.fail("loading a checkpoint must not fit")
        )
    loaded = load_data_and_model(trainer.saved_model_file)[1].eval()
    assert loaded.state_dict().keys() == model.state_dict().keys()
    assert all(torch.equal(value, loaded.state_dict()[key]) for key, value in model.state_dict().items())
    assert torch.equal(all_scores(loaded), all_scores(model))


@of_every_model
def test_padding_is_never_recommended(name, fitting, fitted):
    from recbole.utils.case_study import full_sort_topk

    _, trainer, test = fitted(name, **fitting)
    model = trainer.model
    _, items = full_sort_topk(test.uid_list.numpy(), model, test, k=10)
    assert (items != 0).all()


@of_every_model
def test_users_and_items_without_training_data_are_harmless(name, fitting, settings, tmp_path):
    folder = tmp_path / "cold"
    folder.mkdir()
    head = "user_id:token\titem_id:token\trating:float\n"
    generator = np.random.default_rng(0)
    train = [
        f"u{u}\ti{i}\t{generator.integers(1, 6)}"
        for u in range(30)
        for i in generator.choice(12, 5, replace=False)
    ]
    (folder / "cold.train.inter").write_text(head + "\n".join(train) + "\n")
    for part in ("valid", "test"):
        (folder / f"cold.{part}.inter").write_text(
            head + f"u0\ti1\t3\nu1\tnew-{part}\t4\nstranger\ti2\t5\n"
        )
    files = {"data_path": str(tmp_path), "benchmark_filename": ["train", "valid", "test"]}
    result = run_recbole(name, "cold", config_dict={**settings, **files, **fitting})["test_result"]
    assert all(np.isfinite(value) for value in result.values())


@pytest.mark.parametrize("name", sorted(registry.registered()))
def test_defaults_say_type_and_range_and_keep_them(name):
    for setting in read_schema(registry.registered()[name]).values():
        assert setting.default_is_valid and setting.meaning, setting


@pytest.mark.parametrize("name", sorted(registry.registered()))
def test_every_number_out_of_range_is_refused_before_data_are_read(name):
    tried = 0
    for key, setting in read_schema(registry.registered()[name]).items():
        if setting.type != "float" or "[0" not in setting.meaning:
            continue
        tried += 1
        with pytest.raises(ValueError, match=rf"{key} must be float in .*got -1"):
            Config(name, "no such dataset", config_dict={key: -1})
    assert tried or name == "Ensemble"  # which has no numbers of its own
