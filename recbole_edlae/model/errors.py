r"""
Errors
################################################
Errors of a training that diverged, instead of results that are none.
"""

import torch


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
        raise ValueError(
            f"the training of {model} diverged, its scores are not finite: lower learning_rate"
        )
    return scores
