r"""
Sparse weights
################################################
Item x item weights of which few are not zero, kept in buffers.
"""

import numpy as np
import scipy.sparse as sp
import torch

from recbole_edlae.model.history import positions


class SparseWeights(torch.nn.Module):
    r"""A square matrix in CSR, input x target, as dense buffers: none before :meth:`keep` or a checkpoint fills it."""

    names = ("indptr", "target", "weight")

    def __init__(self):
        super().__init__()
        for name in self.names:
            self.register_buffer(name, None)
        self.register_buffer("place", torch.zeros(0), persistent=False)  # follows the model to its device

    @property
    def filled(self):
        return self.indptr is not None

    def keep(self, matrix):
        r"""Keep a matrix.

        Args:
            matrix (scipy.sparse.csr_matrix): weights, shape: [n_items, n_items]
        """
        arrays = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data
        for name, array in zip(self.names, arrays):
            setattr(self, name, torch.from_numpy(array).to(self.place.device))

    def forward(self, items, count):
        r"""Sums of the rows of histories given one after the other.

        Args:
            items (torch.LongTensor): item ids, shape: [total]
            count (torch.LongTensor): how many each history has, shape: [batch_size]

        Returns:
            torch.FloatTensor: shape: [batch_size, n_items]
        """
        if self.weight.device.type == "cpu":
            return self._on_cpu(items.numpy(), count.numpy())
        scores = self.weight.new_zeros(len(count), len(self.indptr) - 1)
        for row, history in zip(scores, items.split(count.tolist())):
            position, _ = positions(self.indptr, history)
            row.index_add_(0, self.target[position], self.weight[position])
        return scores

    def _on_cpu(self, items, count):
        """SciPy's product of sparse matrices, which has no threads to wait for."""
        square = (len(self.indptr) - 1,) * 2
        weights = sp.csr_matrix((self.weight.numpy(), self.target.numpy(), self.indptr.numpy()), shape=square)
        ones = np.ones(len(items), dtype=weights.dtype)
        histories = sp.csr_matrix(
            (ones, items, np.append(0, count.cumsum())), shape=(len(count), len(weights.indptr) - 1)
        )
        return torch.from_numpy((histories @ weights).toarray())

    def _load_from_state_dict(self, state_dict, prefix, *args):
        """Takes the checkpoint's tensors as they are, however many weights there are."""
        for name in self.names:
            value = state_dict.get(prefix + name)
            setattr(self, name, None if value is None else value.to(self.place.device))
        super()._load_from_state_dict(state_dict, prefix, *args)
