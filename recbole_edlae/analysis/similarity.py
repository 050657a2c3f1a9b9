"""Measure how alike similar items are in the two factors of a low-rank autoencoder (Steck 2020, Figure 1)."""

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
        encoder_to_decoder: cosine of an item's own rows of U and V; it is 0 where the diagonal of UVᵀ is.
    """

    item: np.ndarray
    neighbor: np.ndarray
    in_data: np.ndarray
    in_encoder: np.ndarray
    in_decoder: np.ndarray
    encoder_to_decoder: np.ndarray


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
        A row of the decoder describes the users who like the item, a row of the encoder what else these users like.
        Similar items have similar rows in both. Emphasis on dropped entries moves an item's own rows of U and V apart,
        towards orthogonality (Steck 2020, §4), but does not move its row of U away from that of its neighbor.

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

    # C_ij = G_ij / √(G_ii G_jj), the cosines of the columns of X. An item is not its own neighbor.
    G = gram(X, dtype=torch.float64).numpy()
    norm = np.sqrt(G.diagonal())
    C = np.divide(G, np.outer(norm, norm), out=np.zeros_like(G), where=G > 0)
    np.fill_diagonal(C, 0)

    # An item whose cosines are all 0 has no most similar one.
    item = np.flatnonzero(C.any(1))
    neighbor = C[item].argmax(1)

    # The dot products of rows of length 1 are their cosines.
    U = _unit_rows(U)
    V = _unit_rows(V)
    return ItemSimilarities(
        item=item,
        neighbor=neighbor,
        in_data=C[item, neighbor],
        in_encoder=(U[item] * U[neighbor]).sum(1),
        in_decoder=(V[item] * V[neighbor]).sum(1),
        encoder_to_decoder=(U[item] * V[item]).sum(1),
    )


def median_cosine(E: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return the median cosine of all pairs of rows within each group.

    Args:
        E: array (items, k).
        groups: array of indices, shape (groups, size).

    Returns:
        Array of shape (groups,), in [−1, 1]. Where a group holds similar items, it says how alike their embeddings
        are.

    Examples:
        >>> import numpy as np
        >>> from recbole_edlae.analysis import median_cosine
        >>> E = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]])
        >>> median_cosine(E, np.array([[0, 1], [0, 2]])).tolist()
        [1.0, 0.0]
    """
    E = _unit_rows(E)
    first, second = np.triu_indices(groups.shape[1], k=1)

    # One group at a time: all pairs of all groups would not fit into memory.
    medians = np.empty(len(groups))
    for row, group in enumerate(groups):
        cosines = (E[group[first]] * E[group[second]]).sum(1)
        medians[row] = np.median(cosines)
    return medians


def _unit_rows(M: np.ndarray) -> np.ndarray:
    """Return the rows of a matrix divided by their norms; rows of zeros stay zero."""
    # The least divisor is far below the norm of any other row, and makes 0 / 0 a 0.
    M = np.asarray(M, dtype=np.float64)
    norms = np.linalg.norm(M, axis=1, keepdims=True)
    return M / np.maximum(norms, 1e-300)
