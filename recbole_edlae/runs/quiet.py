"""Keep RecBole quiet while it runs."""

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator

from recbole.trainer import trainer as trainers


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Make RecBole log only errors, hide warnings raised in its own lines, and create no tensorboard folder."""
    logger = logging.getLogger()
    level = logger.level
    logger.setLevel(logging.ERROR)

    # RecBole's trainers create the folder as they are constructed.
    stock = trainers.get_tensorboard
    trainers.get_tensorboard = lambda _: _Nothing()

    # Another run in this process, or the user's own code, gets everything back.
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"recbole\.")
            yield
    finally:
        logger.setLevel(level)
        trainers.get_tensorboard = stock


class _Nothing:
    """Accept every call and do nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None
