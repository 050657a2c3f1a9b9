"""Keep RecBole quiet while it runs."""

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator

from recbole.trainer import trainer as trainers


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Make RecBole log errors only, give no warnings of its own lines, and leave no tensorboard folder behind."""
    logger = logging.getLogger()
    stock = trainers.get_tensorboard
    level = logger.level
    logger.setLevel(logging.ERROR)
    trainers.get_tensorboard = lambda _: _Nothing()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"recbole\.")
            yield
    finally:
        logger.setLevel(level)
        trainers.get_tensorboard = stock


class _Nothing:
    """Take every call and do nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None
