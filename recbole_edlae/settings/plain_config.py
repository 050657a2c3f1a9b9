"""RecBole's Config for settings that this package has read itself."""

from collections.abc import Mapping
from typing import Any

from recbole.config import Config


class PlainConfig(Config):
    """RecBole's Config for settings that have been parsed: a text in ``config_dict`` stays that text.

    RecBole evaluates such texts once more. YAML files and the ``--key=value`` words of the process are read as usual.
    """

    def _load_variable_config_dict(self, config_dict: Mapping[str, Any] | None) -> dict[str, Any]:
        return dict(config_dict or {})
