from ._factors import LowRank
from ._finite import SingularError
from ._full_rank import full_rank, inverse_gram, weights
from ._graph_filter import GraphFilter, graph_filter, ideal_filter
from ._iterations import ConvergenceWarning
from ._local import LocalWeights, local_regression, local_weights
from ._low_pass import LowPass, low_pass
from ._low_rank import low_rank
from ._normalization import item_scale, normalize_items
from ._objective import objective
from ._plateau import plateau
from ._stationarity import stationarity
from .parameters import activity_weight, penalty
from .scale.by_users import SparseGram
from .scale.gram import gram
from .scale.neighbors import neighbors
from .scale.operations import PackedWeights, SymmetricTiles
from .scale.shards import PartialGram, gram_of_shards
from .scale.stored_gram import StoredGram

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
