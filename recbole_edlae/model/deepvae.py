r"""
DeepVAE
################################################
Reference:
    Dawen Liang et al. "Variational Autoencoders for Collaborative Filtering" in WWW 2018.

    Yuri Burda et al. "Importance Weighted Autoencoders" in ICLR 2016.
"""

import torch

from recbole_edlae.model.deep import DeepAutoEncoder
from recbole_edlae.nn.variational import VariationalAutoEncoder, negative_bound


class DeepVAE(DeepAutoEncoder):
    r"""DeepVAE is a variational autoencoder with a Gaussian latent, whose divergence from the prior weighs
    :math:`\beta`, annealed from 0, and whose bound may be tightened by importance sampling. With one sample and
    :math:`\beta = 1` it is the plain variational autoencoder.

    """

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.anneal_cap = config["anneal_cap"]
        self.total_anneal_steps = config["total_anneal_steps"]
        self.importance_samples = config["importance_samples"]
        self.register_buffer("step", torch.zeros((), dtype=torch.long))
        self.network = VariationalAutoEncoder(
            self.n_items,
            config["mlp_hidden_size"],
            config["latent_dimension"],
            hidden_activation=config["hidden_activation"],
        )

    @property
    def beta(self):
        r"""Weight of the divergence now: it rises in a line to ``anneal_cap``."""
        return self.anneal_cap * min(1.0, self.step.item() / max(1, self.total_anneal_steps))

    def row_loss(self, rows, reconstruction):
        self.step += 1
        mean, log_variance = self.network.posterior(rows)
        settings = {"beta": self.beta, "samples": self.importance_samples}
        return negative_bound(reconstruction, mean, log_variance, **settings), 0
