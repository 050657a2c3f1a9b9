import torch
from torch import nn

from recbole_edlae.nn import Rows, SparseLinear

ROWS = Rows(torch.tensor([0, 3, 4, 1]), torch.tensor([3, 0, 1]), torch.tensor([1.0, 2.0, -1.0, 0.5]))
DENSE = torch.tensor([[1.0, 0, 0, 2.0, -1.0], [0, 0, 0, 0, 0], [0, 0.5, 0, 0, 0]])


def linear_pair(bias=True):
    """A SparseLinear, and torch's own layer with the same weights."""
    sparse, dense = SparseLinear(5, 3, bias), nn.Linear(5, 3, bias)
    with torch.no_grad():
        dense.weight.copy_(sparse.weight.T)
        if bias:
            sparse.bias.normal_()
            dense.bias.copy_(sparse.bias)
    return sparse, dense


def test_rows_are_those_of_the_dense_matrix():
    torch.testing.assert_close(ROWS.dense(5), DENSE)
    assert ROWS.row_of_entry.tolist() == [0, 0, 0, 2]
    torch.testing.assert_close(ROWS.sum(ROWS.values), DENSE.sum(1))


def test_unit_length_leaves_empty_rows_empty():
    expected = DENSE / DENSE.norm(dim=1, keepdim=True).clamp(min=1e-12)
    torch.testing.assert_close(ROWS.unit_length().dense(5), expected)


def test_sparse_linear_is_torchs_linear_and_so_are_its_gradients():
    for bias in (True, False):
        sparse, dense = linear_pair(bias)
        torch.testing.assert_close(sparse(ROWS), dense(DENSE))
        sparse(ROWS).square().sum().backward()
        dense(DENSE).square().sum().backward()
        torch.testing.assert_close(sparse.weight.grad, dense.weight.grad.T)


def test_noise_is_added_to_the_dense_rows():
    sparse, dense = linear_pair()
    noise = torch.randn(3, 5)
    noisy = ROWS.replace(noise=noise)
    torch.testing.assert_close(noisy.dense(5), DENSE + noise)
    torch.testing.assert_close(sparse(noisy), dense(DENSE + noise))


def test_a_batch_of_empty_rows_is_the_bias():
    sparse, _ = linear_pair()
    nothing = Rows(torch.tensor([], dtype=torch.long), torch.tensor([0, 0]), torch.tensor([]))
    torch.testing.assert_close(sparse(nothing), sparse.bias.expand(2, 3))
