"""How alike similar items are in the two factors of a low-rank autoencoder (Steck 2020, Figure 1)."""

import dataclasses

import numpy as np
import scipy.sparse as sp
import torch

from recbole_edlae.solvers import gram


@dataclasses.dataclass(frozen=True)
class ItemSimilarities:
    """Cosines in [−1, 1], one entry per item that has a most similar item.

    Attributes:
        item: the items.
        neighbor: the item most similar to each in the data.
        in_data: cosine of their columns of X.
        in_encoder: cosine of their rows of U.
        in_decoder: cosine of their rows of V.
        own: cosine of an item's own rows of U and V; a zero diagonal of UVᵀ holds it at 0.
    """

    item: np.ndarray
    neighbor: np.ndarray
    in_data: np.ndarray
    in_encoder: np.ndarray
    in_decoder: np.ndarray
    own: np.ndarray


def item_similarities(X: sp.csr_matrix, U: np.ndarray, V: np.ndarray) -> ItemSimilarities:
    """Return cosine similarities of every item and its most similar one, in the data, in U and in V.

    Args:
        X: SciPy CSR matrix, shape (users, items).
        U: array (items, k), the encoder.
        V: array (items, k), the decoder.

    Returns:
        ItemSimilarities; items that share no user with another are left out.

    Raises:
        ValueError: X, U and V have different numbers of items.

    Notes:
        A decoder row says who likes the item, an encoder row what liking it says; both are alike for similar items.
        Emphasis on dropped entries moves an item's own rows of U and V apart, towards orthogonality (Steck 2020, §4),
        but does not move its U away from that of its neighbor.

    Examples:
        >>> import numpy as np
        >>> import scipy.sparse as sp
        >>> from recbole_edlae.analysis import item_similarities
        >>> X = sp.csr_matrix([[1, 1, 0], [1, 1, 0], [0, 0, 1]])
        >>> similarities = item_similarities(X, np.eye(3), np.ones((3, 3)))
        >>> similarities.item.tolist(), similarities.neighbor.tolist()  # nobody combined item 2 with another
        ([0, 1], [1, 0])
        >>> similarities.in_encoder.tolist(), similarities.in_decoder.round(6).tolist()
        ([0.0, 0.0], [1.0, 1.0])
    """
    if not X.shape[1] == len(U) == len(V):
        raise ValueError(f"X has {X.shape[1]} items, U {len(U)} and V {len(V)}: they must be the same")
    G = gram(X, dtype=torch.float64).numpy()
    norm = np.sqrt(G.diagonal())
    C = np.divide(G, np.outer(norm, norm), out=np.zeros_like(G), where=G > 0)
    np.fill_diagonal(C, 0)
    item = np.flatnonzero(C.any(1))
    neighbor = C[item].argmax(1)
    U, V = _unit_rows(U), _unit_rows(V)
    return ItemSimilarities(
        item=item,
        neighbor=neighbor,
        in_data=C[item, neighbor],
        in_encoder=(U[item] * U[neighbor]).sum(1),
        in_decoder=(V[item] * V[neighbor]).sum(1),
        own=(U[item] * V[item]).sum(1),
    )


def median_cosine(E: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return the median cosine of all pairs of rows within each group: how alike the embeddings of similar items are.

    Args:
        E: array (items, k).
        groups: array of indices, shape (groups, size).

    Returns:
        Array of shape (groups,), in [−1, 1].

    Examples:
        >>> import numpy as np
        >>> from recbole_edlae.analysis import median_cosine
        >>> E = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]])
        >>> median_cosine(E, np.array([[0, 1], [0, 2]])).tolist()
        [1.0, 0.0]
    """
    E = _unit_rows(E)
    first, second = np.triu_indices(groups.shape[1], k=1)
    return np.array([np.median((E[group[first]] * E[group[second]]).sum(1)) for group in groups])


def _unit_rows(M: np.ndarray) -> np.ndarray:
    """Return the rows of a matrix divided by their norms; rows of zeros stay zero."""
    M = np.asarray(M, dtype=np.float64)
    return M / np.maximum(np.linalg.norm(M, axis=1, keepdims=True), 1e-300)
