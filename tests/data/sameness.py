"""Compare two objects with all that they hold, so that nothing is left out by accident."""

import collections.abc
import functools
import logging
import types

import numpy as np
import pandas as pd
import torch
from recbole.config import Config

from recbole_edlae.integration.fast.used_ids import LazyArray

OWN = {"alias_table"}  # what the vectorized functions keep beside RecBole's attributes
PLAIN = (
    int,
    float,
    complex,
    str,
    bytes,
    bool,
    type(None),
    slice,
    range,
    type,
    torch.dtype,
    torch.device,
    np.dtype,
)


def assert_same(ours, theirs, path="", seen=None):
    """Assert that two objects are of one type and hold the same, to the last bit and in the same order."""
    seen = {} if seen is None else seen
    if (id(ours), id(theirs)) in seen:
        return
    seen[id(ours), id(theirs)] = ours, theirs  # kept, so that no other object gets their ids
    if isinstance(ours, LazyArray):
        ours = np.asarray(ours)
    if isinstance(theirs, LazyArray):
        theirs = np.asarray(theirs)
    if isinstance(ours, range) and isinstance(theirs, list):
        ours = list(ours)  # the row numbers of a loader
    assert type(ours) is type(theirs), f"{path}: {type(ours)} and {type(theirs)}"
    compare = next(
        (function for kinds, function in COMPARISONS if isinstance(ours, kinds)), compare_objects
    )
    compare(ours, theirs, path, seen)


def compare_plain(ours, theirs, path, seen):
    assert ours == theirs or (ours != ours and theirs != theirs), f"{path}: {ours!r} and {theirs!r}"


def compare_arrays(ours, theirs, path, seen):
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape), path
    if ours.dtype == object:
        compare_sequences(ours.ravel().tolist(), theirs.ravel().tolist(), path, seen)
    elif ours.dtype.kind == "f":
        assert np.array_equal(ours, theirs, equal_nan=True), path
    else:
        assert np.array_equal(ours, theirs), path


def compare_tensors(ours, theirs, path, seen):
    assert ours.dtype == theirs.dtype, f"{path}: {ours.dtype} and {theirs.dtype}"
    compare_arrays(ours.detach().cpu().numpy(), theirs.detach().cpu().numpy(), path, seen)


def compare_frames(ours, theirs, path, seen):
    pd.testing.assert_frame_equal(pd.DataFrame(ours), pd.DataFrame(theirs), check_exact=True)


def compare_sequences(ours, theirs, path, seen):
    assert len(ours) == len(theirs), path
    kinds = set(map(type, ours))
    if kinds <= {int, bool, str}:
        assert kinds == set(map(type, theirs)) and list(ours) == list(theirs), path
        return
    for position, (own, other) in enumerate(zip(ours, theirs)):
        assert_same(own, other, f"{path}[{position}]", seen)


def compare_dicts(ours, theirs, path, seen):
    compare_sequences(list(ours), list(theirs), f"{path}.keys", seen)
    for key in ours:
        assert_same(ours[key], theirs[key], f"{path}[{key!r}]", seen)


def compare_sets(ours, theirs, path, seen):
    compare_sequences(list(ours), list(theirs), path, seen)


def compare_functions(ours, theirs, path, seen):
    assert ours.__qualname__ == theirs.__qualname__, path


def compare_objects(ours, theirs, path, seen):
    if isinstance(ours, torch.Generator):
        assert torch.equal(ours.get_state(), theirs.get_state()), path
        return
    own = {key: value for key, value in vars(ours).items() if key not in OWN}
    others = vars(theirs)
    assert own.keys() == others.keys(), f"{path}: {own.keys() ^ others.keys()}"
    for key in own:
        assert_same(own[key], others[key], f"{path}.{key}", seen)


def skip(ours, theirs, path, seen):
    """What differs by design: the Config, which has the switch, loggers, and iterators, which have no attributes."""


COMPARISONS = [
    ((Config, logging.Logger, types.ModuleType, collections.abc.Iterator), skip),
    ((np.generic, *PLAIN), compare_plain),
    (np.ndarray, compare_arrays),
    (torch.Tensor, compare_tensors),
    ((pd.DataFrame, pd.Series), compare_frames),
    (dict, compare_dicts),
    ((set, frozenset), compare_sets),
    ((list, tuple), compare_sequences),
    (
        (types.FunctionType, types.MethodType, types.BuiltinFunctionType, functools.partial),
        compare_functions,
    ),
]
