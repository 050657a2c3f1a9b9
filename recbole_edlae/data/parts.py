"""Find the splits that turn out empty when the data are read."""

from collections.abc import Sequence

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
            raise EmptyPart(
                f"the {part} part is empty: eval_args' split leaves it no interaction of these data"
            )
