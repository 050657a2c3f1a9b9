"""The same operations where a dense matrix is too large or too slow: packed tiles, by users, neighbors, shards.

The formulas in ``recbole_edlae.solvers`` know nothing of this package. Its matrices tell their functions what to do
with them by ``functools.singledispatch``, when their module is imported.
"""
