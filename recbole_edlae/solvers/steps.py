"""Steps of the solvers that a caller may take by itself, to keep or to restore what comes between them."""

from recbole_edlae.solvers._graph_filter import LINEAR as LINEAR_FILTER
from recbole_edlae.solvers._graph_filter import filter_of_parts
from recbole_edlae.solvers._matrix import inverse
from recbole_edlae.solvers._system import penalties
from recbole_edlae.solvers.scale.gram import compile_for as compile_gram

__all__ = ["LINEAR_FILTER", "compile_gram", "filter_of_parts", "inverse", "penalties"]
