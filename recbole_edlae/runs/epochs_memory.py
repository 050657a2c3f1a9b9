"""Networks that epochs trained, kept between the runs of a sweep."""

import collections
import functools
import random
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from recbole.config import Config

from recbole_edlae.model.two_stages import Epochs
from recbole_edlae.runs.run import WITHOUT_EFFECT
from recbole_edlae.runs.stopwatch import Stopwatch

EPOCHS_BYTES = 2**28  # of networks that one runner keeps at most


class Trained(NamedTuple):
    """What epochs left behind: the one that was kept, a network's tensors, random states, and how long they took."""

    epoch: int
    network: dict[str, torch.Tensor]
    random_states: tuple[Any, ...]
    seconds: float
    evaluation_seconds: float


class EpochsMemory:
    """Train by epochs once for all runs that agree on what the epochs see, which is not a model's ``after_epochs``.

    Attributes:
        saved: seconds that the epochs found ready took, without evaluation, added up.
        evaluation_saved: seconds that the evaluation in them took.
    """

    def __init__(self) -> None:
        self._kept: collections.OrderedDict[str, Trained] = collections.OrderedDict()
        self.saved = 0.0
        self.evaluation_saved = 0.0

    def of(self, config: Config, data: str, stopwatch: Stopwatch) -> Epochs:
        """Return the function of one run that a TwoStageTrainer takes as ``epochs``.

        Args:
            config: of the run.
            data: fingerprint of the files that the run's data were read from.
            stopwatch: that runs while it evaluates.
        """
        return functools.partial(self._train, f"{data} {self._name(config)}", stopwatch)

    def _name(self, config: Config) -> str:
        """Return a text that is the same for runs that train the same epochs."""
        without_effect = {*WITHOUT_EFFECT, *config.model_class.after_epochs} - {"data_path"}
        names = sorted(config.final_config_dict.keys() - without_effect)
        return repr([(name, config[name]) for name in names])

    def _train(self, name: str, stopwatch: Stopwatch, model: Any, run_epochs: Callable[[], int]) -> int:
        """Train a model, or give it the network of one that was trained before; return the epoch that was kept."""
        if name in self._kept:
            self._kept.move_to_end(name)
            trained = self._kept[name]
            self.saved += trained.seconds
            self.evaluation_saved += trained.evaluation_seconds
            model.network.load_state_dict(trained.network)
            _set_random_states(trained.random_states)
            return trained.epoch
        start = time.perf_counter()
        evaluated = stopwatch.seconds
        epoch = run_epochs()
        evaluated = stopwatch.seconds - evaluated
        network = {key: tensor.detach().clone() for key, tensor in model.network.state_dict().items()}
        seconds = time.perf_counter() - start - evaluated
        self._kept[name] = Trained(epoch, network, _random_states(), seconds, evaluated)
        while sum(_bytes(trained) for trained in self._kept.values()) > EPOCHS_BYTES and len(self._kept) > 1:
            self._kept.popitem(last=False)
        return epoch


def _random_states() -> tuple[Any, ...]:
    """Return the states of the random numbers of Python, NumPy and torch."""
    on_gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return random.getstate(), np.random.get_state(), torch.get_rng_state(), on_gpus


def _set_random_states(states: tuple[Any, ...]) -> None:
    """Go on with random numbers where they were."""
    of_python, of_numpy, of_torch, on_gpus = states
    random.setstate(of_python)
    np.random.set_state(of_numpy)
    torch.set_rng_state(of_torch)
    if on_gpus:
        torch.cuda.set_rng_state_all(on_gpus)


def _bytes(trained: Trained) -> int:
    """Return the bytes of a network's tensors."""
    return sum(tensor.nbytes for tensor in trained.network.values())
