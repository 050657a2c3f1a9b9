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

from recbole_edlae.integration import models as registry
from recbole_edlae.model.ensemble import Ensemble
from recbole_edlae.model.members import IN_ONE_STEP, Member
from recbole_edlae.model.paper import Paper


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
        # Settings of the linear path stand behind "linear_"; those of the deep one have the names of DeepAE.
        own = registry.schema_of("EnsembleAE").keys()
        of_linear = {key.removeprefix("linear_"): settings[key] for key in own if key.startswith("linear_")}
        of_deep = {key: settings[key] for key in registry.schema_of("DeepAE") if key != "eval_batch_size"}

        weight = settings["deep_weight"]
        linear = Member("EDLAE", of_linear, 1 - weight)
        deep = Member("DeepAE", of_deep, weight)
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
                    f"{prefix}models.{number}.{key}": value
                    for key, value in _of_path(label, prefix, of_before)
                }
            state_dict[f"{prefix}epochs"] = torch.full_like(self.epochs, IN_ONE_STEP)
            state_dict[f"{prefix}dummy_param"] = self.dummy_param.detach()
        super()._load_from_state_dict(state_dict, prefix, *arguments)


def _of_path(label: str, prefix: str, tensors: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return name and tensor of what one path has in a checkpoint of before."""
    linear = f"{prefix}linear."
    if label == "EDLAE":
        return [
            (key.removeprefix(linear), tensor) for key, tensor in tensors.items() if key.startswith(linear)
        ]
    return [
        (key.removeprefix(prefix), tensor) for key, tensor in tensors.items() if not key.startswith(linear)
    ]
