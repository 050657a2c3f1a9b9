"""DeepAE against what it must equal."""

import numpy as np
import pytest
import torch
from recbole.data.interaction import Interaction
from recbole.quick_start import run_recbole

from tests.conftest import ROOT

LINEAR = {
    "mlp_hidden_size": [], "latent_activation": "identity", "use_bias": False, "normalize_input": False,
    "loss_type": "squared", "reg_weight": 0.0,
}  # fmt: skip


def test_users_without_history_teach_nothing(build):
    model, _, _, _, _ = build("DeepAE", dropout_prob=0.0, reg_weight=0.0)
    loss = model.calculate_loss(Interaction({model.USER_ID: torch.tensor([0])}))
    loss.backward()
    assert loss == 0 and all((parameter.grad == 0).all() for parameter in model.parameters())


def test_kl_penalty_refuses_codes_that_are_no_rates(build):
    with pytest.raises(
        ValueError, match="latent_activation must be one of sigmoid, hard_sigmoid; got 'relu'"
    ):
        build("DeepAE", latent_penalty="kl", latent_activation="relu")


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory):
    """data_path of `synthetic`: 300 users, 8 items in two overlapping groups, all in training; and X."""
    generator = np.random.default_rng(1)
    X = generator.random((300, 8)) < np.where((np.arange(8) < 5) == (np.arange(300)[:, None] % 2), 0.6, 0.2)
    X[:, 0] |= ~X.any(1)  # nobody is without items
    folder = tmp_path_factory.mktemp("data") / "synthetic"
    folder.mkdir()
    lines = [f"{user}\t{item}" for user, item in zip(*X.nonzero())]
    (folder / "synthetic.inter").write_text("user_id:token\titem_id:token\n" + "\n".join(lines) + "\n")
    return str(folder.parent), X.astype(float)


def closed_form(G, p, emphasis):
    """Steck 2020, Eq. 5 (DLAE) and Eq. 8 (EDLAE), without a scalar penalty."""
    C = np.linalg.inv(G + np.diag(p / (1 - p) * np.diag(G)))
    return C @ G if emphasis == [1.0, 1.0] else np.eye(len(G)) - C / np.diag(C)


@pytest.mark.slow
@pytest.mark.parametrize("emphasis", [[1.0, 1.0], [1.0, 0.0]], ids=["DLAE", "EDLAE"])
def test_without_non_linearities_it_trains_to_the_closed_form(build, synthetic, emphasis):
    path, X = synthetic
    data = {
        "data_path": path,
        "load_col": {"inter": ["user_id", "item_id"]},
        "eval_args": {"split": {"RS": [1, 0, 0]}},
    }
    model, _, train, _, _ = build(
        "DeepAE", "synthetic", **data, **LINEAR, dropout_prob=0.4, emphasis=emphasis, latent_dimension=8
    )
    items = [int(token) for token in train.dataset.field2id_token["item_id"][1:]]
    target = closed_form(X.T @ X, 0.4, emphasis)[np.ix_(items, items)]

    # b = 0 never trains the diagonal.
    measured = ~np.eye(8, dtype=bool) if emphasis[1] == 0 else np.ones((8, 8), bool)

    def error():
        U, V = model.network.encoder.first.weight, model.network.decoder.weights[0]
        difference = (U @ V.T).detach().numpy()[1:, 1:] - target
        return np.linalg.norm(difference[measured]) / np.linalg.norm(target[measured])

    users = Interaction({model.USER_ID: torch.arange(model.n_users).repeat(4)})
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.995)
    errors = []
    for step in range(1200):
        optimizer.zero_grad()
        model.calculate_loss(users).backward()
        optimizer.step()
        schedule.step()
        if step in (0, 100, 1199):
            errors.append(error())
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.02


@pytest.mark.slow
def test_benchmark_on_ml_1m(shared_data):
    """Sixteen of its epochs beat the published row of MultiVAE, .2523; twelve give .2538, training to the end .28."""
    settings = {
        "data_path": shared_data,
        "epochs": 16,
        "eval_step": 8,
        "state": "ERROR",
        "show_progress": False,
    }
    result = run_recbole("DeepAE", "ml-1m", [str(ROOT / "configs" / "ml-1m.yaml")], settings)
    assert result["test_result"]["ndcg@10"] >= 0.2523
