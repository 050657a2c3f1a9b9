"""Decide whether RecBole's slow loops over rows are replaced: the setting ``vectorized_data``."""

from typing import Any

SETTING = "vectorized_data"


def is_on(config: Any) -> bool:
    """Return whether the data of a config are read, split and batched by the vectorized functions.

    Args:
        config: RecBole's Config. Without the setting the answer is yes.
    """
    return config[SETTING] is not False
