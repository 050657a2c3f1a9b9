r"""
EnsembleAE
################################################
Reference:
    Vojtěch Vančura and Pavel Kordík. "Deep Variational Autoencoder with Shallow Parallel Path for Top-N Recommendation
    (VASP)" in ICANN 2021.

    Harald Steck. "Autoencoders that don't overfit towards the Identity" in NeurIPS 2020.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from recbole.config import Config
from recbole.data.dataset import Dataset
from recbole.data.interaction import Interaction

from recbole_edlae.model.closed_form import Progress
from recbole_edlae.model.deepae import DeepAE
from recbole_edlae.model.edlae import EDLAE
from recbole_edlae.model.errors import in_words_of_settings
from recbole_edlae.model.history import score_pairs
from recbole_edlae.model.paper import Paper
from recbole_edlae.model.two_stages import TwoStageTrainer
from recbole_edlae.nn.scores import standardize_

LINEAR = (  # settings of EDLAE, which the linear path has under names of its own
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
NAMES = {name: f"linear_{name}" for name in LINEAR}


class EnsembleAE(DeepAE):
    r"""EnsembleAE adds the scores of a linear and of a deep autoencoder, EDLAE and DeepAE, which are trained apart:
    :math:`(1 - w) z(x^T B) + w z(g(f(x)))`, where z standardizes the scores of a user.

    The linear path is solved after the epochs of the deep one. Until then the model scores by its deep path alone, so
    that both paths are what they are without each other.
    """

    trainer = TwoStageTrainer
    gram_memory = EDLAE.gram_memory
    after_epochs = ("deep_weight", *NAMES.values())
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

    def __init__(self, config: Config, dataset: Dataset) -> None:
        super().__init__(config, dataset)
        self.deep_weight = config["deep_weight"]
        with _in_words_of_linear_settings():
            self.linear = EDLAE(LinearSettings(config), dataset)
        self.linear.setting_names = NAMES

    def fit(self, progress: Progress | None = None, gram: Callable[..., torch.Tensor] | None = None) -> None:
        r"""Solve for the linear path.

        Args:
            progress (callable, optional): As in ``LinearAutoEncoder.fit``.
            gram (callable, optional): As in ``LinearAutoEncoder.fit``.

        Raises:
            MemoryError: There is not enough memory, which is found out before any is taken.
            ValueError: The users do not determine the weights, or a setting is out of range; it names the settings.
        """
        with _in_words_of_linear_settings():
            self.linear.fit(progress, gram)

    def unfit(self) -> None:
        r"""Drop the weights of the linear path: the model scores by its deep path alone."""
        self.linear.unfit()

    @property
    def fitted(self) -> bool:
        r"""Whether the linear path has weights."""
        return self.linear.fitted

    def deep_loss(self, interaction: Interaction) -> torch.Tensor:
        r"""Return the loss of the deep path, which is all that the epochs of training minimize."""
        return super().calculate_loss(interaction)

    def calculate_loss(self, interaction: Interaction) -> torch.Tensor:
        r"""Return the loss of the deep path; solve for the linear one first if the trainer does not call :meth:`fit`.

        RecBole's own trainer then stops by the validation of both paths together.
        """
        if not self.fitted:
            self.fit()
        return self.deep_loss(interaction)

    def score(self, items: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        deep = super().score(items, count)
        if not self.fitted:
            return deep
        linear = standardize_(self.linear.score(items, count)).mul_(1 - self.deep_weight)
        return linear.add_(standardize_(deep), alpha=self.deep_weight)

    def similarity(self, item: int) -> torch.Tensor:
        r"""Return the scores of all items for a history of one item, shape: [n_items]"""
        device = self.indptr.device
        return self.score(torch.tensor([item], device=device), torch.tensor([1], device=device))[0]

    def predict(self, interaction: Interaction) -> torch.Tensor:
        return score_pairs(self, interaction[self.USER_ID], interaction[self.ITEM_ID])


class LinearSettings:
    r"""The settings of a model as its linear path asks for them.

    Args:
        config (Config): All settings.
    """

    def __init__(self, config: Config) -> None:
        self._config = config

    def __getitem__(self, key: str) -> Any:
        r"""Return a setting of the linear path, or of the model where the path has none of its own."""
        return self._config[NAMES.get(key, key)]


def _in_words_of_linear_settings() -> AbstractContextManager[None]:
    """Raise errors of the linear path again with the names of its settings."""
    return in_words_of_settings(**NAMES)
