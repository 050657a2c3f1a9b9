"""Checks of the solvers' arguments, for those who have to make them before there are data."""

from recbole_edlae.solvers._finite import check_indices, checked_matrix
from recbole_edlae.solvers.parameters import check_count, check_emphasis, check_rank

__all__ = ["check_count", "check_emphasis", "check_indices", "check_rank", "checked_matrix"]
