"""How much memory the solvers take at most, known before they start.

``gram_workspace`` is in bytes; the others are in numbers, whose size depends on the precision.
"""

from recbole_edlae.solvers._graph_filter import values_held as graph_filter_values
from recbole_edlae.solvers._low_pass import values_held as low_pass_values
from recbole_edlae.solvers._low_rank import values_held as low_rank_values
from recbole_edlae.solvers.scale.gram import workspace as gram_workspace
from recbole_edlae.solvers.scale.tiles import size as packed_values

__all__ = ["gram_workspace", "graph_filter_values", "low_pass_values", "low_rank_values", "packed_values"]
