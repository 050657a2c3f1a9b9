"""Say how to install RecBole where it is missing: from Python 3.12 on pip cannot install it with this package."""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Sequence

MISSING_RECBOLE = "recbole is missing: pip install --no-deps recbole==1.2.1"


class _Finder(importlib.abc.MetaPathFinder):
    """The last of the finders: what is asked of it, no other one has found."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Raise ModuleNotFoundError for `import recbole`; say None to a program that only asks whether it is there."""
        if name == "recbole" and sys._getframe(2).f_code.co_name == "_find_and_load_unlocked":
            raise ModuleNotFoundError(MISSING_RECBOLE, name="recbole")
        return None


def arm() -> None:
    """Have `import recbole` say what to install, if it is not there; change nothing otherwise."""
    if "recbole" not in sys.modules and importlib.util.find_spec("recbole") is None:
        sys.meta_path.append(_Finder())
