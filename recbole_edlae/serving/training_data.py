"""Keep the earlier import path of :mod:`recbole_edlae.data.training_data`."""

from recbole_edlae.data.training_data import *  # noqa: F403
