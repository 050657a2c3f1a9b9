"""Hold a symmetric matrix in half the memory: the lower triangle of its square tiles."""

import bisect
import itertools
from collections.abc import Iterator

import numpy as np
import torch

SIDE = 832  # rows and columns of a tile at most


class SymmetricTiles:
    """Hold a symmetric matrix as the tiles on and below its diagonal.

    The rows are cut at ``bounds``; tile (i, j), i ≥ j, has the rows of part i and the columns of part j, stored by
    columns. Tiles follow one another in ``values``, row of tiles by row of tiles. A tile on the diagonal is stored
    with both triangles.

    Attributes:
        values: torch.Tensor, shape (size,), float32 or float64, on the CPU; size is n (n + n / parts) / 2 for n rows.
        bounds: torch.Tensor, shape (parts + 1,), int64: 0, …, n.

    Notes:
        Cost: 2 n² (1 + SIDE / n) bytes in single precision.

    Examples:
        >>> import torch
        >>> M = torch.tensor([[2.0, 1.0], [1.0, 3.0]])
        >>> S = SymmetricTiles.of(M)
        >>> torch.equal(S.dense(), M), torch.equal(S @ torch.eye(2), M)
        (True, True)
    """

    def __init__(self, values: torch.Tensor, bounds: torch.Tensor) -> None:
        if values.ndim != 1 or values.dtype not in (torch.float32, torch.float64):
            raise ValueError(
                f"values must be a vector of float32 or float64, got {values.dtype}, {tuple(values.shape)}"
            )
        if bounds.ndim != 1 or bounds.dtype != torch.int64:
            raise ValueError(
                f"bounds must be a vector of int64, got {bounds.dtype} of shape {tuple(bounds.shape)}"
            )
        sizes = bounds.diff()
        if not len(sizes) or bounds[0] != 0 or not (sizes > 0).all():
            raise ValueError("bounds must rise from 0 to the number of rows, at least 1")

        # More than n² / 2 values, so that the areas do not overflow.
        parts = len(sizes)
        row, column = np.tril_indices(parts)
        areas = (sizes[row] * sizes[column]).numpy()
        if int(bounds[-1]) ** 2 > 2 * len(values) or areas.sum() != len(values):
            raise ValueError(
                f"{len(values)} values do not fill the tiles of a matrix cut at {bounds.tolist()}"
            )
        self.values = values
        self.bounds = bounds
        self._cuts: list[int] = bounds.tolist()
        self.offsets = np.zeros((parts, parts), dtype=np.int64)  # of tile (i, j) in the values, i ≥ j
        self.offsets[row, column] = np.cumsum(areas) - areas

    @classmethod
    def empty(cls, n: int, dtype: torch.dtype = torch.float32, side: int | None = None) -> "SymmetricTiles":
        """Return a matrix of n rows whose entries have not been set.

        Args:
            n: number of rows.
            dtype: torch.float32 or torch.float64.
            side: rows and columns of a tile at most; None for SIDE.
        """
        bounds = cut(n, side)
        # From NumPy, which asks the kernel for large pages.
        values = np.empty(size(n, side), dtype=np.float32 if dtype == torch.float32 else np.float64)
        return cls(torch.from_numpy(values), bounds)

    @classmethod
    def of(cls, M: torch.Tensor, side: int | None = None) -> "SymmetricTiles":
        """Return the tiles of a dense symmetric matrix, which are copies.

        Args:
            M: torch.Tensor, shape (n, n); only the lower triangle and the tiles on the diagonal are read.
            side: rows and columns of a tile at most; None for SIDE.
        """
        tiles = cls.empty(len(M), M.dtype, side)
        for i, j in tiles.lower():
            tiles.tile(i, j)[:] = M[tiles.part(i), tiles.part(j)].numpy()
        return tiles

    def __len__(self) -> int:
        return self._cuts[-1]

    @property
    def shape(self) -> torch.Size:
        """Return (n, n)."""
        return torch.Size((len(self), len(self)))

    @property
    def dtype(self) -> torch.dtype:
        """Return the type of the entries."""
        return self.values.dtype

    @property
    def device(self) -> torch.device:
        """Return where the entries are."""
        return self.values.device

    @property
    def nbytes(self) -> int:
        """Return the bytes that the entries take."""
        return self.values.nbytes

    @property
    def parts(self) -> int:
        """Return the number of tiles on the diagonal."""
        return len(self._cuts) - 1

    def part(self, i: int) -> slice:
        """Return the rows of a part."""
        return slice(self._cuts[i], self._cuts[i + 1])

    def lower(self) -> Iterator[tuple[int, int]]:
        """Yield the tiles that are stored, as (i, j)."""
        for i in range(self.parts):
            for j in range(i + 1):
                yield i, j

    def tile(self, i: int, j: int) -> np.ndarray:
        """Return tile (i, j), i ≥ j, stored by columns; writing to it writes to the matrix."""
        rows = self._cuts[i + 1] - self._cuts[i]
        columns = self._cuts[j + 1] - self._cuts[j]
        start = self.offsets[i, j]
        return self.values.numpy()[start : start + rows * columns].reshape(columns, rows).T

    def clone(self) -> "SymmetricTiles":
        """Return a copy."""
        return SymmetricTiles(self.values.clone(), self.bounds)

    def diagonal(self) -> torch.Tensor:
        """Return a copy of the diagonal, shape (n,)."""
        tiles = [self.tile(i, i) for i in range(self.parts)]
        return torch.cat([torch.from_numpy(tile.diagonal().copy()) for tile in tiles])

    def set_diagonal(self, diagonal: torch.Tensor) -> None:
        """Replace the diagonal by the entries of a tensor of shape (n,)."""
        for i in range(self.parts):
            np.fill_diagonal(self.tile(i, i), diagonal[self.part(i)].numpy())

    def mirror(self) -> None:
        """Copy the lower triangle of each tile on the diagonal to its upper one."""
        for i in range(self.parts):
            tile = self.tile(i, i)
            tile[:] = np.tril(tile) + np.tril(tile, -1).T

    def dense(self) -> torch.Tensor:
        """Return the matrix with both triangles, shape (n, n)."""
        M = torch.zeros(self.shape, dtype=self.dtype)
        self.add_to(M)
        return M

    def add_to(self, N: torch.Tensor) -> None:
        """Add the matrix to a dense one, in the place of that."""
        for i, j in self.lower():
            tile = torch.from_numpy(self.tile(i, j))
            N[self.part(i), self.part(j)] += tile

            # The tile above the diagonal is the transpose.
            if i != j:
                N[self.part(j), self.part(i)] += tile.T

    def copy_rows(self, target: torch.Tensor, rows: torch.Tensor | None, columns: slice) -> None:
        """Copy some columns of some rows to a contiguous tensor of shape (rows, columns).

        Args:
            target: what is written.
            rows: int64, ascending without repeats; None for all.
            columns: of one part.
        """
        # The column of tiles that these columns lie in.
        j = bisect.bisect(self._cuts, columns.start) - 1
        inside = slice(columns.start - self._cuts[j], columns.stop - self._cuts[j])

        # Which of the rows lie in each row of tiles.
        limits = self._cuts
        if rows is not None:
            limits = torch.searchsorted(rows, self.bounds).tolist()

        for i, (start, stop) in enumerate(itertools.pairwise(limits)):
            if start == stop:
                continue

            # On and above the diagonal, each row is a piece of memory; below it, each column is.
            transposed = i > j
            stored = torch.from_numpy(
                self.tile(i, j)[:, inside] if transposed else self.tile(j, i).T[:, inside]
            )
            if rows is not None:
                chosen = rows[start:stop] - self._cuts[i]
                stored = (
                    stored.T.index_select(1, chosen).T if transposed else stored.index_select(0, chosen)
                )
            target[start:stop].copy_(stored)

    def entries(self, i: torch.Tensor, j: torch.Tensor) -> torch.Tensor:
        """Return the entries M[i, j] for two tensors of row and column numbers of one shape."""
        # M is symmetric: the entry below the diagonal is the one that is stored.
        row = torch.maximum(i, j)
        column = torch.minimum(i, j)

        # The tile, and the place in it: columns follow each other.
        tile_row = torch.searchsorted(self.bounds, row, right=True) - 1
        tile_column = torch.searchsorted(self.bounds, column, right=True) - 1
        height = self.bounds.diff()[tile_row]
        offset = torch.from_numpy(self.offsets)[tile_row, tile_column]
        offset += (column - self.bounds[tile_column]) * height + row - self.bounds[tile_row]
        return self.values[offset]

    def __matmul__(self, U: torch.Tensor) -> torch.Tensor:
        """Return the product with a dense matrix of shape (n, k), in 2 n² k operations."""
        result = torch.zeros_like(U, memory_format=torch.contiguous_format)
        for i, j in self.lower():
            tile = torch.from_numpy(self.tile(i, j))
            result[self.part(i)].addmm_(tile, U[self.part(j)])

            # The tile above the diagonal is the transpose.
            if i != j:
                result[self.part(j)].addmm_(tile.T, U[self.part(i)])
        return result


def size(n: int, side: int | None = None) -> int:
    """Return the number of values that the tiles of a matrix of n rows have."""
    rows = cut(n, side).diff()
    return int((n * n + (rows * rows).sum()) // 2)


def cut(n: int, side: int | None = None) -> torch.Tensor:
    """Return where to cut n rows into the fewest parts of at most ``side`` or SIDE, which differ by one at most."""
    parts = max(1, -(-n // (side or SIDE)))
    return torch.arange(parts + 1) * n // parts
