"""Define an estimator for each linear model, with the names, defaults and ranges of the RecBole model's settings."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from recbole_edlae.estimators.stored import StoredEstimator
from recbole_edlae.model.dlae_form import DLAEForm
from recbole_edlae.model.edlae_form import EDLAEForm
from recbole_edlae.model.lowrankedlae_form import LowRankEDLAEForm


@dataclasses.dataclass(eq=False, repr=False)
class EDLAE(StoredEstimator):
    """EDLAE: reconstruct dropped interactions from kept ones, in closed form. Without dropout it is EASE.

    Args:
        reg_weight: L2 penalty of the weights, in interactions, at least 0.
        dropout_prob: probability that training drops an interaction of the input, in [0, 1).
        emphasis: weights (a, b) of the error on dropped and on kept interactions.
        diagonal_bound: largest weight of an item for itself, where ``emphasis`` gives it one; None for no bound.
        user_weight_power: a user with n interactions weighs (n / mean n)^-power in training.
        item_weight_power: the weight of item i for item j is multiplied by (users of i / users of j)^power.
        dropout_penalty: how the dropout's penalty counts users, ``weighted`` as in training or ``unweighted``.
        zero_diagonal: whether an item's weight for itself is set to zero after training.
        low_pass_weight: weight of a low-pass filter beside the weights; 0 is off.
        low_pass_rank: singular vectors of that filter.
        neighbors: weights of an item for that many others only, for large catalogs; None is exact.
        user: column of the users in a DataFrame.
        item: column of the items in a DataFrame.

    Examples:
        >>> import pandas as pd
        >>> from recbole_edlae.estimators import EDLAE
        >>> log = pd.DataFrame({"user_id": list("aabbcc"), "item_id": ["tea", "milk", "tea", "milk", "tea", "rum"]})
        >>> edlae = EDLAE(reg_weight=1).fit(log)
        >>> edlae.recommend(["c"], k=1)[["user_id", "item_id", "rank"]].values.tolist()
        [['c', 'milk', 1]]
        >>> edlae.recommend([["rum"]], k=1)["item_id"].tolist()
        ['tea']
    """

    model = "EDLAE"
    form = EDLAEForm

    reg_weight: float = 500.0
    dropout_prob: float = 0.33
    _: dataclasses.KW_ONLY
    emphasis: Sequence[float] = (1.0, 0.0)
    diagonal_bound: float | None = None
    user_weight_power: float = 0.0
    item_weight_power: float = 0.0
    dropout_penalty: str = "weighted"
    zero_diagonal: bool = False
    low_pass_weight: float = 0.0
    low_pass_rank: int = 64
    neighbors: int | None = None
    user: Any = "user_id"
    item: Any = "item_id"


@dataclasses.dataclass(eq=False, repr=False)
class DLAE(StoredEstimator):
    """DLAE: reconstruct dropped and kept interactions alike, in closed form.

    Args:
        reg_weight: L2 penalty of the weights, in interactions, at least 0.
        dropout_prob: probability that training drops an interaction of the input, in [0, 1).
        diagonal_bound: largest weight of an item for itself, at full rank; None for no bound.
        rank: rank of the weights; None is full rank.
        solver: what a low rank penalizes, ``free_diagonal`` for the product of the factors or ``weight_decay``.
        user_weight_power: a user with n interactions weighs (n / mean n)^-power in training.
        item_weight_power: the weight of item i for item j is multiplied by (users of i / users of j)^power.
        dropout_penalty: how the dropout's penalty counts users, ``weighted`` as in training or ``unweighted``.
        zero_diagonal: whether an item's weight for itself is set to zero after training.
        user: column of the users in a DataFrame.
        item: column of the items in a DataFrame.

    Examples:
        >>> import scipy.sparse as sp
        >>> from recbole_edlae.estimators import DLAE
        >>> X = sp.csr_matrix([[1, 1, 0], [1, 1, 0], [1, 0, 1]])
        >>> DLAE(reg_weight=1).fit(X).recommend([2], k=1).items
        [[1]]
    """

    model = "DLAE"
    form = DLAEForm

    reg_weight: float = 500.0
    dropout_prob: float = 0.33
    _: dataclasses.KW_ONLY
    diagonal_bound: float | None = None
    rank: int | None = None
    solver: str = "free_diagonal"
    user_weight_power: float = 0.0
    item_weight_power: float = 0.0
    dropout_penalty: str = "weighted"
    zero_diagonal: bool = False
    user: Any = "user_id"
    item: Any = "item_id"


@dataclasses.dataclass(eq=False, repr=False)
class LowRankEDLAE(StoredEstimator):
    """EDLAE with weights that are a product of two factors; their rows are embeddings of the items.

    Args:
        reg_weight: L2 penalty of the weights, in interactions, at least 0.
        dropout_prob: probability that training drops an interaction of the input, in [0, 1).
        rank: rank of the weights; the number of items where it is more, with a warning.
        solver: ``admm``, ``als``, ``eigen`` or ``zero_diagonal``.
        tol: relative stationarity at which an iterative solver stops.
        max_iter: iterations at most.
        user_weight_power: a user with n interactions weighs (n / mean n)^-power in training.
        item_weight_power: the weight of item i for item j is multiplied by (users of i / users of j)^power.
        user: column of the users in a DataFrame.
        item: column of the items in a DataFrame.

    Examples:
        >>> import scipy.sparse as sp
        >>> from recbole_edlae.estimators import LowRankEDLAE
        >>> X = sp.csr_matrix([[1, 1, 0], [1, 1, 0], [1, 0, 1]])
        >>> LowRankEDLAE(rank=2, solver="eigen", reg_weight=1).fit(X).similar(0, k=1)[0]
        [1]
    """

    model = "LowRankEDLAE"
    form = LowRankEDLAEForm

    reg_weight: float = 500.0
    dropout_prob: float = 0.33
    _: dataclasses.KW_ONLY
    rank: int = 200
    solver: str = "admm"
    tol: float = 0.001
    max_iter: int = 100
    user_weight_power: float = 0.0
    item_weight_power: float = 0.0
    user: Any = "user_id"
    item: Any = "item_id"
