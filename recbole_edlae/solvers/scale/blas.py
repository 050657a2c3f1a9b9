"""Call BLAS and LAPACK routines on tiles of a larger array, in place.

SciPy's Python functions copy what is not contiguous, and a tile of a matrix is not. Its Cython functions take addresses
and the distance between columns, and each module of them has their addresses in its ``__pyx_capi__``.
"""

import ctypes
import functools
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

_LAPACK = ("potrf", "trtri", "lauum")


def call(name: str, *arguments: bytes | int | float | np.ndarray) -> int:
    """Call a routine of SciPy's BLAS or LAPACK by its name without the letter of the type.

    Args:
        name: such as "gemm".
        arguments: in the routine's order. An array stands for its address and its leading dimension, which follow
            each other in every routine; it is float32 or float64, alike for all, stored by columns
            (``strides[0]`` is one item). LAPACK's last argument, info, is left out.

    Returns:
        info of a LAPACK routine, 0 of any other.
    """
    dtype = next(argument.dtype for argument in arguments if isinstance(argument, np.ndarray))
    info = ctypes.c_int64(0)

    # Fortran takes addresses: every number is put where it has one.
    values: list[Any] = []
    for argument in arguments:
        if isinstance(argument, np.ndarray):
            leading_dimension = argument.strides[1] // argument.itemsize
            values += [_Address(argument), ctypes.c_int64(leading_dimension)]
        elif isinstance(argument, bytes):
            values.append(ctypes.c_char(argument))
        elif isinstance(argument, float):
            real = ctypes.c_float if dtype == np.float32 else ctypes.c_double
            values.append(real(argument))
        else:
            # The first four bytes are the number too, in a library with integers of 32 bits.
            values.append(ctypes.c_int64(argument))
    if name in _LAPACK:
        values.append(info)

    pointers = []
    for value in values:
        if isinstance(value, _Address):
            pointers.append(value.pointer)
        else:
            pointers.append(ctypes.addressof(value))
    _routine(name, dtype.char, len(pointers))(*pointers)
    return info.value


class _Address:
    """The address of an array's data."""

    def __init__(self, array: np.ndarray) -> None:
        by_columns = array.ndim == 2 and array.strides[0] == array.itemsize
        if not by_columns or array.strides[1] < array.shape[0] * array.itemsize:
            raise ValueError("an array must be stored by columns")
        self.pointer = array.ctypes.data


@functools.cache
def _routine(name: str, dtype: str, arguments: int) -> Callable[..., None]:
    """Return the routine as a function of addresses; other threads run meanwhile."""
    library = "cython_blas"
    if name in _LAPACK:
        library = "cython_lapack"
    letter = {"f": "s", "d": "d"}[dtype]
    capsule = importlib.import_module(f"scipy.linalg.{library}").__pyx_capi__[letter + name]

    # A CFUNCTYPE releases the interpreter's lock during the call.
    prototype = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * arguments)
    return prototype(_address(capsule))


def _address(capsule: Any) -> int:
    """Return the address that a PyCapsule has, by Python's own functions for that."""
    # PYFUNCTYPE keeps the interpreter's lock, which these functions need.
    name_type = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)
    name_of = name_type(("PyCapsule_GetName", ctypes.pythonapi))
    pointer_type = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)
    pointer_of = pointer_type(("PyCapsule_GetPointer", ctypes.pythonapi))
    return pointer_of(capsule, name_of(capsule))
