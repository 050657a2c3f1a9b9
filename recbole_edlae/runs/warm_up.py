"""Pay, before any training is timed, for what only the first training of a process would take."""

import functools

import numpy as np
import torch

from recbole_edlae.model.by_gram import check_memory


@functools.cache
def warm_up(device: torch.device, *, with_optimizer: bool) -> None:
    """Take the first steps of the libraries that models train with, once for each device of a process.

    Otherwise the first row of a leaderboard would look slower than the same model in the second one.

    Args:
        device: where models are trained.
        with_optimizer: whether an optimizer is needed. The first one imports modules for most of a second, which a
            process with closed forms only is spared.
    """
    # The first step of an optimizer starts threads too. Zeros leave the random numbers as they are.
    if with_optimizer:
        weights = torch.zeros(2, 2, device=device, requires_grad=True)
        optimizer = torch.optim.Adam([weights])
        (weights @ weights).sum().backward()
        optimizer.step()

    # RecBole's closed forms invert by NumPy, ours by SciPy or torch.
    np.linalg.inv(np.eye(2, dtype=np.float32))
    torch.linalg.inv(torch.eye(2, device=device))

    # The estimate of a fit's duration measures the speed of the device when it is asked first.
    check_memory(items=1, values=1, more=0, device=device)
