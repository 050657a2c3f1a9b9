"""Full-rank linear denoising autoencoders in closed form: EASE, EDLAE, DLAE and everything between."""

import torch

from recbole_edlae.solvers.inverse import inverse
from recbole_edlae.solvers.objective import check_emphasis, check_gram, penalty


def full_rank(G, *, dropout, l2, emphasis=(1.0, 0.0), overwrite=False, progress=None):
    """Item × item weights B of the linear autoencoder trained with emphasised dropout, in the limit of all masks.

    Notation: p dropout, q = 1 − p; (a, b) emphasis, s = b/(ap + bq), r² = ab/(ap + bq)²; Λ = ``penalty``;
    C = (G + diag Λ)⁻¹, c its diagonal; P(·) sets the diagonal to zero; β the diagonal of B.

    Objective (Steck 2020, theorem with Eq. 6; (a, b) as in Vincent et al. 2010): the expected squared error of
    reconstructing X from X with entries dropped at probability p, an error weighing a where the entry was dropped
    and b where it was kept. Averaged over all masks it is, up to a factor,

        ‖X − X (P(B) + s diag β)‖² + ‖Λ^½ (P(B) + r diag β)‖²,

    whose minimum is, column by column,

        β = s E / (s² E + r² Λ),  E = 1/c − Λ        (b = 0 leaves β open: it is 0)
        B = −C diag(1/c) diag(1 − s β)  off the diagonal, β on it.

    emphasis (1, 0) is EDLAE (Eq. 8) and with p = 0 EASE; (1, 1) is DLAE (Eq. 5). Only the ratio a : b matters.
    The papers print these ends alone; this function is exact for every a ≥ b ≥ 0. The scalar L2 counts on the
    diagonal by the same factor r² as the dropout's part of Λ does, as in the paper's theorem.

    Equivalent to: solving, for every target item, the normal equations averaged over all 2ⁿ dropout masks, times q.

    Args:
        G: torch.Tensor, shape (n, n), the Gram matrix (``gram``), float32 or float64.
        dropout: p in [0, 1).
        l2: λ ≥ 0, in the units of G (interactions).
        emphasis: (a, b), a ≥ b ≥ 0 and a > 0: weight of the error on dropped and on kept entries.
        overwrite: B takes G's place; otherwise G is left as it is.
        progress: called as ``progress(done, total)`` while the matrix is inverted.

    Returns:
        torch.Tensor of shape (n, n), B[input, target]; dtype and device are G's. Items that nobody used (zero rows
        of G) have zero rows and columns.

    Raises:
        ValueError: a parameter is out of range, G is not square or not float, or G + diag Λ is singular.

    Cost: n³ multiply-adds; n²/4 values beside B on the CPU.
    """
    check_gram(G)
    a, b = check_emphasis(emphasis)
    B = G if overwrite else G.clone()
    diagonal = B.diagonal()
    unused = diagonal == 0
    Lambda = penalty(diagonal.clone(), dropout=dropout, l2=l2)
    diagonal += Lambda
    diagonal[unused & (Lambda == 0)] = 1  # decouples them: their row and column of C are those of the identity
    C = _inverse(B, progress)
    c = C.diagonal().clone()
    s_beta, beta = _diagonal_weights(1 / c - Lambda, Lambda, dropout, a, b)
    s_beta[unused], beta[unused] = 0, 0
    B = C.mul_(-(1 - s_beta) / c)
    B.diagonal().copy_(beta)
    return B


def _diagonal_weights(E, Lambda, p, a, b):
    """sβ and β, shape (n,)."""
    if b == 0:
        return torch.zeros_like(E), torch.zeros_like(E)
    s, r2 = b / (a * p + b * (1 - p)), a * b / (a * p + b * (1 - p)) ** 2
    beta = s * E / (s * s * E + r2 * Lambda)
    return s * beta, beta


def _inverse(M, progress):
    try:
        return inverse(M, overwrite=True, progress=progress)
    except torch.linalg.LinAlgError:
        raise ValueError(
            f"G + penalty is not positive definite at {M.dtype}: the users do not determine the weights of "
            f"{len(M)} items. Raise l2 or dropout, or compute in float64"
        ) from None
