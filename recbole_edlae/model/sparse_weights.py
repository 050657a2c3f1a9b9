r"""
Sparse weights
################################################
Weights of a few inputs for every target.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch

from recbole_edlae.model.history import positions
from recbole_edlae.model.weights import Weights


class Sparse(Weights):
    r"""A matrix in CSR, input x target, of which few entries are not zero."""

    names = ("sparse.indptr", "sparse.target", "sparse.weight")
    solution = (sp.spmatrix, sp.sparray)
    indptr: torch.Tensor
    target: torch.Tensor
    weight: torch.Tensor

    @classmethod
    def of(cls, matrix: Any) -> "Sparse":
        r"""Keep a SciPy sparse matrix, shape: [n_items, n_items]"""
        matrix = matrix.tocsr()

        # torch's products take indices of 64 bits, but 32 are enough to keep them.
        arrays = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data
        tensors = map(torch.from_numpy, arrays)
        return cls(**dict(zip(cls.names, tensors)))

    def tensors(self) -> dict[str, torch.Tensor]:
        r"""Return name → tensor, with an ``encoder`` of no columns, which checkpoints of sparse weights have too."""
        return {"encoder": self.weight.new_zeros(len(self.indptr) - 1, 0)} | super().tensors()

    def score(self, items: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        if self.weight.device.type == "cpu":
            return self._score_on_cpu(items.numpy(), count.numpy())

        # On a GPU, the rows of each history are added one history at a time.
        scores = self.weight.new_zeros(len(count), len(self.indptr) - 1)
        for row, history in zip(scores, items.split(count.tolist())):
            position, _ = positions(self.indptr, history)
            row.index_add_(0, self.target[position], self.weight[position])
        return scores

    def set_diagonal(self, values: torch.Tensor) -> None:
        matrix = self._matrix()

        # Zeros on the diagonal are not stored.
        replaced = matrix + sp.diags(values.cpu().numpy() - matrix.diagonal(), dtype=matrix.dtype)
        replaced.eliminate_zeros()

        # Entries may have appeared or gone, so that all three tensors are new.
        for name, tensor in Sparse.of(replaced).named_buffers():
            setattr(self, name, tensor.to(self.weight.device))

    def _matrix(self) -> sp.csr_matrix:
        items = len(self.indptr) - 1
        weight = self.weight.cpu().numpy()
        target = self.target.cpu().numpy()
        indptr = self.indptr.cpu().numpy()
        return sp.csr_matrix((weight, target, indptr), shape=(items, items))

    def _score_on_cpu(self, items: np.ndarray, count: np.ndarray) -> torch.Tensor:
        """Multiply by SciPy's product of sparse matrices, which has no threads to wait for."""
        weights = self._matrix()

        # Histories as a matrix of ones, users x items.
        ones = np.ones(len(items), dtype=weights.dtype)
        shape = len(count), weights.shape[0]
        histories = sp.csr_matrix((ones, items, np.append(0, count.cumsum())), shape=shape)
        return torch.from_numpy((histories @ weights).toarray())


def thinned(blocks: Iterable[torch.Tensor], top: int) -> Sparse:
    r"""Return the ``top`` weights of largest magnitude of each target, of blocks of all weights of some targets."""
    return Sparse.of(sp.hstack([_thinned(block, top) for block in blocks], format="csr"))


def _thinned(B: torch.Tensor, top: int) -> sp.csr_matrix:
    """Return the entries of largest magnitude of each column."""
    rows = B.abs().topk(min(top, len(B)), dim=0).indices
    columns = torch.arange(B.shape[1]).expand_as(rows)
    entries = B[rows, columns].flatten().numpy()
    thin = sp.csr_matrix((entries, (rows.flatten().numpy(), columns.flatten().numpy())), shape=B.shape)

    # A column may have fewer entries that are not zero.
    thin.eliminate_zeros()
    return thin
