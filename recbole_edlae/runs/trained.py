"""Models that a runner has trained, kept for the ensembles that have them as members."""

import collections
from collections.abc import Collection, Iterable

from recbole.config import Config

from recbole_edlae.model.ensemble import Ensemble
from recbole_edlae.model.members import TrainedMember
from recbole_edlae.runs.run import WITHOUT_EFFECT
from recbole_edlae.settings import registry


class TrainedModels:
    """Keep the models that ensembles need: those that are expected, and those of the last run.

    All are of the same data; whoever reads others calls :meth:`clear`.

    Attributes:
        saved: seconds that the members found ready took to train, of one run.
    """

    def __init__(self) -> None:
        self._kept: dict[str, TrainedMember] = {}
        self._expected: collections.Counter[str] = collections.Counter()
        self.saved = 0.0

    def expect(self, configs: Iterable[Config]) -> None:
        """Say which members the ensembles of coming runs have; what was expected before is not any more.

        Args:
            configs: of the members, one for each time that a run needs it.
        """
        self._expected = collections.Counter(map(name_of, configs))

    def take(self, configs: dict[str, Config]) -> dict[str, TrainedMember]:
        """Return label → what is here members of one run; let go of what nobody needs.

        Args:
            configs: label → Config of each member of the run; empty for any other model.
        """
        names = {label: name_of(config) for label, config in configs.items()}
        self._expected.subtract(names.values())
        self._kept = {name: kept for name, kept in self._kept.items() if self._is_needed(name, names.values())}
        found = {label: self._kept[name] for label, name in names.items() if name in self._kept}
        self.saved = sum(trained.seconds for trained in found.values())
        return found

    def put(self, config: Config, member: TrainedMember) -> None:
        """Keep a member of this run's ensemble.

        Args:
            config: of the member.
            member: that was trained.
        """
        self._kept[name_of(config)] = member

    def is_wanted(self, config: Config) -> bool:
        """Return whether the model of this run, trained for itself, is a member of a coming ensemble.

        Args:
            config: of the run.
        """
        return bool(self._expected) and self._is_needed(name_of(config), ())

    def clear(self) -> None:
        """Let go of all models."""
        self._kept.clear()

    def _is_needed(self, name: str, now: Collection[str]) -> bool:
        """Return whether this run or a coming one has a model as a member."""
        return name in now or self._expected[name] > 0


def member_configs(config: Config) -> dict[str, Config]:
    """Return label → Config of the members of an ensemble; empty for any other model.

    Args:
        config: of a run.
    """
    members = registry.members_of(config["model"], config.final_config_dict)
    return {label: Ensemble.config_of(label, member, config) for label, member in members.items()}


def name_of(config: Config) -> str:
    """Return a text that is the same for runs, alone or as a member, that train the same model on the same data.

    Args:
        config: of the run or the member.
    """
    names = sorted(config.final_config_dict.keys() - set(WITHOUT_EFFECT) | {"data_path"})
    return repr([(name, config[name]) for name in names])
