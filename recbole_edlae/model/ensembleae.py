r"""
EnsembleAE
################################################
Reference:
    Vojtěch Vančura and Pavel Kordík. "Deep Variational Autoencoder with Shallow Parallel Path for Top-N Recommendation
    (VASP)" in ICANN 2021.

    Harald Steck. "Autoencoders that don't overfit towards the Identity" in NeurIPS 2020.
"""

from collections.abc import Mapping
from typing import Any

import torch
from recbole.config import Config

from recbole_edlae.model.ensemble import Ensemble
from recbole_edlae.model.members import IN_ONE_STEP, Member
from recbole_edlae.model.paper import Paper

LINEAR = (  # settings of EDLAE, which stand behind "linear_" here
    "reg_weight",
    "dropout_prob",
    "emphasis",
    "diagonal_bound",
    "user_weight_power",
    "item_weight_power",
    "dropout_penalty",
    "zero_diagonal",
    "low_pass_weight",
    "low_pass_rank",
    "neighbors",
)
DEEP = (  # settings of DeepAE
    "mlp_hidden_size",
    "latent_dimension",
    "latent_activation",
    "hidden_activation",
    "tied_weights",
    "use_bias",
    "normalize_input",
    "dropout_prob",
    "noise_std",
    "loss_type",
    "emphasis",
    "user_weight_power",
    "reg_weight",
    "latent_penalty",
    "latent_penalty_weight",
    "sparsity_rate",
    "jacobian_samples",
    "train_batch_size",
)


class EnsembleAE(Ensemble):
    r"""EnsembleAE is the Ensemble of a linear and a deep autoencoder, EDLAE and DeepAE:
    :math:`(1 - w) z(x^T B) + w z(g(f(x)))`, where z standardizes the scores of a user.
    """

    paper = Paper(
        title="Deep Variational Autoencoder with Shallow Parallel Path for Top-N Recommendation (VASP)",
        authors="Vojtěch Vančura and Pavel Kordík",
        venue="ICANN",
        year=2021,
        link="https://arxiv.org/abs/2102.05774",
    )
    search_space = """
        deep_weight quniform 0.1,0.5,0.05
    """

    @classmethod
    def members_of(cls, settings: Mapping[str, Any] | Config) -> dict[str, Member]:
        weight = settings["deep_weight"]
        linear = Member("EDLAE", {name: settings[f"linear_{name}"] for name in LINEAR}, 1 - weight)
        deep = Member("DeepAE", {name: settings[name] for name in DEEP}, weight)
        return {member.model: member for member in (linear, deep) if member.weight > 0}

    @classmethod
    def refitted(cls, settings: Mapping[str, Any], epochs: Mapping[str, int]) -> dict[str, Any]:
        return {"epochs": epochs["DeepAE"]} if "DeepAE" in epochs else {}

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *arguments: Any) -> None:
        """Take earlier checkpoints too, with the linear path's weights under ``linear.`` and the deep one's bare."""
        if f"{prefix}epochs" not in state_dict:
            of_before = {key: value for key, value in state_dict.items() if key.startswith(prefix)}
            for key in of_before:
                del state_dict[key]
            for number, label in enumerate(self.given):
                state_dict |= {
                    f"{prefix}models.{number}.{key}": value for key, value in _of_path(label, prefix, of_before)
                }
            state_dict[f"{prefix}epochs"] = torch.full_like(self.epochs, IN_ONE_STEP)
            state_dict[f"{prefix}dummy_param"] = self.dummy_param.detach()
        super()._load_from_state_dict(state_dict, prefix, *arguments)


def _of_path(label: str, prefix: str, tensors: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return name and tensor of what one path has in a checkpoint of before."""
    linear = f"{prefix}linear."
    if label == "EDLAE":
        return [(key.removeprefix(linear), tensor) for key, tensor in tensors.items() if key.startswith(linear)]
    return [(key.removeprefix(prefix), tensor) for key, tensor in tensors.items() if not key.startswith(linear)]
