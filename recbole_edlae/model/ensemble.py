r"""
Ensemble
################################################
Reference:
    Mark Montague and Javed A. Aslam. "Relevance Score Normalization for Metasearch" in CIKM 2001.
"""

from collections.abc import Mapping
from typing import Any

import torch
from recbole.config import Config
from recbole.data.dataset import Dataset
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import GeneralRecommender
from recbole.utils import InputType

from recbole_edlae.model import members
from recbole_edlae.model.ensemble_trainer import EnsembleTrainer
from recbole_edlae.model.errors import check_scores
from recbole_edlae.model.history import HistoryMixin, interactions_and_histories
from recbole_edlae.model.members import IN_ONE_STEP, NOT_YET, Member, MemberConfig, TrainedMember, of_member
from recbole_edlae.model.paper import Paper
from recbole_edlae.nn.scores import standardize_
from recbole_edlae.settings import registry


class Ensemble(HistoryMixin, GeneralRecommender):
    r"""Ensemble adds the scores of other models, each standardized for a user: :math:`\sum_m w_m z(s_m)` with
    :math:`z(s) = (s - \bar s) / \sigma_s`, mean and deviation over the items that the user does not have yet.

    Its ``members`` are models of this package or RecBole's own, each trained by its own trainer as if alone. With equal
    weights nothing is chosen on validation data, which the test may not resemble. A member alone keeps its scores.
    """

    input_type = InputType.PAIRWISE
    trainer = EnsembleTrainer
    unseen_users: Mapping[str, Any] | None = {}
    batch_bytes = 2**28  # of the scores of the users that are evaluated at a time
    paper = Paper(
        title="Relevance Score Normalization for Metasearch",
        authors="Mark Montague and Javed A. Aslam",
        venue="CIKM",
        year=2001,
        link="https://doi.org/10.1145/502585.502657",
    )
    search_space = """
        weights choice [{}]
    """

    def __init__(
        self, config: Config, dataset: Dataset, trained: Mapping[str, TrainedMember] | None = None
    ) -> None:
        r"""Build the members, each with the random numbers of a run alone.

        Args:
            config (Config): RecBole's, or all settings of an export.
            dataset (Dataset): The training part of the data.
            trained (Mapping, optional): Members that were trained before, by label. Defaults to ``None``.
        """
        super().__init__(config, dataset)
        self.keep_history(interactions_and_histories(dataset)[1])

        # Every member has a Config of its own.
        self.given = self.members_of(config)
        self.configs = {
            label: self.config_of(label, member, config) for label, member in self.given.items()
        }
        self.random_states: dict[str, Any] = {}
        trained = trained or {}
        built = []
        epochs = []
        for label, settings in self.configs.items():
            if label in trained:
                built.append(trained[label].model)
                epochs.append(trained[label].epochs)
                continue

            # The random numbers of a run alone; the ensemble's own are left as they were.
            epochs.append(NOT_YET)
            with members.own_random_numbers(), of_member(label):
                # The settings of an export have no seed, and are not trained.
                if isinstance(settings, Config):
                    members.seed(settings)
                built.append(members.build(settings, dataset))
                self.random_states[label] = members.random_states()
        self.models = torch.nn.ModuleList(built)
        self.epochs: torch.Tensor
        self.register_buffer("epochs", torch.tensor(epochs))
        self.dummy_param = torch.nn.Parameter(torch.zeros(1))  # RecBole's optimizers want one

    @classmethod
    def members_of(cls, settings: Mapping[str, Any] | Config) -> dict[str, Member]:
        r"""Return label -> Member of all that have a weight above 0."""
        return members.members_of({key: settings[key] for key in ("members", "weights")})

    @classmethod
    def check_config(cls, config: Config, settings: Mapping[str, Any]) -> None:
        r"""Check the settings of all members.

        Args:
            config (Config): Of the ensemble, as far as it is made.
            settings (Mapping): All its settings.

        Raises:
            ValueError: There is no such model or setting, or it has a value out of range; the message names the member.
        """
        for label, member in cls.members_of(settings).items():
            MemberConfig(label, member, config)

    @staticmethod
    def config_of(label: str, member: Member, config: Any) -> Any:
        r"""Return the Config of one member, or its settings where the ensemble's are those of an export."""
        if isinstance(config, Config):
            return MemberConfig(label, member, config)

        # An export has plain settings: the member's own win over the ensemble's, and these over the defaults.
        defaults = registry.default_settings(member.model)
        return defaults | config | {"model": member.model} | member.settings

    @classmethod
    def refitted(cls, settings: Mapping[str, Any], epochs: Mapping[str, int]) -> dict[str, Any]:
        r"""Return the settings with which members are trained for given epochs, by label, without validation."""
        refitted = {}
        for label, own in settings["members"].items():
            refitted[label] = dict(own or {}) | _fixed(epochs.get(label))
        return {"members": refitted}

    @property
    def members(self) -> dict[str, torch.nn.Module]:
        r"""Label -> model of every member."""
        return dict(zip(self.given, self.models))

    @property
    def fitted(self) -> bool:
        r"""Whether all members are trained."""
        return bool((self.epochs != NOT_YET).all())

    @property
    def best_epochs(self) -> dict[str, int]:
        r"""Label -> after how many epochs a member was at its best, of those that are trained in epochs."""
        epochs = {}
        for label, number in zip(self.given, self.epochs.tolist()):
            # Closed forms and members that are not trained have no epochs.
            if number not in (NOT_YET, IN_ONE_STEP):
                epochs[label] = number
        return epochs

    def calculate_loss(self, interaction: Interaction) -> torch.Tensor:
        raise NotImplementedError("an Ensemble is trained by its own trainer, member by member")

    def full_sort_predict(self, interaction: Interaction) -> torch.Tensor:
        # Each member scores in its own way, which may not be by histories.
        def scores_of(model: Any) -> torch.Tensor:
            return model.full_sort_predict(interaction).view(-1, self.n_items)

        items, count = self.history(interaction[self.USER_ID])
        return self._sum(scores_of, items, count).view(-1)

    def score(self, items: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        r"""Score all items for histories given one after the other, also of users unseen in training.

        Returns:
            torch.Tensor: shape: [len(count), n_items]
        """
        return self._sum(lambda model: model.score(items, count), items, count)

    def similarity(self, item: int) -> torch.Tensor:
        r"""Return the scores of all items for a history of one item, shape: [n_items]"""
        return self.score(torch.tensor([item]), torch.tensor([1]))[0]

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *arguments: Any) -> None:
        """Take a checkpoint's tensors, after a check of what torch would convert without a word."""
        # torch would round fractions to epochs.
        epochs = state_dict.get(f"{prefix}epochs")
        if epochs is not None and (epochs.dtype != torch.int64 or (epochs < IN_ONE_STEP).any()):
            raise ValueError(f"epochs must hold integers of at least {IN_ONE_STEP}, got {epochs.dtype}")
        super()._load_from_state_dict(state_dict, prefix, *arguments)

    def other_parameter(self) -> dict[str, Any]:
        r"""Return what RecBole's checkpoints have of members beside their tensors."""
        members: dict[str, Any] = self.members
        return {label: model.other_parameter() for label, model in members.items()}

    def load_other_parameter(self, parameters: dict[str, Any] | None) -> None:
        r"""Take what :meth:`other_parameter` returned."""
        members: dict[str, Any] = self.members
        for label, model in members.items():
            model.load_other_parameter((parameters or {}).get(label))

    def _sum(self, scores_of: Any, items: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        """Add up the members' standardized scores, in the order of their labels, whatever that of the settings is.

        ``scores_of`` is a function of a member that returns its scores, of shape (users, items).
        """
        # A member alone keeps its scores.
        if len(self.given) == 1:
            ((label, model),) = self.members.items()
            return self._checked(label, scores_of(model))

        user = torch.arange(len(count), device=count.device).repeat_interleave(count)
        weights = sum(member.weight for member in self.given.values())
        total = self.dummy_param.new_zeros(len(count), self.n_items)
        for label, model in sorted(self.members.items()):
            # Without [PAD], which nobody is recommended.
            scores = self._checked(label, scores_of(model))[:, 1:]

            # Mean and deviation over the items that the user does not have yet.
            standardize_(scores, (user, items - 1))
            total[:, 1:].add_(scores, alpha=self.given[label].weight / weights)
        return total

    def _checked(self, label: str, scores: torch.Tensor) -> torch.Tensor:
        """Return scores of a member in single precision on the ensemble's device."""
        # The error names the member, whose settings are to be changed.
        with of_member(label):
            scores = check_scores(scores, self.given[label].model)

        # A copy: the sum standardizes scores in place.
        return scores.to(self.dummy_param.device, torch.float32, copy=True)


def _fixed(epochs: int | None) -> dict[str, Any]:
    """Return the settings of a training for some epochs; None leaves a member as it is."""
    if epochs is None:
        return {}
    return {"epochs": epochs, "eval_step": 0}
