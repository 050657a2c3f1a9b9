"""Apply the table of patches: to each module at the end of its import, once, and take all of it back on request.

``import recbole_edlae`` arms the hook; nothing else does, so that a program that never imports the package runs stock
RecBole. Child processes import the package with what is pickled to them (:mod:`recbole_edlae.integration.models`).
A program that does not import RecBole pays for a few small files, and nothing in it changes but ``sys.meta_path``.

``wrapt``, with which such hooks are usually written, does not fit: it cannot act during an import, and it fires too
early for a module in the middle of one; its hooks cannot be taken back, and its wrappers not be pickled by name.
"""

import contextlib
import functools
import importlib.abc
import importlib.machinery
import pkgutil
import sys
import threading
import types
from collections.abc import Callable, Sequence
from typing import Any

from recbole_edlae.integration.patches import PATCHES, Patch, by_attribute
from recbole_edlae.settings import corrections


class _Applied:
    """One changed attribute, and how to change it back.

    Attributes:
        rows: of the table, one for each reason; all have the same replacement.
    """

    def __init__(self, rows: list[Patch], module: types.ModuleType, hook: "_Hook", late: bool) -> None:
        self.rows = rows
        self.module = module
        self._hook = hook

        # The attribute belongs to a module or a class, or is the entry of a dict.
        path, _, key = rows[0].attribute.rstrip("]").partition("[")
        *parents, name = path.split(".")
        owner: Any = module
        for parent in parents:
            owner = getattr(owner, parent)
        self.owner = getattr(owner, name) if key else owner
        self.name = key or name

        # What RecBole has there, and what takes its place.
        self.is_new = self.name not in self._namespace()
        self.stock = self._namespace().get(self.name, getattr(self.owner, self.name, None))
        kind = rows[0].kind
        self.value = self._wrapper() if kind == "call" else _resolve(rows[0].replacement)
        if kind == "value":
            self.value = self.value(self.stock)
        self._set(self.value)

        # After the import of the module, others may have taken the stock by name. But what a module only imports is
        # changed in that module alone: torch and the like, or a class of another module of RecBole's. A function of
        # another package is a wrapper of RecBole's own.
        home = getattr(self.stock, "__module__", None) or ""
        is_from_elsewhere = isinstance(self.stock, types.ModuleType)
        is_from_elsewhere |= home.startswith("recbole.") and home != module.__name__
        if late and isinstance(self.owner, types.ModuleType) and not is_from_elsewhere:
            _exchange_in_recbole(self.stock, self.value)

    def take_back(self) -> bool:
        """Put the stock object back, and return True; leave what another package has wrapped since."""
        if self._namespace().get(self.name) is not self.value:
            return False
        if self.is_new and isinstance(self.owner, dict):
            del self.owner[self.name]
        elif self.is_new:
            delattr(self.owner, self.name)
        else:
            self._set(self.stock)
            if isinstance(self.owner, types.ModuleType):
                _exchange_in_recbole(self.value, self.stock)
        return True

    def _wrapper(self) -> Callable:
        """Return a function that hands each call, with the stock function first, to the replacement."""
        stock = self.stock
        replacement = self.rows[0].replacement

        # A single reason that no setting switches off is enough.
        names = {row.correction for row in self.rows}
        is_always_on = "" in names

        # Another program may have taken the function by name, and call it when the patches are taken back.
        def wrapper(*arguments: Any, **options: Any) -> Any:
            if self._hook.is_armed and (is_always_on or corrections.any_is_on(names, arguments)):
                return _resolve(replacement)(stock, *arguments, **options)
            return stock(*arguments, **options)

        assigned = [name for name in functools.WRAPPER_ASSIGNMENTS if hasattr(stock, name)]
        return functools.update_wrapper(wrapper, stock, assigned=assigned, updated=())

    def _namespace(self) -> Any:
        return self.owner if isinstance(self.owner, dict) else vars(self.owner)

    def _set(self, value: Any) -> None:
        if isinstance(self.owner, dict):
            self.owner[self.name] = value
        else:
            setattr(self.owner, self.name, value)


