r"""
DLAE
################################################
Reference:
    Harald Steck. "Autoencoders that don't overfit towards the Identity" in NeurIPS 2020.
    Jaewan Moon et al. "It's Enough: Relaxing Diagonal Constraints in Linear Autoencoders for Recommendation" in
    SIGIR 2023.
    Seongmin Park et al. "Why is Normalization Necessary for Linear Recommenders?" in SIGIR 2025.
"""

from collections.abc import Mapping
from typing import Any

from recbole_edlae.model.dlae_form import DLAEForm
from recbole_edlae.model.linear import LinearAutoEncoder
from recbole_edlae.model.paper import STECK_2020


class DLAE(DLAEForm, LinearAutoEncoder):
    r"""DLAE is the linear denoising autoencoder, which reconstructs dropped and kept interactions alike, solved in
    closed form for all dropout masks at once. Its item weights have a diagonal, shrunk by the dropout and held below
    ``diagonal_bound``, with which it is RDLAE. With a ``rank``, the weights are a product of two factors, penalized as
    a product or, as weight decay does it, one by one.

    """

    paper = STECK_2020
    unseen_users: Mapping[str, Any] | None = {"based_on": "item"}
    search_space = """
        reg_weight choice [200.0,300.0,500.0,700.0]
        dropout_prob choice [0.2,0.33,0.5,0.6,0.7]
        user_weight_power choice [0.0,0.5,0.7]
    """
