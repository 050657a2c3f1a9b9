"""Say how to install RecBole where it is missing: from Python 3.12 on pip cannot install it with this package."""

import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Sequence

MISSING_RECBOLE = "recbole is missing: pip install --no-deps recbole==1.2.1"


class _Finder(importlib.abc.MetaPathFinder):
    """Find nothing; as the last of the finders it is asked only for modules that are missing."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Raise ModuleNotFoundError for `import recbole`; return None to a program that only looks for it."""
        if name != "recbole":
            return None

        # Python's import statement calls this, importlib.util.find_spec does not.
        if sys._getframe(2).f_code.co_name == "_find_and_load_unlocked":
            raise ModuleNotFoundError(MISSING_RECBOLE, name="recbole")
        return None


def arm() -> None:
    """Let `import recbole` say what to install."""
    sys.meta_path.append(_Finder())
