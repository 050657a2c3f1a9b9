"""The mathematics: from a sparse user × item matrix to the weights of a model. Knows nothing of RecBole."""

from recbole_edlae.solvers.full_rank import full_rank
from recbole_edlae.solvers.gram import gram
from recbole_edlae.solvers.objective import penalty

__all__ = ["full_rank", "gram", "penalty"]
