"""The same operations where a dense matrix is too large or too slow: packed tiles, by users, neighbors, shards.

The formulas in ``recbole_edlae.solvers`` know nothing of this package. Its matrices register with their functions by
``functools.singledispatch``. Whoever makes packed tiles imports them from ``operations``, which registers them.
"""
