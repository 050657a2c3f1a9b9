"""The words of the process: RecBole's Config reads settings from them, wherever it is made."""

import sys
from collections.abc import Sequence


def process_words(replacement: Sequence[str] | None = None, *, program: str = "recbole-edlae") -> list[str]:
    """Return the words of this process's command line, after replacing them if there is a replacement.

    No other function of the package reads or sets ``sys.argv``.

    Args:
        replacement: words that RecBole is to read as settings from now on; None leaves the process's own.
        program: name that goes before a replacement.

    Returns:
        The words after the program's name; none in a notebook, whose words are its kernel's.
    """
    if replacement is not None:
        sys.argv = [program, *replacement]

    # The words of a notebook are those of its kernel.
    if "ipykernel_launcher" in sys.argv[0]:
        return []
    return sys.argv[1:]
