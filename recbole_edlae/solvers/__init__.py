"""The mathematics: from a sparse user × item matrix to the weights of a model. Knows nothing of RecBole."""

from recbole_edlae.solvers.certificate import objective, stationarity
from recbole_edlae.solvers.finite import SingularError
from recbole_edlae.solvers.full_rank import full_rank, weights
from recbole_edlae.solvers.gram import gram
from recbole_edlae.solvers.iteration import ConvergenceWarning, LowRank
from recbole_edlae.solvers.low_rank import low_rank
from recbole_edlae.solvers.neighbors import neighbors
from recbole_edlae.solvers.normalization import item_scale, normalize_items
from recbole_edlae.solvers.objective import penalty
from recbole_edlae.solvers.shards import gram_of_shards
from recbole_edlae.solvers.stored_gram import StoredGram
from recbole_edlae.solvers.system import inverse_gram

__all__ = [
    "ConvergenceWarning",
    "LowRank",
    "SingularError",
    "StoredGram",
    "full_rank",
    "gram",
    "gram_of_shards",
    "inverse_gram",
    "item_scale",
    "low_rank",
    "neighbors",
    "normalize_items",
    "objective",
    "penalty",
    "stationarity",
    "weights",
]
