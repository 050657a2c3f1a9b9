from ._graph_filter import LINEAR_FILTER, filter_of_parts
from ._low_rank import low_rank_settings
from ._matrix import inverse
from .parameters import penalties
from .scale.gram import compile_gram

__all__ = ["LINEAR_FILTER", "compile_gram", "filter_of_parts", "inverse", "low_rank_settings", "penalties"]
