"""The mathematics: from a sparse user × item matrix to the weights of a model. Knows nothing of RecBole.

Gram matrices: ``gram``, ``activity_weight``, ``gram_of_shards``, ``PartialGram``, ``StoredGram``.
Packed, in half the memory: ``SymmetricTiles`` with its result ``PackedWeights``; with few users, ``SparseGram``.
Full rank: ``full_rank``; in two steps ``inverse_gram`` and ``weights``; with few inputs ``neighbors``; ``penalty``.
Low-pass: ``low_pass``, and the full-rank model of what it leaves: ``local_regression``; in two steps ``local_weights``.
Graph filters: ``graph_filter`` with its result ``GraphFilter``; ``plateau``; beside them, ``ideal_filter``.
Low rank: ``low_rank`` with its result ``LowRank``; ``objective`` and ``stationarity`` of two factors.
Item normalization: ``normalize_items``, ``item_scale``.

Every name is loaded when it is first asked for, so that a model meets the solver that it takes and no other one. Which
module has which name is in ``__init__.pyi``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
