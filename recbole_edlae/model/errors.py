r"""
Words
################################################
Errors of the solvers in the words of the settings, and of a training that diverged.
"""

import contextlib
import re
from collections.abc import Iterator

import torch

# What the solvers call it, what the settings call it.
SETTINGS = {"l2": "reg_weight", "dropout": "dropout_prob", "method": "solver", "count": "neighbors"}


@contextlib.contextmanager
def in_words_of_settings(**names: str) -> Iterator[None]:
    r"""Raise a solver's ValueError again with the names of the settings.

    Args:
        names (str): The setting of an argument, beside those in ``SETTINGS``.
    """
    try:
        yield
    except ValueError as error:
        text = str(error)

        # Whole words only: "count" is no part of "item_count".
        for argument, setting in (SETTINGS | names).items():
            text = re.sub(rf"(?<![\w-]){argument}(?![\w-])", setting, text)
        raise ValueError(text) from error


def check_loss(loss: torch.Tensor, model: str) -> torch.Tensor:
    r"""Return the loss of a batch.

    Raises:
        ValueError: It is NaN.
    """
    if torch.isnan(loss):
        raise ValueError(f"the training of {model} diverged, its loss is nan: lower learning_rate")
    return loss


def check_scores(scores: torch.Tensor, model: str) -> torch.Tensor:
    r"""Return scores.

    Raises:
        ValueError: One of them is NaN or infinite.
    """
    if not scores.numel():
        return scores

    # NaN and infinity both show in the extremes, for which no mask is made.
    low, high = torch.aminmax(scores)
    if not (low.isfinite().item() and high.isfinite().item()):
        raise ValueError(f"the training of {model} diverged, its scores are not finite: lower learning_rate")
    return scores
