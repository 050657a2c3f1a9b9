"""Inverse of a symmetric positive definite matrix, in place, out of matrix products."""

import torch

_LEAF = 512  # below this order LAPACK's Cholesky takes over: measured best from 256 to 1,024


def inverse(M, *, overwrite=False, progress=None):
    """C = M⁻¹ for a symmetric positive definite M.

    Notation: M = [[A, B], [Bᵀ, D]] in halves, W = A⁻¹B, S = D − BᵀW (the Schur complement); then
    C = [[A⁻¹ + W S⁻¹ Wᵀ, −W S⁻¹], [·, S⁻¹]], with A⁻¹ and S⁻¹ found the same way down to small blocks,
    which are factorised by Cholesky. Nearly all of the work is large matrix products, the one thing every
    processor does at full speed; products known to be symmetric are computed on and below the diagonal only.

    Equivalent to: ``torch.cholesky_inverse(torch.linalg.cholesky(M))``, which is what runs on other devices.

    Args:
        M: torch.Tensor, shape (n, n), float32 or float64; symmetric, of which both triangles are read.
        overwrite: the result takes M's place.
        progress: called as ``progress(done, total)`` in units of n³ multiply-adds, about n / 512 times.

    Returns:
        torch.Tensor of shape (n, n); M itself with ``overwrite``.

    Raises:
        ValueError: M is not square.
        torch.linalg.LinAlgError: M is not positive definite to working precision.

    Cost: n³ floating-point multiply-adds or a little more; a workspace of n²/4 beside the result.
    """
    if M.ndim != 2 or M.shape[0] != M.shape[1]:
        raise ValueError(f"M must be a square matrix, got shape {tuple(M.shape)}")
    if M.device.type != "cpu":
        C = _leaf(M)
        return M.copy_(C) if overwrite else C
    C = M if overwrite else M.clone()
    half = C.shape[0] // 2
    workspace = torch.empty(half * (C.shape[0] - half), dtype=C.dtype)
    _invert(C, workspace, _Meter(C.shape[0], progress))
    return C


def _invert(C, workspace, meter):
    n = C.shape[0]
    if n <= _LEAF:
        C.copy_(_leaf(C))
        meter.advance(n**3)
        return
    h = n // 2
    A, B, Bt, D = C[:h, :h], C[:h, h:], C[h:, :h], C[h:, h:]
    _invert(A, workspace, meter)
    W = workspace[: h * (n - h)].view(h, n - h)
    torch.mm(A, B, out=W)
    _subtract_symmetric(D, Bt, W)  # S
    Bt.copy_(W.T)  # W is kept where Bᵀ was: the recursion needs the workspace
    _invert(D, workspace, meter)
    torch.mm(Bt.T, D, out=W)
    B.copy_(W).neg_()  # −W S⁻¹
    _subtract_symmetric(A, B, Bt)  # A⁻¹ + (W S⁻¹) Wᵀ
    Bt.copy_(B.T)
    meter.advance(n**3 - h**3 - (n - h) ** 3)


def _subtract_symmetric(S, L, R):
    """S ← S − L R where the result is symmetric: blocks below the diagonal are computed once and copied above."""
    n = S.shape[0]
    if n <= _LEAF:
        S.addmm_(L, R, alpha=-1)
        return
    h = n // 2
    _subtract_symmetric(S[:h, :h], L[:h], R[:, :h])
    _subtract_symmetric(S[h:, h:], L[h:], R[:, h:])
    S[h:, :h].addmm_(L[h:], R[:, :h], alpha=-1)
    S[:h, h:].copy_(S[h:, :h].T)


def _leaf(M):
    factor, info = torch.linalg.cholesky_ex(M)
    if info.item() != 0:
        raise torch.linalg.LinAlgError("the matrix is not positive definite to working precision")
    return torch.cholesky_inverse(factor)


class _Meter:
    """Adds up the work that is done and passes it on."""

    def __init__(self, n, progress):
        self.total, self.done, self.progress = n**3, 0, progress

    def advance(self, work):
        self.done += work
        if self.progress is not None:
            self.progress(self.done, self.total)
