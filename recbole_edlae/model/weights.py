r"""
Weights
################################################
What a linear model has learned, in the forms that solvers return: dense, packed, two factors, sparse, a filter of the
item graph, and a matrix with two factors beside it. Each is a module of buffers with the same methods, so that no model
asks which it has.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F

from recbole_edlae.nn.rows import positions
from recbole_edlae.solvers import GraphFilter, LocalWeights, LowRank, PackedWeights, SymmetricTiles, normalize_items
from recbole_edlae.solvers.steps import filter_of_parts


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
        return Sparse.of(sp.hstack([_thinned(block, top) for block in self.blocks()], format="csr"))

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
        return _sums(self.encoder[items, target.repeat_interleave(count)], count)

    def scale_items(self, popularity: np.ndarray, power: float) -> None:
        users = torch.from_numpy(popularity).to(self.encoder.device)
        self.encoder = normalize_items(self.encoder, users, power=power, overwrite=True)

    def transposed(self) -> "Dense":
        return Dense(encoder=self.encoder.T.contiguous())

    def set_diagonal(self, values: torch.Tensor) -> None:
        self.encoder.diagonal().copy_(values)

    def blocks(self) -> Iterator[torch.Tensor]:
        yield self.encoder


class Packed(Weights):
    r"""``solvers.PackedWeights``: a scaled symmetric matrix in tiles, and a diagonal; on the CPU only."""

    names = ("packed.values", "packed.bounds", "packed.left", "packed.right", "packed.diagonal")
    single_precision = names[2:]
    takes_room = True
    values: torch.Tensor
    bounds: torch.Tensor
    left: torch.Tensor  # shape: [n_items], or [0] where it is 1
    right: torch.Tensor
    diagonal: torch.Tensor

    @classmethod
    def of(cls, weights: PackedWeights) -> "Packed":
        r"""Keep what a solver returned."""
        left = weights.right.new_zeros(0) if weights.left is None else weights.left
        parts = weights.C.values, weights.C.bounds, left, weights.right, weights.diagonal
        return cls(**dict(zip(cls.names, parts)))

    @property
    def matrix(self) -> PackedWeights:
        r"""The weights as the solver returned them; it shares memory with this."""
        left = self.left if len(self.left) else None
        return PackedWeights(SymmetricTiles(self.values, self.bounds), left, self.right, self.diagonal)

    def tensors(self) -> dict[str, torch.Tensor]:
        r"""Return name → tensor, with an ``encoder`` of no columns, which every checkpoint has."""
        return {"encoder": self.right.new_zeros(len(self.right), 0)} | super().tensors()

    def portable(self) -> dict[str, torch.Tensor]:
        r"""Return name → tensor with a matrix of unit scale: C is as small as a user is one of many."""
        return Packed.of(self.matrix.balanced()).tensors()

    def on(self, device: torch.device) -> Weights:
        r"""Return these weights, or dense ones on a GPU, which has no compiled sums of rows."""
        return self if device.type == "cpu" else Dense(encoder=self.cpu().matrix.dense().to(device))

    def score(self, items: torch.Tensor, count: torch.Tensor, room: torch.Tensor | None = None) -> torch.Tensor:
        r"""Score all items as all weights do; the scores take the first rows of ``room``, if there is one."""
        return self.matrix.scores(items, count, room)

    def score_pairs(self, items: torch.Tensor, count: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return _sums(self.matrix.entries(items, target.repeat_interleave(count)), count)

    def scale_items(self, popularity: np.ndarray, power: float) -> None:
        scaled = normalize_items(self.matrix, torch.from_numpy(popularity), power=power)
        self.left, self.right = scaled.left, scaled.right

    def transposed(self) -> "Packed":
        weights = self.matrix
        left = torch.ones_like(weights.right) if weights.left is None else weights.left
        return Packed.of(weights._replace(left=weights.right, right=left))

    def set_diagonal(self, values: torch.Tensor) -> None:
        self.diagonal.copy_(values)

    def blocks(self) -> Iterator[torch.Tensor]:
        for part in range(len(self.bounds) - 1):
            yield self.matrix.columns(part)


class Factors(Weights):
    r"""B = ``encoder`` @ ``decoder``.T, each of shape: [n_items, rank]"""

    names = ("encoder", "decoder")
    encoder: torch.Tensor
    decoder: torch.Tensor

    def score(self, items: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        return F.embedding_bag(items, self.encoder, count.cumsum(0) - count, mode="sum") @ self.decoder.T

    def score_pairs(self, items: torch.Tensor, count: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        code = F.embedding_bag(items, self.encoder, count.cumsum(0) - count, mode="sum")
        return (code * self.decoder[target]).sum(-1)

    def scale_items(self, popularity: np.ndarray, power: float) -> None:
        users = torch.from_numpy(popularity).to(self.encoder.device)
        scaled = normalize_items(LowRank(self.encoder, self.decoder, True, ()), users, power=power)
        self.encoder, self.decoder = scaled.u, scaled.v

    def item_embedding(self, side: str) -> torch.Tensor:
        return getattr(self, side)

    def similarity(self, item: int) -> torch.Tensor:
        r"""Return the cosines of all items' decoder embeddings with one item's, shape: [n_items]"""
        return F.cosine_similarity(self.decoder, self.decoder[item], dim=1)


class Sparse(Weights):
    r"""A matrix in CSR, input x target, of which few entries are not zero."""

    names = ("sparse.indptr", "sparse.target", "sparse.weight")
    indptr: torch.Tensor
    target: torch.Tensor
    weight: torch.Tensor

    @classmethod
    def of(cls, matrix: Any) -> "Sparse":
        r"""Keep a SciPy sparse matrix, shape: [n_items, n_items]"""
        matrix = matrix.tocsr()
        arrays = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data
        return cls(**{name: torch.from_numpy(array) for name, array in zip(cls.names, arrays)})

    def tensors(self) -> dict[str, torch.Tensor]:
        r"""Return name → tensor, with an ``encoder`` of no columns, which checkpoints of sparse weights have too."""
        return {"encoder": self.weight.new_zeros(len(self.indptr) - 1, 0)} | super().tensors()

    def score(self, items: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        if self.weight.device.type == "cpu":
            return self._score_on_cpu(items.numpy(), count.numpy())
        scores = self.weight.new_zeros(len(count), len(self.indptr) - 1)
        for row, history in zip(scores, items.split(count.tolist())):
            position, _ = positions(self.indptr, history)
            row.index_add_(0, self.target[position], self.weight[position])
        return scores

    def score_pairs(self, items: torch.Tensor, count: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        if self.weight.device.type == "cpu":
            places = np.array(items), np.array(target.repeat_interleave(count))  # SciPy wants arrays of NumPy's own
            return _sums(torch.from_numpy(np.asarray(self._matrix()[places]).ravel()), count)
        scores = self.weight.new_zeros(len(count))
        for row, history in enumerate(items.split(count.tolist())):
            scores[row] = self.score(history, count[row : row + 1])[0, target[row]]
        return scores

    def scale_items(self, popularity: np.ndarray, power: float) -> None:
        self._replace(normalize_items(self._matrix(), torch.from_numpy(popularity), power=power))

    def set_diagonal(self, values: torch.Tensor) -> None:
        matrix = self._matrix()
        replaced = matrix + sp.diags(values.cpu().numpy() - matrix.diagonal(), dtype=matrix.dtype)
        replaced.eliminate_zeros()
        self._replace(replaced)

    def _replace(self, matrix: Any) -> None:
        for name, tensor in Sparse.of(matrix).named_buffers():
            setattr(self, name, tensor.to(self.weight.device))

    def _matrix(self) -> sp.csr_matrix:
        square = (len(self.indptr) - 1,) * 2
        arrays = (tensor.cpu().numpy() for tensor in (self.weight, self.target, self.indptr))
        return sp.csr_matrix(tuple(arrays), shape=square)

    def _score_on_cpu(self, items: np.ndarray, count: np.ndarray) -> torch.Tensor:
        """Multiply by SciPy's product of sparse matrices, which has no threads to wait for."""
        weights = self._matrix()
        ones = np.ones(len(items), dtype=weights.dtype)
        shape = len(count), weights.shape[0]
        histories = sp.csr_matrix((ones, items, np.append(0, count.cumsum())), shape=shape)
        return torch.from_numpy((histories @ weights).toarray())