class _Hook(importlib.abc.MetaPathFinder):
    """The finder on ``sys.meta_path``: it delegates to the others, and patches a module after its import."""

    def __init__(self, patches: Sequence[Patch]) -> None:
        self.patches = by_attribute(patches)
        self.is_armed = False
        self.applied: list[_Applied] = []
        self._asking = threading.local()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the spec that the other finders have for a module of the table, its loader wrapped."""
        # The hook of another package may ask this one in turn.
        asked = vars(self._asking).setdefault("names", set())
        if name not in self.patches or name in asked:
            return None
        asked.add(name)
        try:
            spec = _spec_of_others(self, name, path, target)
        finally:
            asked.discard(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self)
        return spec

    def arm(self) -> None:
        """Patch the modules that are imported already, and wait for the others."""
        if self in sys.meta_path:
            return
        self.is_armed = True
        sys.meta_path.insert(0, self)
        for name in self.patches:
            module = sys.modules.get(name)
            if module is not None:
                around = contextlib.ExitStack()
                self.enter(name, around)
                _when_complete(module, functools.partial(self._finish_late, module, around))

    def restore(self) -> None:
        """Take back every patch, the last one first. Those that another package has wrapped let calls pass."""
        self.is_armed = False
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        left = [applied for applied in reversed(self.applied) if not applied.take_back()]
        self.applied = left[::-1]

    def enter(self, name: str, around: contextlib.ExitStack) -> None:
        """Enter what has to be in place while a module is imported."""
        for rows in self.patches[name]:
            if rows[0].kind == "import":
                around.enter_context(_resolve(rows[0].replacement)())

    def finish(self, module: types.ModuleType, late: bool = False) -> None:
        """Apply the patches of a module whose code has run."""
        known = [applied.rows for applied in self.applied if applied.module is module]
        for rows in self.patches[module.__name__]:
            if rows[0].kind != "import" and rows not in known:
                self.applied.append(_Applied(rows, module, self, late))

    def _finish_late(self, module: types.ModuleType, around: contextlib.ExitStack) -> None:
        with around:
            if self.is_armed and sys.modules.get(module.__name__) is module:
                self.finish(module, late=True)


class _Loader(importlib.abc.Loader):
    """A module's own loader, with the patches applied when the module's code has run."""

    def __init__(self, loader: Any, hook: _Hook) -> None:
        self._loader, self._hook = loader, hook

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType | None:
        """Return what the module's own loader creates."""
        return self._loader.create_module(spec)

    def exec_module(self, module: types.ModuleType) -> None:
        """Run the module's code, then patch it."""
        # To everybody else the module is what it would be without the hook.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        with contextlib.ExitStack() as around:
            self._hook.enter(module.__name__, around)
            self._loader.exec_module(module)
            if self._hook.is_armed:
                self._hook.finish(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


class _UnfinishedSpec(importlib.machinery.ModuleSpec):
    """The spec of a module in the middle of its import, which says when that has ended."""

    # The import system sets ``_initializing`` to False then, in every Python from 3.10 to 3.13.
    _act: Callable[[], None]

    @property
    def _initializing(self) -> bool:
        return vars(self)["_initializing"]

    @_initializing.setter
    def _initializing(self, value: bool) -> None:
        vars(self)["_initializing"] = value
        if not value:
            self.__class__ = importlib.machinery.ModuleSpec  # type: ignore[assignment]
            vars(self).pop("_act")()


def _when_complete(module: types.ModuleType, act: Callable[[], None]) -> None:
    """Call a function now, or when a module that is in the middle of its import has come to its end."""
    spec = module.__spec__
    if type(spec) is importlib.machinery.ModuleSpec and vars(spec).get("_initializing"):
        vars(spec)["_act"] = act
        spec.__class__ = _UnfinishedSpec
    else:
        act()


def _spec_of_others(
    hook: _Hook, name: str, path: Any, target: Any
) -> importlib.machinery.ModuleSpec | None:
    for finder in list(sys.meta_path):
        find = getattr(finder, "find_spec", None)
        spec = find(name, path, target) if finder is not hook and find is not None else None
        if spec is not None:
            return spec
    return None


def _exchange_in_recbole(before: Any, after: Any) -> None:
    """Exchange an object in every module of RecBole that took it by name (``from recbole.data.utils import *``)."""
    # Both tables may change while they are walked through.
    for path, module in list(sys.modules.items()):
        if path.partition(".")[0] != "recbole" or not module:
            continue
        for name, value in list(vars(module).items()):
            if value is before:
                setattr(module, name, after)


# The function, or another object, that a row of the table names.
_resolve = functools.cache(pkgutil.resolve_name)

_HOOK = _Hook(PATCHES)


def arm() -> None:
    """Register the models with RecBole and apply the table of patches, now or when RecBole is imported. Idempotent."""
    _HOOK.arm()


def restore() -> None:
    """Take every patch back: RecBole is what it was, without the models of this package, until :func:`arm`.

    What RecBole took from stand-ins for ray and scikit-learn stays; it imports the real ones when it is called.
    """
    _HOOK.restore()


def stock(module: str, attribute: str) -> Any:
    """Return the object of RecBole's that a patch has replaced.

    Raises:
        LookupError: No patch of that module and attribute is in place.
    """
    for applied in _HOOK.applied:
        if (applied.rows[0].module, applied.rows[0].attribute) == (module, attribute):
            return applied.stock
    raise LookupError(f"no patch of {module}.{attribute} is in place")
