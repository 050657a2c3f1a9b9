r"""
Members
################################################
The models that an ensemble is made of: what its settings say of them, each one's own Config, and its building and
training data, all as a run of that model alone has them.
"""

import contextlib
import copy
import random
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from recbole.config import Config
from recbole.data import utils as data_utils
from recbole.model.abstract_recommender import AbstractRecommender
from recbole.utils import (
    ModelType,
    dataset_arguments,
    evaluation_arguments,
    general_arguments,
    get_model,
    init_seed,
)

from recbole_edlae._choices import closest_first, unknown
from recbole_edlae.settings import registry

OF_A_MEMBER = {"seed", "reproducibility"}  # of the general settings
OF_THE_RUN = {*general_arguments, *dataset_arguments, *evaluation_arguments} - OF_A_MEMBER
LARGEST_WEIGHT = 1e100  # the sum of the weights has to be finite
NOT_YET, IN_ONE_STEP = 0, -1  # instead of the epochs that a member was trained for
MODEL_TYPES = (ModelType.GENERAL, ModelType.TRADITIONAL)  # others read the data in another way


class Member(NamedTuple):
    r"""What an ensemble's settings say of one member.

    Attributes:
        model: Name of the model.
        settings: Its own settings, which win over those of the ensemble.
        weight: Of its standardized scores, above 0.
    """

    model: str
    settings: dict[str, Any]
    weight: float


def members_of(settings: Mapping[str, Any]) -> dict[str, Member]:
    r"""Return label -> Member of the settings ``members`` and ``weights``, without members of weight 0.

    Raises:
        ValueError: The settings have another form.
    """
    given = settings["members"]
    weights = settings["weights"] or {}
    if not isinstance(given, Mapping) or not given:
        raise ValueError(
            f"members must map models to their settings, {{DLAE: {{}}, ChebyCF: {{}}}}; got {given!r}"
        )
    for label in weights:
        if label not in given:
            raise ValueError(f"weights: {label!r} is no member; there are {', '.join(map(str, given))}")

    # Each member has settings of its own, and a weight of 1 unless told otherwise.
    members = {}
    for label, own in given.items():
        weight = weights.get(label, 1.0)
        if not isinstance(label, str):
            raise ValueError(f"members: a label must be a text, got {label!r}: write '{label}' in quotes")
        if not isinstance(own, Mapping | None):
            raise ValueError(
                f"members: {label} must have settings, {{reg_weight: 100}} or {{}}; got {own!r}"
            )
        if (
            isinstance(weight, bool)
            or not isinstance(weight, int | float)
            or not 0 <= weight <= LARGEST_WEIGHT
        ):
            raise ValueError(
                f"weights: {label} must have a number from 0 to {LARGEST_WEIGHT:g}, got {weight!r}"
            )

        # The setting `model` lets a model be a member under several labels.
        own = dict(own or {})
        model = own.pop("model", label)
        if weight > 0:
            members[label] = Member(str(model), own, float(weight))
    if not members:
        raise ValueError(f"weights must leave a member above 0, got {dict(weights)!r}")
    return members


class TrainedMember(NamedTuple):
    r"""A model that was trained, as a member or by itself.

    Attributes:
        model: With the weights that it was best with.
        epochs: How many epochs it was trained for, or ``IN_ONE_STEP``.
        seconds: That its training took, without evaluation.
    """

    model: torch.nn.Module
    epochs: int
    seconds: float


