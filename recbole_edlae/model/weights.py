r"""
Weights
################################################
What a linear model has learned, in the forms that solvers return: modules of buffers with the same methods, so that no
model asks which it has. Packed, sparse, filter and local weights lie beside these (``weight_forms``).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
import torch.nn.functional as F


class Weights(torch.nn.Module):
    r"""Item weights B[input, target], shape: [n_items, n_items], in some form."""

    names: tuple[str, ...] = ()  # of the tensors, as checkpoints and exports have them
    single_precision: tuple[str, ...] = ()  # those that an export in half precision keeps in single
    takes_room = False  # whether `score` has an argument `room`: memory for the scores

    # What solvers return in this form, for `of`; `weight_forms` itself makes the two small ones.
    solution: type | tuple[type, ...] = ()

    def __init__(self, **tensors: torch.Tensor) -> None:
        super().__init__()
        for name, tensor in tensors.items():
            # Not persistent: the model itself saves and loads them, under the names that checkpoints have always had.
            # torch would put "weights." before these.
            self.register_buffer(name.rpartition(".")[2], tensor, persistent=False)

    @classmethod
    def of(cls, solution: Any) -> "Weights":
        r"""Keep what a solver returned, one of ``solution``."""
        raise NotImplementedError

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, torch.Tensor]) -> "Weights | None":
        r"""Return the weights of a checkpoint that has all tensors of this form."""
        return cls(**{name: tensors[name] for name in cls.names})

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
        r"""Score one item for each history, shape: [batch_size]

        Args:
            items (torch.LongTensor): Item ids of the histories, shape: [total]
            count (torch.LongTensor): How many each history has, shape: [batch_size]
            target (torch.LongTensor): The item to score for each history, shape: [batch_size]
        """
        return self.score(items, count).gather(1, target[:, None])[:, 0]

    def on(self, device: torch.device) -> "Weights":
        r"""Return these weights, in a form that the device can multiply with, on that device."""
        return self.to(device)

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
        raise ValueError(
            "a full-rank model has item x item weights (encoder); LowRankEDLAE, and DLAE with a rank, have embeddings"
        )

    def similarity(self, item: int) -> torch.Tensor:
        r"""Return how similar all items are to one: its weights for them, shape: [n_items]"""
        device = next(self.buffers()).device
        items = torch.tensor([item], device=device)
        return self.score(items, torch.ones_like(items))[0]

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
        code = F.embedding_bag(items, self.encoder, count.cumsum(0) - count, mode="sum")
        return code @ self.decoder.T

    def item_embedding(self, side: str) -> torch.Tensor:
        return getattr(self, side)

    def similarity(self, item: int) -> torch.Tensor:
        r"""Return the cosines of all items' decoder embeddings with one item's, shape: [n_items]"""
        return F.cosine_similarity(self.decoder, self.decoder[item], dim=1)


class Unfitted(Weights):
    r"""No weights yet: every score is 0."""

    names = ("encoder",)
    encoder: torch.Tensor  # shape: [n_items, 0]

    def score(self, items: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        return self.encoder.new_zeros(len(count), len(self.encoder))
