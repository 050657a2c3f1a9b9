"""Replace functions of RecBole by ones that are given the stock function first."""

import functools
import importlib
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple


class Patch(NamedTuple):
    """One function of RecBole that is replaced."""

    module: str
    attribute: str  # dotted: "Dataset.sort"
    replacement: Callable  # called with the stock function and then its arguments
    why: str
    until: str  # when it can go


def install(patches: Iterable[Patch]) -> None:
    """Replace each function once, however often this is called; the stock one is its ``__wrapped__``."""
    for patch in patches:
        owner: Any = importlib.import_module(patch.module)
        *path, name = patch.attribute.split(".")
        for part in path:
            owner = getattr(owner, part)
        _wrap(owner, name, patch.replacement)


def _wrap(owner: Any, name: str, replacement: Callable) -> None:
    stock = getattr(owner, name)
    key = f"{replacement.__module__}.{replacement.__qualname__}"
    if key in getattr(stock, "replaced_by", ()):
        return

    @functools.wraps(stock)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        return replacement(stock, *arguments, **options)

    wrapped.replaced_by = (*getattr(stock, "replaced_by", ()), key)
    setattr(owner, name, wrapped)