class MemberConfig(Config):
    r"""The Config of one member: what was set for the ensemble, and the member's own settings, which win.

    Args:
        label (str): The member.
        member (Member): What the ensemble's settings say of it.
        ensemble (Config): Of the ensemble.

    Raises:
        ValueError: There is no such model or setting, or it has a value out of range; the message names the member.
    """

    def __init__(self, label: str, member: Member, ensemble: Config) -> None:
        # What was set beside the ensemble's own settings holds for all members.
        of_the_ensemble = {"model", *registry.schema_of(ensemble.model)}
        shared = {
            key: value for key, value in ensemble.external_config_dict.items() if key not in of_the_ensemble
        }

        # The ensemble has no device yet while its settings are checked.
        made = vars(ensemble).get("final_config_dict", {})
        self._device = {key: made[key] for key in ("device", "single_spec", "local_rank") if key in made}

        with of_member(label):
            if member.model not in registry.names():
                raise unknown("model", member.model, registry.names())
            for key in OF_THE_RUN.intersection(member.settings):
                raise ValueError(f"{key} is the same for all members: set it beside members")
            # RecBole fills in what is missing in some values, in place.
            super().__init__(
                member.model, ensemble.dataset, config_dict=copy.deepcopy({**shared, **member.settings})
            )
            self._check(member)

    def _load_variable_config_dict(self, config_dict: Mapping[str, Any] | None) -> dict[str, Any]:
        return dict(config_dict or {})  # parsed already

    def _load_cmd_line(self) -> dict[str, Any]:
        return {}  # part of what was set for the ensemble

    def _init_device(self) -> None:
        default = {"device": torch.device("cpu"), "single_spec": True, "local_rank": 0}
        self.final_config_dict.update(default | self._device)

    def _check(self, member: Member) -> None:
        """Check that the model scores all items, and that it reads each of its settings."""
        if self["MODEL_TYPE"] not in MODEL_TYPES:
            raise ValueError(f"{member.model} needs other data than users and their items")
        if self.model_class.full_sort_predict is AbstractRecommender.full_sort_predict:
            raise ValueError(f"{member.model} does not score all items of a user")
        for key in member.settings:
            if key not in self.internal_config_dict:
                choices = ", ".join(closest_first(key, sorted(self.internal_config_dict))[:5])
                raise ValueError(f"{member.model} has no setting {key}; there are {choices} and others")


@contextlib.contextmanager
def of_member(label: str) -> Iterator[None]:
    r"""Raise errors again with the name of the member that they are of."""
    try:
        yield
    except MemoryError as error:
        raise MemoryError(f"members: {label}: {error}") from error
    except (ValueError, NotImplementedError, TypeError, ImportError) as error:
        raise ValueError(f"members: {label}: {error}") from error


@contextlib.contextmanager
def own_random_numbers() -> Iterator[None]:
    r"""Leave the random numbers of Python, NumPy and torch as they were before the block."""
    states = random_states()
    try:
        yield
    finally:
        set_random_states(states)


def random_states() -> tuple[Any, ...]:
    r"""Return the states of the random numbers of Python, NumPy and torch."""
    on_gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return random.getstate(), np.random.get_state(), torch.get_rng_state(), on_gpus


def set_random_states(states: tuple[Any, ...]) -> None:
    r"""Go on with random numbers where :func:`random_states` has found them."""
    of_python, of_numpy, of_torch, on_gpus = states
    random.setstate(of_python)
    np.random.set_state(of_numpy)
    torch.set_rng_state(of_torch)
    if on_gpus:
        torch.cuda.set_rng_state_all(on_gpus)


def seed(config: Any) -> None:
    r"""Seed random numbers as a run of RecBole's does before it builds its model."""
    init_seed(config["seed"] + config["local_rank"], config["reproducibility"])


def build(config: Any, dataset: Any, **options: Any) -> torch.nn.Module:
    r"""Return the model of a Config, on its device; the options are those of its class."""
    return get_model(config["model"])(config, dataset, **options).to(config["device"])


def train_loader(config: Config, train_data: Any, valid_data: Any) -> Any:
    r"""Return the loader of training that a run of a member alone has, given those of the ensemble."""
    dataset = train_data._dataset
    samplers = [loader._sampler for loader in (train_data, valid_data) if loader is not None]
    sampler = next((sampler for sampler in samplers if sampler is not None), None)

    # RecBole's Sampler knows the three splits of the data, its RepeatableSampler all of them together.
    splits = getattr(sampler, "datasets", None) or [dataset] * 3
    complete = getattr(sampler, "dataset", dataset)
    own_sampler, *_ = data_utils.create_samplers(config, complete, splits)

    make = data_utils.get_dataloader(config, "train")
    return make(config, dataset, own_sampler, shuffle=config["shuffle"])
