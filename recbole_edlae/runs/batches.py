"""Cache the batches of a loader of full ranking, which are the same in every evaluation."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

BATCHES_BYTES = 2**28  # largest size of the cached batches of one loader


class CachedBatches:
    """Cache the batches of a loader up to BATCHES_BYTES.

    Args:
        function: the loader's ``collate_fn``.
    """

    def __init__(self, function: Callable) -> None:
        self.function = function
        self.batches: dict[Hashable, Any] = {}
        self.bytes_left = BATCHES_BYTES

    def __call__(self, index: Sequence[int]) -> Any:
        """Return the batch of some rows."""
        # Rows follow each other, so the first one and their number identify a batch.
        name = (index[0], len(index))
        if name in self.batches:
            return self.batches[name]

        # A batch that no longer fits is made again every time; a smaller one may still fit.
        batch = self.function(index)
        size = _size(batch)
        if size <= self.bytes_left:
            self.bytes_left -= size
            self.batches[name] = batch
        return batch


def _size(batch: Any) -> int:
    """Return the bytes of the tensors of a batch of full ranking, as if none shared its memory with another."""
    interaction, history, *positives = batch
    tensors = [*interaction.interaction.values(), *(history or ()), *positives]
    return sum(tensor.nbytes for tensor in tensors)
