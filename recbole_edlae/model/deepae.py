r"""
DeepAE
################################################
Reference:
    Pascal Vincent et al. "Stacked Denoising Autoencoders" in JMLR 2010.

    Harald Steck. "Autoencoders that don't overfit towards the Identity" in NeurIPS 2020.
"""

from collections.abc import Callable

import torch
from recbole.config import Config
from recbole.data.dataset import Dataset

from recbole_edlae.model.deep import DeepAutoEncoder
from recbole_edlae.model.paper import Paper
from recbole_edlae.nn.autoencoder import AutoEncoder, squared_weights
from recbole_edlae.nn.penalties import check_penalty, latent_penalty
from recbole_edlae.nn.rows import Rows


class DeepAE(DeepAutoEncoder):
    r"""DeepAE is an emphasized denoising autoencoder of any depth with a choice of latent activation, a sigmoid unless
    told otherwise.

    Without hidden layer, with identity latent, squared loss, no bias and raw input it is the linear autoencoder whose
    full-rank optimum EDLAE and DLAE compute in closed form.
    """

    paper = Paper(
        title="Stacked Denoising Autoencoders: Learning Useful Representations in a Deep Network with a "
        "Local Denoising Criterion",
        authors="Pascal Vincent, Hugo Larochelle, Isabelle Lajoie, Yoshua Bengio and Pierre-Antoine Manzagol",
        venue="JMLR",
        year=2010,
        link="https://www.jmlr.org/papers/v11/vincent10a.html",
    )
    search_space = """
        reg_weight choice [0.25,0.5]
        user_weight_power choice [0.0,0.5]
    """

    def __init__(self, config: Config, dataset: Dataset) -> None:
        super().__init__(config, dataset)
        self.reg_weight = config["reg_weight"]
        self.penalty = config["latent_penalty"]
        self.penalty_weight = config["latent_penalty_weight"]
        self.penalty_settings = {"rate": config["sparsity_rate"], "samples": config["jacobian_samples"]}
        check_penalty(self.penalty, config["latent_activation"])
        self.network = AutoEncoder(
            self.n_items,
            config["mlp_hidden_size"],
            config["latent_dimension"],
            latent_activation=config["latent_activation"],
            hidden_activation=config["hidden_activation"],
            tied=config["tied_weights"],
            bias=config["use_bias"],
        )

    def row_loss(
        self, rows: Rows, reconstruction: Callable[[torch.Tensor], torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        code, penalty = latent_penalty(self.penalty, self.network, rows, **self.penalty_settings)

        # The loss is a mean over users; the L2 penalty is one of their sum.
        l2 = self.reg_weight / self.n_rows * squared_weights(self.network)
        return reconstruction(code), self.penalty_weight * penalty + l2
