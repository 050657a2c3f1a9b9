"""Keep a process quiet while RecBole runs in it."""

import contextlib
import logging
import warnings
from collections.abc import Iterator

from recbole_edlae.integration.models import without_tensorboard


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Log errors only, whoever logs; hide warnings of RecBole's own lines; write nothing for TensorBoard."""
    # RecBole logs by the root logger, so that this package's own lines go, too.
    logger = logging.getLogger()
    level = logger.level
    logger.setLevel(logging.ERROR)

    # Another run in this process, or the user's own code, gets everything back.
    try:
        with warnings.catch_warnings(), without_tensorboard():
            warnings.filterwarnings("ignore", module=r"recbole\.")
            yield
    finally:
        logger.setLevel(level)
