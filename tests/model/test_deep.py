"""What the deep models share beside the contract of every model."""

import numpy as np
import pytest
import torch
from recbole.config import Config
from recbole.data.dataloader import TrainDataLoader, UserDataLoader
from recbole.data.interaction import Interaction
from recbole.quick_start import run_recbole

from recbole_edlae.data.item_dataloader import ItemDataLoader
from recbole_edlae.integration import hook
from recbole_edlae.nn.activations import ACTIVATIONS
from recbole_edlae.nn.losses import LOSSES
from recbole_edlae.nn.penalties import PENALTIES
from recbole_edlae.settings import registry
from recbole_edlae.settings.schema import read_schema


@pytest.mark.parametrize(
    "name, overrides, loader",
    [
        ("DeepAE", {}, UserDataLoader),
        ("DeepVAE", {}, UserDataLoader),
        ("AutoRec", {"based_on": "user"}, UserDataLoader),
        ("AutoRec", {"based_on": "item"}, ItemDataLoader),
        ("BPR", {}, TrainDataLoader),
        ("MultiVAE", {}, UserDataLoader),
    ],
)
def test_training_reads_the_rows_of_the_model(build, name, overrides, loader):
    model, _, train, _, _ = build(name, **overrides)
    assert type(train) is loader
    if loader is not TrainDataLoader:
        field = model.ITEM_ID if loader is ItemDataLoader else model.USER_ID
        ids = torch.cat([batch[field] for batch in train])
        assert sorted(ids.tolist()) == list(
            range(model.n_items if loader is ItemDataLoader else model.n_users)
        )


def test_registering_twice_wraps_the_loaders_once():
    import recbole.data

    before = recbole.data.utils.get_dataloader
    hook.arm()
    assert recbole.data.utils.get_dataloader is recbole.data.get_dataloader is before


@pytest.mark.parametrize("name", ["DeepAE", "DeepVAE", "AutoRec"])
def test_scores_of_a_history_are_those_of_its_user(build, name):
    model, trainer, train, _, _ = build(name)
    trainer.fit(train)
    model.eval()
    users = torch.tensor([5, 9])
    with torch.no_grad():
        known = model.full_sort_predict(Interaction({model.USER_ID: users})).view(2, -1)
        position, count = model.positions(users)
        torch.testing.assert_close(model.score(model.indices[position], count), known)
        stranger = model.score(torch.tensor([1, 2, 3]), torch.tensor([3, 0]))
    assert stranger.shape == (2, model.n_items) and stranger.isfinite().all()


@pytest.mark.parametrize(
    "name, overrides",
    [
        ("DeepAE", {"mlp_hidden_size": [20], "tied_weights": True, "latent_penalty": "contractive"}),
        ("DeepAE", {"latent_penalty": "kl", "loss_type": "cross_entropy", "noise_std": 0.1}),
        (
            "DeepAE",
            {
                "latent_penalty": "l1",
                "emphasis": [1.0, 0.2],
                "user_weight_power": 0.5,
                "learning_rate": 0.01,
            },
        ),
        ("DeepVAE", {"importance_samples": 3}),
        ("AutoRec", {"based_on": "item"}),
    ],
)
@pytest.mark.parametrize("amp", [False, True])
def test_training_descends(build, name, overrides, amp):
    model, trainer, train, valid, _ = build(
        name, **overrides, latent_dimension=8, epochs=15, stopping_step=99, enable_amp=amp
    )
    trainer.fit(train, valid)
    losses = [trainer.train_loss_dict[epoch] for epoch in (0, 14)]
    assert np.isfinite(losses).all() and losses[1] < losses[0]
    assert all(parameter.grad is not None for parameter in model.network.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["DeepAE", "DeepVAE", "AutoRec"])
def test_training_that_diverges_is_said(write_shop, name):
    write_shop()
    settings = {"state": "ERROR", "show_progress": False, "epochs": 20, "learning_rate": 1e30}
    with pytest.raises(ValueError, match=f"training of {name} diverged.*learning_rate"):
        run_recbole(name, "shop", config_dict=settings)


@pytest.mark.parametrize(
    "name, key, wrong, close",
    [
        ("DeepAE", "latent_activation", "sigmod", "sigmoid"),
        ("DeepAE", "hidden_activation", "tahn", "tanh"),
        ("DeepAE", "loss_type", "multinomal", "multinomial"),
        ("DeepAE", "latent_penalty", "contraction", "contractive"),
        ("AutoRec", "feedback", "ratings", "rating"),
        ("AutoRec", "based_on", "items", "item"),
    ],
)
def test_unknown_choices_are_refused_before_data_are_read(name, key, wrong, close):
    with pytest.raises(ValueError, match=f"{key} must be one of {close}, .*; got '{wrong}'"):
        Config(name, "no such dataset", config_dict={key: wrong})


def test_the_settings_list_every_activation_loss_and_penalty():
    choices = {"activation": ACTIVATIONS, "loss_type": LOSSES, "latent_penalty": PENALTIES}
    for name in ("DeepAE", "DeepVAE", "AutoRec"):
        for key, setting in read_schema(registry.registered()[name]).items():
            for end, table in choices.items():
                if key.endswith(end):
                    assert setting.choices == list(table), (name, key)
