"""Warn of data and settings that a result depends on and that do not stop a run."""

import warnings


class DataWarning(UserWarning):
    """A warning of something in the data or the settings that a result depends on."""


def warn(text: str) -> None:
    """Warn of data or settings; as the warning is this module's, no filter of RecBole's own warnings hides it.

    Warns:
        DataWarning: The text.
    """
    warnings.warn(text, DataWarning, stacklevel=1)
