r"""
DeepVAE
################################################
Reference:
    Dawen Liang et al. "Variational Autoencoders for Collaborative Filtering" in WWW 2018.

    Yuri Burda et al. "Importance Weighted Autoencoders" in ICLR 2016.
"""

from collections.abc import Callable

import torch
from recbole.config import Config
from recbole.data.dataset import Dataset

from recbole_edlae.model.deep import DeepAutoEncoder
from recbole_edlae.model.paper import Paper
from recbole_edlae.nn.rows import Rows
from recbole_edlae.nn.variational import VariationalAutoEncoder, negative_bound


class DeepVAE(DeepAutoEncoder):
    r"""DeepVAE is a variational autoencoder with a Gaussian latent, whose divergence from the prior weighs
    :math:`\beta`, annealed from 0, and whose bound may be tightened by importance sampling. With one sample and
    :math:`\beta = 1` it is the plain variational autoencoder.

    """

    paper = Paper(
        title="Variational Autoencoders for Collaborative Filtering",
        authors="Dawen Liang, Rahul G. Krishnan, Matthew D. Hoffman and Tony Jebara",
        venue="WWW",
        year=2018,
        link="https://doi.org/10.1145/3178876.3186150",
    )
    search_space = """
        anneal_cap choice [0.1,0.2,0.4]
    """

    def __init__(self, config: Config, dataset: Dataset) -> None:
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
    def beta(self) -> float:
        r"""Weight of the divergence now: it rises linearly to ``anneal_cap``."""
        # With no steps to anneal over, the first one has the cap.
        progress = self.step.item() / max(1, self.total_anneal_steps)
        return self.anneal_cap * min(1.0, progress)

    def row_loss(
        self, rows: Rows, reconstruction: Callable[[torch.Tensor], torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor | float]:
        # Every batch is a step of the annealing.
        self.step += 1
        mean, log_variance = self.network.posterior(rows)
        bound = negative_bound(
            reconstruction,
            mean,
            log_variance,
            beta=self.beta,
            samples=self.importance_samples,
        )
        return bound, 0