class Filter(Weights):
    r"""``solvers.GraphFilter``: a polynomial of the normalized item graph, by products of sparse matrices.

    The interactions of training are part of it.
    """

    names = ("graph.indptr", "graph.items", "graph.values", "graph.coefficients", "graph.scale")
    single_precision = names[3:]
    indptr: torch.Tensor
    items: torch.Tensor
    values: torch.Tensor
    coefficients: torch.Tensor
    scale: torch.Tensor

    def __init__(self, **tensors: torch.Tensor) -> None:
        super().__init__(**tensors)
        self.graph = self._built()

    @classmethod
    def of(cls, graph: GraphFilter) -> "Filter":
        r"""Keep what a solver returned."""
        matrix = graph.normalized
        parts = matrix.crow_indices(), matrix.col_indices(), matrix.values(), graph.coefficients, graph.scale
        return cls(**dict(zip(cls.names, parts)))

    def tensors(self) -> dict[str, torch.Tensor]:
        r"""Return name → tensor, with an ``encoder`` of no columns, which every checkpoint has."""
        return {"encoder": self.scale.new_zeros(len(self.scale), 0)} | super().tensors()

    def on(self, device: torch.device) -> Weights:
        r"""Return these weights on a device, where the matrices of the graph are made again."""
        self.to(device)
        if self.graph.scale.device != self.scale.device:
            self.graph = self._built()
        return self

    def score(self, items: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        return self.graph.scores(items, count)

    def score_pairs(self, items: torch.Tensor, count: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return self.score(items, count).gather(1, target[:, None])[:, 0]

    def users(self) -> int:
        r"""Return how many users have interactions in the graph."""
        return int((self.indptr.diff() > 0).sum())

    def _built(self) -> GraphFilter:
        """Return the filter of these tensors, which it shares but for the graph."""
        parts = (self.values.cpu().numpy(), self.items.cpu().numpy(), self.indptr.cpu().numpy())
        shape = len(self.indptr) - 1, len(self.scale)
        return filter_of_parts(sp.csr_matrix(parts, shape=shape), self.coefficients, self.scale)


class Local(Weights):
    r"""B = ``matrix`` + ``factors``: a local regression or a filter, and a low-pass filter beside it."""

    filter_names = ("low_pass.encoder", "low_pass.decoder")

    def __init__(self, matrix: Weights, factors: Factors) -> None:
        super().__init__()
        self.matrix = matrix
        self.factors = factors
        # Thin, and as unequal as items are popular: half precision would lose the rare ones.
        self.single_precision = (*matrix.single_precision, *self.filter_names)

    def tensors(self) -> dict[str, torch.Tensor]:
        return self.matrix.tensors() | self._filter()

    def portable(self) -> dict[str, torch.Tensor]:
        return self.matrix.portable() | self._filter()

    def on(self, device: torch.device) -> Weights:
        self.matrix = self.matrix.on(device)
        self.factors = self.factors.to(device)
        return self

    def score(self, items: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        return self.matrix.score(items, count).add_(self.factors.score(items, count))

    def score_pairs(self, items: torch.Tensor, count: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return self.matrix.score_pairs(items, count, target) + self.factors.score_pairs(items, count, target)

    def scale_items(self, popularity: np.ndarray, power: float) -> None:
        self.matrix.scale_items(popularity, power)
        self.factors.scale_items(popularity, power)

    def set_diagonal(self, values: torch.Tensor) -> None:
        self.matrix.set_diagonal(values - torch.linalg.vecdot(self.factors.encoder, self.factors.decoder))

    def users(self) -> int:
        return self.matrix.users()

    def blocks(self) -> Iterator[torch.Tensor]:
        first = 0
        for block in self.matrix.blocks():
            last = first + block.shape[1]
            yield torch.addmm(block, self.factors.encoder, self.factors.decoder[first:last].T)
            first = last

    def _filter(self) -> dict[str, torch.Tensor]:
        return dict(zip(self.filter_names, self.factors.tensors().values()))


class Unfitted(Weights):
    r"""No weights yet: every score is 0."""

    names = ("encoder",)
    encoder: torch.Tensor  # shape: [n_items, 0]

    def score(self, items: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        return self.encoder.new_zeros(len(count), len(self.encoder))

    def score_pairs(self, items: torch.Tensor, count: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return self.encoder.new_zeros(len(count))


NAMES = (
    *Factors.names,
    *Packed.names,
    *Sparse.names,
    *Filter.names,
    *Local.filter_names,
)  # of every tensor that a checkpoint may have


def of_solution(solution: Any) -> Weights:
    r"""Return the weights that a solver returned, in its form.

    Args:
        solution (torch.Tensor, PackedWeights, LowRank, LocalWeights, GraphFilter or SciPy sparse matrix): item x item
            weights
    """
    if sp.issparse(solution):
        return Sparse.of(solution)
    if isinstance(solution, LowRank):
        return Factors(encoder=solution.u, decoder=solution.v)
    if isinstance(solution, LocalWeights):
        return Local(of_solution(solution.matrix), Factors(encoder=solution.u, decoder=solution.v))
    if isinstance(solution, PackedWeights):
        return Packed.of(solution)
    if isinstance(solution, GraphFilter):
        return Filter.of(solution)
    return Dense(encoder=solution)


def of_tensors(tensors: Mapping[str, torch.Tensor]) -> Weights | None:
    r"""Return the weights of a checkpoint, whatever their form and rank; None where it has none."""
    if tensors.keys() >= set(Local.filter_names):
        encoder, decoder = (tensors[name] for name in Local.filter_names)
        matrix = of_tensors({name: tensor for name, tensor in tensors.items() if name not in Local.filter_names})
        return matrix and Local(matrix, Factors(encoder=encoder, decoder=decoder))
    if tensors.keys() >= set(Packed.names):
        return Packed(**{name: tensors[name] for name in Packed.names})
    if tensors.keys() >= set(Sparse.names):
        return Sparse(**{name: tensors[name] for name in Sparse.names})
    if tensors.keys() >= set(Filter.names):
        return Filter(**{name: tensors[name] for name in Filter.names})
    if tensors.keys() >= set(Factors.names):
        return Factors(**{name: tensors[name] for name in Factors.names})
    if "encoder" not in tensors:
        return None
    form = Dense if tensors["encoder"].shape[1] else Unfitted
    return form(encoder=tensors["encoder"])


def _thinned(B: torch.Tensor, top: int) -> sp.csr_matrix:
    """Return the entries of largest magnitude of each column."""
    kept = B.abs().topk(min(top, len(B)), dim=0).indices
    columns = torch.arange(B.shape[1]).expand_as(kept)
    places = kept.flatten().numpy(), columns.flatten().numpy()
    thin = sp.csr_matrix((B[kept, columns].flatten().numpy(), places), shape=B.shape)
    thin.eliminate_zeros()
    return thin


def _sums(entries: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
    """Sum the entries of each row, given one row after the other."""
    row = torch.arange(len(count), device=count.device).repeat_interleave(count)
    return entries.new_zeros(len(count)).index_add_(0, row, entries)
