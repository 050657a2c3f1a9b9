"""The deep reference models against the package's: the same weights at the start, and the same losses and scores."""

import itertools

import pytest
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import get_model

from tests.upstream.conftest import reference


def batches(name, settings):
    """Return the reference model, the package's, and the users of training in batches."""
    config = Config(name, "tiny", config_dict=settings)
    train = data_preparation(config, create_dataset(config))[0]
    models = []
    for cls in (reference(name), get_model(name)):
        torch.manual_seed(1)
        models.append(cls(config, train.dataset))
    return *models, list(train)


def with_same_weights(model, other):
    """Give one model the weights of another, whose first layer is the only one that has the same orientation."""
    with torch.no_grad():
        parameters = list(other.network.encoder.parameters()) + list(other.network.decoder.parameters())
        for weight in [*model.encoder, *model.decoder, *model.encoder_bias, *model.decoder_bias]:
            source = next(p for p in parameters if sorted(p.shape) == sorted(weight.shape))
            parameters = [p for p in parameters if p is not source]
            weight.copy_(source if source.shape == weight.shape else source.T)


DEEP = [
    {},
    {"emphasis": [1.0, 0.0], "dropout_prob": 0.3},
    {"emphasis": [1.0, 0.3], "latent_activation": "tanh", "latent_dimension": 7},
    {"mlp_hidden_size": [12, 9], "latent_dimension": 5, "reg_weight": 3.0},
]
RATINGS = {"feedback": "rating", "load_col": {"inter": ["user_id", "item_id", "rating"]}}
SHALLOW = [{}, {"latent_dimension": 8, "latent_activation": "relu"}, {"reg_weight": 0.1}, RATINGS]


@pytest.mark.parametrize(
    "name, own", [*itertools.product(["DeepAE"], DEEP), *itertools.product(["AutoRec"], SHALLOW)]
)
def test_losses_gradients_and_scores_are_those_of_the_package(name, own, settings):
    model, expected, users = batches(name, {**settings, **own})
    if own.get("mlp_hidden_size"):
        with_same_weights(model, expected)  # the package's deeper layers are drawn twice
    for users_of_batch in users:
        losses = []
        for each in (model, expected):
            torch.manual_seed(2)  # the same interactions are dropped
            each.zero_grad()
            losses.append(each.calculate_loss(users_of_batch))
            losses[-1].backward()
        torch.testing.assert_close(losses[0], losses[1])

        # a sum over all weights of each model, the same whatever their order and orientation
        gradients = [
            sum(p.grad.double().square().sum() for p in each.parameters()) for each in (model, expected)
        ]
        torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=0)
        scores = [each.full_sort_predict(users_of_batch) for each in (model, expected)]
        torch.testing.assert_close(scores[0], scores[1])


@pytest.mark.parametrize("name", ["DeepAE", "AutoRec", "EDLAE", "LowRankEDLAE"])
def test_scores_of_pairs_are_those_of_the_full_ranking(name, settings):
    config = Config(
        name, "tiny", config_dict={**settings, **({"rank": 5} if name == "LowRankEDLAE" else {})}
    )
    train = data_preparation(config, create_dataset(config))[0].dataset
    model = reference(name)(config, train)
    pairs = train.inter_feat[:50]
    scores = model.full_sort_predict(pairs).view(len(pairs), -1)
    expected = scores.gather(1, pairs[train.iid_field][:, None])[:, 0]
    torch.testing.assert_close(model.predict(pairs), expected)
    assert scores.std() > 0
