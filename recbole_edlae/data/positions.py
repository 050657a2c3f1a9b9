"""Give PyTorch's loader the row numbers without a list of them."""

from collections.abc import Callable
from typing import Any

import torch
from recbole.data.dataloader.abstract_dataloader import AbstractDataLoader
from recbole.data.dataset import Dataset
from recbole.data.transform import construct_transform
from recbole.utils import ModelType

from recbole_edlae.settings.vectorized import is_on


class Positions(torch.utils.data.Dataset):
    """The numbers from 0 to ``length - 1``, which PyTorch's loader takes a batch at a time.

    Args:
        length: how many there are.
    """

    def __init__(self, length: int) -> None:
        self._numbers = range(length)

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: Any) -> Any:
        numbers = self._numbers[index]
        return list(numbers) if isinstance(index, slice) else numbers

    def __getitems__(self, indices: list[int]) -> list[int]:
        """Return the numbers at the positions of a batch, which are the positions themselves."""
        return list(indices)


def init(
    stock: Callable, loader: AbstractDataLoader, config: Any, dataset: Dataset, sampler: Any, shuffle: bool = False
) -> None:
    """Construct the loader as RecBole does, without a list of the row numbers.

    Args:
        stock: RecBole's function.
        loader: to construct; a subclass has set its ``sample_size``.
        config: RecBole's Config.
        dataset: of the phase.
        sampler: of the phase.
        shuffle: whether the rows are shuffled before each epoch.
    """
    if not is_on(config) or not config["single_spec"]:
        stock(loader, config, dataset, sampler, shuffle=shuffle)
        return
    loader.shuffle = shuffle
    loader.config = config
    loader._dataset = dataset
    loader._sampler = sampler
    loader._batch_size = loader.step = loader.model = None
    loader._init_batch_size_and_step()
    loader.generator = torch.Generator()
    loader.generator.manual_seed(config["seed"])
    loader.transform = construct_transform(config)
    loader.is_sequential = config["MODEL_TYPE"] == ModelType.SEQUENTIAL
    torch.utils.data.DataLoader.__init__(
        loader,
        dataset=Positions(loader.sample_size),
        batch_size=loader.step,
        collate_fn=loader.collate_fn,
        num_workers=config["worker"],
        shuffle=shuffle,
        sampler=None,
        generator=loader.generator,
    )
