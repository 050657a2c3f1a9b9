"""The mathematics: from a sparse user × item matrix to the weights of a model. Knows nothing of RecBole.

Gram matrices: ``gram``, ``activity_weight``, ``gram_of_shards``, ``PartialGram``, ``StoredGram``.
Packed, in half the memory: ``SymmetricTiles`` with its result ``PackedWeights``; with few users, ``SparseGram``.
Full rank: ``full_rank``; in two steps ``inverse_gram`` and ``weights``; with few inputs ``neighbors``; ``penalty``.
Low-pass: ``low_pass``, and the full-rank model of what it leaves: ``local_regression``; in two steps ``local_weights``.
Graph filters: ``graph_filter`` with its result ``GraphFilter``; ``plateau``; beside them, ``ideal_filter``.
Low rank: ``low_rank`` with its result ``LowRank``; ``objective`` and ``stationarity`` of two factors.
Item normalization: ``normalize_items``, ``item_scale``.
"""

from recbole_edlae.solvers._factors import LowRank
from recbole_edlae.solvers._finite import SingularError
from recbole_edlae.solvers._full_rank import full_rank, weights
from recbole_edlae.solvers._graph_filter import GraphFilter, graph_filter, ideal_filter
from recbole_edlae.solvers._iterations import ConvergenceWarning
from recbole_edlae.solvers._local import LocalWeights, local_regression, local_weights
from recbole_edlae.solvers._low_pass import LowPass, low_pass
from recbole_edlae.solvers._low_rank import low_rank
from recbole_edlae.solvers._normalization import item_scale, normalize_items
from recbole_edlae.solvers._objective import objective
from recbole_edlae.solvers._parameters import penalty
from recbole_edlae.solvers._plateau import plateau
from recbole_edlae.solvers._stationarity import stationarity
from recbole_edlae.solvers._system import inverse_gram
from recbole_edlae.solvers._user_weight import activity_weight
from recbole_edlae.solvers.scale.by_users import SparseGram
from recbole_edlae.solvers.scale.gram import gram
from recbole_edlae.solvers.scale.neighbors import neighbors
from recbole_edlae.solvers.scale.packed import PackedWeights
from recbole_edlae.solvers.scale.shards import PartialGram, gram_of_shards
from recbole_edlae.solvers.scale.stored_gram import StoredGram
from recbole_edlae.solvers.scale.tiles import SymmetricTiles

__all__ = [
    "ConvergenceWarning",
    "GraphFilter",
    "LocalWeights",
    "LowPass",
    "LowRank",
    "PackedWeights",
    "PartialGram",
    "SingularError",
    "SparseGram",
    "StoredGram",
    "SymmetricTiles",
    "activity_weight",
    "full_rank",
    "gram",
    "gram_of_shards",
    "graph_filter",
    "ideal_filter",
    "inverse_gram",
    "item_scale",
    "local_regression",
    "local_weights",
    "low_pass",
    "low_rank",
    "neighbors",
    "normalize_items",
    "objective",
    "penalty",
    "plateau",
    "stationarity",
    "weights",
]
