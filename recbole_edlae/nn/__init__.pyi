from .activations import ACTIVATIONS, RATES, activation
from .autoencoder import AutoEncoder, Decoder, Encoder, squared_weights
from .corruption import dropout, entry_weights, gaussian
from .losses import LOSSES, cross_entropy, loss, multinomial, squared
from .penalties import PENALTIES, check_penalty, contractive, kl_sparsity, l1, latent_penalty
from .rows import Rows, SparseLinear, binary_rows
from .scores import standardize_
from .variational import VariationalAutoEncoder, gaussian_kl, negative_bound

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
