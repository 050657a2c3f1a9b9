import numpy as np
import pytest
import scipy.sparse as sp
import torch

from recbole_edlae.analysis import effective_dimension, encoder_properties
from recbole_edlae.nn import AutoEncoder, binary_rows

X = sp.csr_matrix((np.random.default_rng(0).random((200, 30)) < 0.2).astype(np.float64))


def codes(activation, bias=0.0):
    """Codes of X by an untrained encoder whose biases are all the same."""
    torch.manual_seed(0)
    network = AutoEncoder(30, [], 10, latent_activation=activation)
    torch.nn.init.constant_(network.encoder.first.bias, bias)
    rows = binary_rows(torch.from_numpy(X.indices).long(), torch.from_numpy(np.diff(X.indptr)).long())
    return network.encode(rows).detach().numpy()


def test_an_isometry_keeps_every_order():
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(30, 30)))[0]
    found = encoder_properties(X, X @ rotation, pairs=5000)
    assert found.order_agreement == 1 and found.order_ties == 0 and found.zero_codes == 0
    assert found.dimension_ratio == 1


def test_order_is_that_of_all_pairs_of_pairs_by_brute_force():
    Z = codes("tanh")
    rows, code = (X @ X.T).toarray(), Z @ Z.T
    pairs = np.stack(np.triu_indices(200, 1), 1)
    first = pairs[np.random.default_rng(2).integers(len(pairs), size=200_000)]
    second = pairs[np.random.default_rng(3).integers(len(pairs), size=200_000)]
    by_rows = rows[tuple(first.T)] - rows[tuple(second.T)]
    by_code = code[tuple(first.T)] - code[tuple(second.T)]
    strict = by_rows != 0
    found = encoder_properties(X, Z, pairs=200_000)
    assert found.order_agreement == pytest.approx((by_rows * by_code > 0)[strict].mean(), abs=0.01)
    assert found.row_ties == pytest.approx(1 - strict.mean(), abs=0.01)


def test_order_lost_and_order_wrong_are_told_apart():
    lost = encoder_properties(X, np.ones((200, 4)), pairs=1000)
    assert lost.order_ties == 1 and lost.order_agreement == 0
    wrong = encoder_properties(X, np.random.default_rng(4).normal(size=(200, 4)), pairs=20_000)
    assert wrong.order_ties == 0 and wrong.order_agreement == pytest.approx(0.5, abs=0.05)


def test_relu_with_a_negative_bias_has_zero_codes_and_sigmoid_never():
    relu = encoder_properties(X, codes("relu", bias=-1.5), pairs=5000)
    assert relu.zero_codes > 0.1 and relu.zero_entries > relu.zero_codes
    assert relu.order_ties > 0.01
    for bias in (0.0, -1.5, -20.0):
        sigmoid = encoder_properties(X, codes("sigmoid", bias), pairs=1000)
        assert sigmoid.zero_codes == sigmoid.zero_entries == 0


def test_users_without_items_are_left_out():
    padded = sp.vstack([sp.csr_matrix((5, 30)), X]).tocsr()
    Z = codes("relu", bias=-1.5)
    with_empty = encoder_properties(padded, np.vstack([np.zeros((5, 10)), Z]), pairs=1000)
    assert with_empty == encoder_properties(X, Z, pairs=1000)


def test_effective_dimension():
    assert effective_dimension(np.eye(5)) == pytest.approx(5)
    assert effective_dimension(np.ones((6, 5))) == pytest.approx(1)
    assert effective_dimension(np.zeros((6, 5))) == 0


def test_errors():
    with pytest.raises(ValueError, match="X has 200 rows and Z 3"):
        encoder_properties(X, np.ones((3, 4)))
    with pytest.raises(ValueError, match="two users with items, got 0"):
        encoder_properties(sp.csr_matrix((2, 3)), np.ones((2, 4)))
