"""Warn of data and settings that change a result without stopping the run."""

import warnings


class DataWarning(UserWarning):
    """Warn of something in the data or the settings that changes a result."""


def warn(text: str) -> None:
    """Warn of data or settings.

    Args:
        text: the warning.

    Warns:
        DataWarning: the text.
    """
    # Raised in this module, which filters of RecBole's warnings do not name.
    warnings.warn(text, DataWarning, stacklevel=1)
