"""Find the parts of a split that turn out empty when the data are read."""

from collections.abc import Callable, Sequence
from typing import Any

from recbole_edlae._warnings import warn
from recbole_edlae.settings.parts import PARTS, EmptyPart


def check_loaders(loaders: Sequence, needed: Sequence[str]) -> None:
    """Check that no needed part turned out empty when the data were split.

    Args:
        loaders: RecBole's loaders of training, validation and test.
        needed: names of parts.

    Raises:
        EmptyPart: A part is empty.
    """
    for part, loader in zip(PARTS, loaders):
        if part in needed and len(loader) == 0:
            raise EmptyPart(f"the {part} part is empty: eval_args' split leaves it no interaction of these data")


def create_samplers(stock: Callable, config: Any, dataset: Any, built_datasets: Sequence) -> tuple:
    """Do as RecBole does, and name parts without interactions before training.

    Warns:
        DataWarning: There is nothing to validate or to test on.
    """
    for part, purpose, built in zip(PARTS[1:], ("validated", "tested"), built_datasets[1:]):
        if not len(built):
            warn(f"the {part} part has no interaction: eval_args' split leaves it none, so nothing is {purpose}")
    return stock(config, dataset, built_datasets)
