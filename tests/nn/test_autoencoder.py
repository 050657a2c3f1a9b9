import copy

import pytest
import torch

from recbole_edlae.nn import AutoEncoder, binary_rows, squared_weights

ROWS = binary_rows(torch.tensor([0, 3, 4, 1, 2, 5]), torch.tensor([3, 1, 2]))


def by_hand(network, x):
    """The forward pass on dense rows, layer by layer."""
    encoder, decoder = network.encoder, network.decoder
    h = x @ encoder.first.weight + encoder.first.bias
    for layer in encoder.rest:
        h = torch.tanh(h) @ layer.weight.T + layer.bias
    h = torch.sigmoid(h)
    weights = [w.T for w in encoder.weights[::-1]] if decoder.tied_to else list(decoder.weights)
    for layer, (weight, bias) in enumerate(zip(weights, decoder.biases), 1):
        h = h @ weight.T + bias
        h = torch.tanh(h) if layer < len(weights) else h
    return h


@pytest.mark.parametrize("hidden", [[], [6], [6, 5]])
@pytest.mark.parametrize("tied", [False, True])
def test_forward_is_the_layers_one_by_one(hidden, tied):
    network = AutoEncoder(7, hidden, 4, tied=tied)
    for bias in network.decoder.biases:
        torch.nn.init.normal_(bias)
    torch.testing.assert_close(network(ROWS), by_hand(network, ROWS.dense(7)))


def test_no_hidden_layer_and_identity_is_linear():
    network = AutoEncoder(7, [], 4, latent_activation="identity", bias=False)
    U, V = network.encoder.first.weight, network.decoder.weights[0]
    torch.testing.assert_close(network(ROWS), ROWS.dense(7) @ U @ V.T)
    assert len(list(network.parameters())) == 2


def test_scores_of_single_columns_are_those_of_all():
    network = AutoEncoder(7, [5], 4)
    code, columns = network.encode(ROWS), torch.tensor([6, 0, 2])
    torch.testing.assert_close(network.decoder.at(code, columns), network(ROWS)[range(3), columns])


def test_tied_weights_are_one_set_also_in_a_copy_and_a_checkpoint():
    network = AutoEncoder(7, [5], 4, tied=True)
    untied = AutoEncoder(7, [5], 4)
    assert sum(weight.ndim == 2 for weight in network.parameters()) == 2
    assert sum(weight.ndim == 2 for weight in untied.parameters()) == 4
    assert not any("decoder.weights" in name for name in network.state_dict())
    twin = copy.deepcopy(network)
    twin.load_state_dict(network.state_dict())
    with torch.no_grad():
        twin.encoder.first.weight.zero_()
        twin.decoder.biases[-1].zero_()
    assert (twin(ROWS) == 0).all() and (network(ROWS) != 0).any()


def test_squared_weights_leave_biases_out():
    network = AutoEncoder(3, [], 2)
    for parameter in network.parameters():
        torch.nn.init.constant_(parameter, 2.0)
    assert squared_weights(network).item() == 4 * (3 * 2 + 2 * 3)


def test_unknown_hidden_activation_names_its_setting():
    with pytest.raises(ValueError, match="hidden_activation must be one of relu, elu, selu"):
        AutoEncoder(7, [5], 4, hidden_activation="rellu")
