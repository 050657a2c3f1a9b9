"""How alike similar items are in the two factors of a low-rank autoencoder (Steck 2020, Figure 1)."""

import dataclasses

import numpy as np
import torch

from recbole_edlae.solvers._gram import gram


@dataclasses.dataclass(frozen=True)
class ItemSimilarities:
    """One entry per item that has a most similar item; cosines are in [−1, 1]."""

    item: np.ndarray
    neighbour: np.ndarray  # the item most similar to it in the data
    in_data: np.ndarray  # cosine of their columns of X
    in_encoder: np.ndarray  # cosine of their rows of U
    in_decoder: np.ndarray  # cosine of their rows of V
    own: np.ndarray  # cosine of an item's own rows of U and V, which a zero diagonal of UVᵀ holds at 0


def item_similarities(X, U, V):
    """Cosine similarities of every item and its most similar one, in the data, in U and in V.

    A decoder row says who likes the item, an encoder row what liking it says; both are alike for similar items.
    Emphasis on dropped entries moves an item's own rows of U and V apart, towards orthogonality (Steck 2020, §4),
    which does not keep its U from that of its neighbour.

    Args:
        X: SciPy CSR matrix, shape (users, items).
        U: array (items, k), the encoder.
        V: array (items, k), the decoder.

    Returns:
        ItemSimilarities; items that share no user with another are left out.
    """
    if not X.shape[1] == len(U) == len(V):
        raise ValueError(f"X has {X.shape[1]} items, U {len(U)} and V {len(V)}: they must be the same")
    G = gram(X, dtype=torch.float64).numpy()
    norm = np.sqrt(G.diagonal())
    C = np.divide(G, np.outer(norm, norm), out=np.zeros_like(G), where=G > 0)
    np.fill_diagonal(C, 0)
    item = np.flatnonzero(C.any(1))
    neighbour = C[item].argmax(1)
    U, V = _unit_rows(U), _unit_rows(V)
    return ItemSimilarities(
        item=item,
        neighbour=neighbour,
        in_data=C[item, neighbour],
        in_encoder=(U[item] * U[neighbour]).sum(1),
        in_decoder=(V[item] * V[neighbour]).sum(1),
        own=(U[item] * V[item]).sum(1),
    )


def _unit_rows(M):
    M = np.asarray(M, dtype=np.float64)
    return M / np.maximum(np.linalg.norm(M, axis=1, keepdims=True), 1e-300)


def median_cosine(E, groups):
    """Median cosine of all pairs of rows within each group: how alike the embeddings of similar items are.

    Args:
        E: array (items, k).
        groups: array of indices, shape (groups, size).

    Returns:
        array of shape (groups,), in [−1, 1].
    """
    E = _unit_rows(E)
    first, second = np.triu_indices(groups.shape[1], k=1)
    return np.array([np.median((E[group[first]] * E[group[second]]).sum(1)) for group in groups])
