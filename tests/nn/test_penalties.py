from collections.abc import Iterable

import pytest
import torch

from recbole_edlae.nn import PENALTIES, AutoEncoder, binary_rows, check_penalty, kl_sparsity, latent_penalty

ROWS = binary_rows(torch.tensor([0, 3, 4, 1, 2, 5]), torch.tensor([3, 1, 2]))


def network(hidden: Iterable[int] = (), activation: str = "sigmoid") -> AutoEncoder:
    torch.manual_seed(0)
    return AutoEncoder(7, list(hidden), 4, latent_activation=activation)


def jacobian_norm(network: AutoEncoder) -> torch.Tensor:
    """Mean over the batch of the squared norm of the whole Jacobian, by autograd on dense input."""
    encoder = network.encoder

    def encode(x: torch.Tensor) -> torch.Tensor:
        return network.latent_activation(encoder.after_first(x @ encoder.first.weight + encoder.first.bias))

    rows = ROWS.dense(7)
    return torch.stack([torch.autograd.functional.jacobian(encode, x).square().sum() for x in rows]).mean()


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "softplus", "identity"])
def test_contractive_penalty_of_one_layer_is_the_jacobians_norm(activation: str) -> None:
    shallow = network(activation=activation)
    code, penalty = latent_penalty("contractive", shallow, ROWS)
    torch.testing.assert_close(penalty, jacobian_norm(shallow))
    torch.testing.assert_close(code, shallow.encode(ROWS))


def test_contractive_estimate_of_deep_encoders_is_right_on_average() -> None:
    deep = network(hidden=[6, 5])
    estimate = latent_penalty("contractive", deep, ROWS, samples=3000)[1]
    assert estimate.item() == pytest.approx(jacobian_norm(deep).item(), rel=0.05)


def test_contractive_penalty_has_gradients_and_descends() -> None:
    shallow = network()
    optimizer = torch.optim.SGD(shallow.encoder.parameters(), lr=0.5)
    before = jacobian_norm(shallow)
    for _ in range(20):
        optimizer.zero_grad()
        latent_penalty("contractive", shallow, ROWS)[1].backward()
        optimizer.step()
    assert jacobian_norm(shallow) < 0.9 * before


def test_kl_is_zero_at_the_target_rate_only() -> None:
    for rate in (0.05, 0.5, 0.9):
        code = torch.full((8, 3), rate)
        assert kl_sparsity(code, rate).item() == pytest.approx(0, abs=1e-6)
        half_off = code.clone()
        half_off[:4] -= 0.04
        half_off[4:] += 0.04  # another spread, the same mean
        assert kl_sparsity(half_off, rate).item() == pytest.approx(0, abs=1e-6)
        assert kl_sparsity(code + 0.05, rate) > 1e-3 and kl_sparsity(code - 0.04, rate) > 1e-3


def test_kl_is_that_of_torchs_bernoulli() -> None:
    code, rate = torch.rand(10, 3), torch.tensor(0.2)
    bernoulli = torch.distributions.Bernoulli
    expected = torch.distributions.kl_divergence(bernoulli(rate), bernoulli(code.mean(0))).sum()
    torch.testing.assert_close(kl_sparsity(code, rate), expected)


def test_l1_is_the_mean_of_absolute_sums_and_none_is_nothing() -> None:
    shallow = network(activation="tanh")
    code, penalty = latent_penalty("l1", shallow, ROWS)
    torch.testing.assert_close(penalty, code.abs().sum() / 3)
    assert latent_penalty("none", shallow, ROWS)[1] == 0


def test_errors_list_the_choices() -> None:
    with pytest.raises(
        ValueError, match="latent_penalty must be one of contractive, none, l1, kl; got 'contractiv'"
    ):
        check_penalty("contractiv", "sigmoid")
    with pytest.raises(
        ValueError, match="latent_activation must be one of sigmoid, hard_sigmoid; got 'relu'"
    ):
        check_penalty("kl", "relu")
    for name in PENALTIES:
        check_penalty(name, "sigmoid")
