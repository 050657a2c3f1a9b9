"""Deep autoencoders over sparse rows, in torch. Knows nothing of RecBole.

Rows: ``Rows``, ``binary_rows``, ``SparseLinear``.
Networks: ``AutoEncoder``, ``VariationalAutoEncoder`` with ``negative_bound`` and ``gaussian_kl``; their parts
``Encoder`` and ``Decoder``; ``activation``; ``squared_weights``.
Training: corruption by ``dropout`` and ``gaussian`` with ``entry_weights``; ``loss``; ``latent_penalty``.
Scores of two networks on one scale: ``standardize_``.
"""

from recbole_edlae.nn.activations import ACTIVATIONS, RATES, activation
from recbole_edlae.nn.autoencoder import AutoEncoder, Decoder, Encoder, squared_weights
from recbole_edlae.nn.corruption import dropout, entry_weights, gaussian
from recbole_edlae.nn.losses import LOSSES, cross_entropy, loss, multinomial, squared
from recbole_edlae.nn.penalties import PENALTIES, check_penalty, contractive, kl_sparsity, l1, latent_penalty
from recbole_edlae.nn.rows import Rows, SparseLinear, binary_rows
from recbole_edlae.nn.scores import standardize_
from recbole_edlae.nn.variational import VariationalAutoEncoder, gaussian_kl, negative_bound

__all__ = [
    "ACTIVATIONS",
    "LOSSES",
    "PENALTIES",
    "RATES",
    "AutoEncoder",
    "Decoder",
    "Encoder",
    "Rows",
    "SparseLinear",
    "VariationalAutoEncoder",
    "activation",
    "binary_rows",
    "check_penalty",
    "contractive",
    "cross_entropy",
    "dropout",
    "entry_weights",
    "gaussian",
    "gaussian_kl",
    "kl_sparsity",
    "l1",
    "latent_penalty",
    "loss",
    "multinomial",
    "negative_bound",
    "squared",
    "squared_weights",
    "standardize_",
]
