r"""
Weights
################################################
What a linear model has learned, in the forms that solvers return. Each is a module of buffers with the same methods, so
that no model asks which it has. Dense weights and factors are here. Packed, sparse, filter and local weights have a
module each, which registers its form.
"""

import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F

from recbole_edlae.solvers import LowRank, normalize_items

if TYPE_CHECKING:
    from recbole_edlae.model.filter_weights import Filter as Filter
    from recbole_edlae.model.local_weights import Local as Local
    from recbole_edlae.model.packed_weights import Packed as Packed
    from recbole_edlae.model.sparse_weights import Sparse as Sparse
    from recbole_edlae.model.weight_forms import of_solution as of_solution
    from recbole_edlae.model.weight_forms import of_tensors as of_tensors

    NAMES: tuple[str, ...]

# Names that are imported from here, and the modules that they are in.
_MODULES = {
    "Packed": "packed_weights",
    "Sparse": "sparse_weights",
    "Filter": "filter_weights",
    "Local": "local_weights",
    "NAMES": "weight_forms",
    "of_solution": "weight_forms",
    "of_tensors": "weight_forms",
}


class Weights(torch.nn.Module):
    r"""Item weights B[input, target], shape: [n_items, n_items], in some form."""

    names: tuple[str, ...] = ()  # of the tensors, as checkpoints and exports have them
    single_precision: tuple[str, ...] = ()  # those that an export in half precision keeps in single
    takes_room = False  # whether ``score`` takes memory for the scores, as Packed does

    def __init__(self, **tensors: torch.Tensor) -> None:
        super().__init__()
        for name in self.names:
            # The model saves and loads them under the names that checkpoints have always had.
            self.register_buffer(name.rpartition(".")[2], tensors[name], persistent=False)

    def tensors(self) -> dict[str, torch.Tensor]:
        r"""Return name → tensor, as a checkpoint has them."""
        return {name: getattr(self, name.rpartition(".")[2]) for name in self.names}

    def score(self, items: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        r"""Score all items for histories given one after the other.

        Args:
            items (torch.LongTensor): Item ids, shape: [total]
            count (torch.LongTensor): How many each history has, shape: [batch_size]

        Returns:
            torch.FloatTensor: shape: [batch_size, n_items]
        """
        raise NotImplementedError

    def score_pairs(self, items: torch.Tensor, count: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        r"""Score one item for each history.

        Args:
            items (torch.LongTensor): Item ids of the histories, shape: [total]
            count (torch.LongTensor): How many each history has, shape: [batch_size]
            target (torch.LongTensor): The item to score for each history, shape: [batch_size]

        Returns:
            torch.FloatTensor: shape: [batch_size]
        """
        raise NotImplementedError

    def on(self, device: torch.device) -> "Weights":
        r"""Return these weights, in a form that the device can multiply with, on that device."""
        return self.to(device)

    def scale_items(self, popularity: np.ndarray, power: float) -> None:
        r"""Normalize the items by a power of their popularity, in place (``solvers.normalize_items``)."""
        raise NotImplementedError

    def transposed(self) -> "Weights":
        r"""Return the same weights, target x input.

        Raises:
            ValueError: These weights are not those of a full-rank model.
        """
        raise ValueError("these weights are not those of a full-rank model")

    def set_diagonal(self, values: torch.Tensor) -> None:
        r"""Replace the weights of items for themselves, in place.

        Args:
            values (torch.FloatTensor): shape: [n_items]

        Raises:
            ValueError: These weights are a product of factors, which has no diagonal of its own.
        """
        raise ValueError("the diagonal of a low-rank model follows from its factors and cannot be set")

    def item_embedding(self, side: str) -> torch.Tensor:
        r"""Return the item embeddings of one side, shape: [n_items, rank].

        Raises:
            ValueError: These weights have no factors.
        """
        raise ValueError("a full-rank model has item x item weights (encoder) and no embeddings; give it a rank")

    def similarity(self, item: int) -> torch.Tensor:
        r"""Return how similar all items are to one: its weights for them, shape: [n_items]"""
        return self.score(torch.tensor([item]), torch.tensor([1]))[0]

    def thinned(self, top: int) -> "Sparse":
        r"""Return the weights of largest magnitude of each target only.

        Args:
            top (int): How many of them to keep for a target.

        Raises:
            ValueError: These weights are not those of a full-rank model.
        """
        # The module of sparse weights imports this one.
        from recbole_edlae.model.sparse_weights import thinned

        return thinned(self.blocks(), top)

    def blocks(self) -> Iterator[torch.Tensor]:
        r"""Yield the weights of all items for some targets after others, shape: [n_items, targets]

        Raises:
            ValueError: These weights are not those of a full-rank model.
        """
        raise ValueError("these weights are not those of a full-rank model")

    def portable(self) -> dict[str, torch.Tensor]:
        r"""Return name → tensor for a file in which half precision has to do."""
        return self.tensors()

    def users(self) -> int:
        r"""Return how many users' histories of training can be read from these weights."""
        return 0


class Dense(Weights):
    r"""A matrix, ``encoder``."""

    names = ("encoder",)
    encoder: torch.Tensor

    def score(self, items: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        return F.embedding_bag(items, self.encoder, count.cumsum(0) - count, mode="sum")

    def score_pairs(self, items: torch.Tensor, count: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return history_sums(self.encoder[items, target.repeat_interleave(count)], count)

    def scale_items(self, popularity: np.ndarray, power: float) -> None:
        users = torch.from_numpy(popularity).to(self.encoder.device)
        self.encoder = normalize_items(self.encoder, users, power=power, overwrite=True)

    def transposed(self) -> "Dense":
        return Dense(encoder=self.encoder.T.contiguous())

    def set_diagonal(self, values: torch.Tensor) -> None:
        self.encoder.diagonal().copy_(values)

    def blocks(self) -> Iterator[torch.Tensor]:
        yield self.encoder


class Factors(Weights):
    r"""B = ``encoder`` @ ``decoder``.T, each of shape: [n_items, rank]"""

    names = ("encoder", "decoder")
    encoder: torch.Tensor
    decoder: torch.Tensor

    def score(self, items: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        return self._code(items, count) @ self.decoder.T

    def score_pairs(self, items: torch.Tensor, count: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return (self._code(items, count) * self.decoder[target]).sum(-1)

    def scale_items(self, popularity: np.ndarray, power: float) -> None:
        users = torch.from_numpy(popularity).to(self.encoder.device)
        scaled = normalize_items(LowRank(self.encoder, self.decoder, True, ()), users, power=power)
        self.encoder, self.decoder = scaled.u, scaled.v

    def item_embedding(self, side: str) -> torch.Tensor:
        return getattr(self, side)

    def similarity(self, item: int) -> torch.Tensor:
        r"""Return the cosines of all items' decoder embeddings with one item's, shape: [n_items]"""
        return F.cosine_similarity(self.decoder, self.decoder[item], dim=1)

    def _code(self, items: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        """Return the sum of the input embeddings of each history."""
        return F.embedding_bag(items, self.encoder, count.cumsum(0) - count, mode="sum")


class Unfitted(Weights):
    r"""No weights yet: every score is 0."""

    names = ("encoder",)
    encoder: torch.Tensor  # shape: [n_items, 0]

    def score(self, items: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        return self.encoder.new_zeros(len(count), len(self.encoder))

    def score_pairs(self, items: torch.Tensor, count: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return self.encoder.new_zeros(len(count))


def history_sums(entries: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
    r"""Sum the entries of each history, given one history after the other."""
    row = torch.arange(len(count), device=count.device).repeat_interleave(count)
    return entries.new_zeros(len(count)).index_add_(0, row, entries)


def __getattr__(name: str) -> Any:
    """Return a name of a module that imports this one."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"recbole_edlae.model.{_MODULES[name]}")
    return getattr(module, name)
