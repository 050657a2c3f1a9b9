"""What is said of data and settings that do not stop a run."""


class DataWarning(UserWarning):
    """Something in the data or settings that a result depends on."""
