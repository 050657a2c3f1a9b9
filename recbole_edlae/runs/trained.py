"""Cache trained models for the ensembles that have them as members."""

import collections
from collections.abc import Iterable
from typing import Any

from recbole.config import Config

from recbole_edlae.model.members import TrainedMember
from recbole_edlae.runs.run import WITHOUT_EFFECT
from recbole_edlae.settings import registry


class TrainedModels:
    """Cache the models that ensembles need: those of announced runs, and those of the last run.

    All models are of the same data. The runner calls :meth:`clear` before it reads other data.

    Attributes:
        saved: seconds that the cached members of the last run took to train.
    """

    def __init__(self) -> None:
        self._members: dict[str, TrainedMember] = {}
        self._expected: collections.Counter[str] = collections.Counter()
        self.saved = 0.0

    def expect(self, configs: Iterable[Config]) -> None:
        """Announce the members of coming ensembles, one for each time that a run needs it, instead of earlier ones."""
        self._expected = collections.Counter(map(name_of, configs))

    def take(self, configs: dict[str, Config]) -> dict[str, TrainedMember]:
        """Return label → cached member for one run, and drop the models that no run needs any more."""
        cached = {}
        self.saved = 0.0
        names = set()
        for label, config in configs.items():
            name = name_of(config)
            names.add(name)
            self._expected[name] -= 1
            if name in self._members:
                cached[label] = self._members[name]
                self.saved += cached[label].seconds

        # A model is dropped after the last announced run that needs it.
        for name in self._members.keys() - names:
            if self._expected[name] <= 0:
                del self._members[name]
        return cached

    def put(self, config: Config, member: TrainedMember) -> None:
        """Cache a member of this run's ensemble."""
        self._members[name_of(config)] = member

    def is_needed(self, config: Config) -> bool:
        """Return whether the model of this run is also a member of a coming ensemble."""
        # Most commands have no ensemble, and need no name.
        return bool(self._expected) and self._expected[name_of(config)] > 0

    def clear(self) -> None:
        """Drop all models."""
        self._members.clear()


def member_configs(config: Config) -> dict[str, Config]:
    """Return label → Config of the members of an ensemble; empty for a model that is no ensemble."""
    members = registry.members_of(config["model"], config.final_config_dict)
    if not members:
        return {}

    ensemble: Any = registry.model_class(config["model"])
    configs = {}
    for label, member in members.items():
        configs[label] = ensemble.config_of(label, member, config)
    return configs


def name_of(config: Config) -> str:
    """Return a text that is equal for two runs or members that train the same model on the same data."""
    # data_path has no effect on a result by itself, but it tells one dataset from another.
    names = config.final_config_dict.keys() - set(WITHOUT_EFFECT) | {"data_path"}
    return repr([(name, config[name]) for name in sorted(names)])
