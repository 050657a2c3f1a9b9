"""The mathematics: from a sparse user × item matrix to the weights of a model. Knows nothing of RecBole."""

from recbole_edlae.solvers._finite import SingularError
from recbole_edlae.solvers._full_rank import full_rank, weights
from recbole_edlae.solvers._gram import gram
from recbole_edlae.solvers._iterations import ConvergenceWarning, LowRank
from recbole_edlae.solvers._low_rank import low_rank
from recbole_edlae.solvers._neighbors import neighbors
from recbole_edlae.solvers._normalization import item_scale, normalize_items
from recbole_edlae.solvers._parameters import penalty
from recbole_edlae.solvers._shards import gram_of_shards
from recbole_edlae.solvers._stationarity import objective, stationarity
from recbole_edlae.solvers._stored_gram import StoredGram
from recbole_edlae.solvers._system import inverse_gram

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
