"""What is said of data and settings that do not stop a run."""

import warnings


class DataWarning(UserWarning):
    """Something in the data or settings that a result depends on."""


def warn(text: str) -> None:
    """Warn of the data or settings. The warning is this module's, so no filter of RecBole's own warnings hides it."""
    warnings.warn(text, DataWarning, stacklevel=1)
