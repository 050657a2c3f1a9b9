r"""
EDLAE
################################################
Reference:
    Harald Steck. "Autoencoders that don't overfit towards the Identity" in NeurIPS 2020.
    Tianjun Wei et al. "Fine-tuning Partition-aware Item Similarities for Efficient and Scalable Recommendation" in WWW
    2023.
    Seongmin Park et al. "Why is Normalization Necessary for Linear Recommenders?" in SIGIR 2025.
"""

from collections.abc import Mapping
from typing import Any

from recbole_edlae.model.edlae_form import EDLAEForm
from recbole_edlae.model.linear import LinearAutoEncoder
from recbole_edlae.model.paper import STECK_2020


class EDLAE(EDLAEForm, LinearAutoEncoder):
    r"""EDLAE is the linear autoencoder that reconstructs dropped interactions from kept ones, solved in closed form
    for all dropout masks at once. Its item weights have a zero diagonal; without dropout it is EASE. With some
    ``emphasis`` on kept interactions too, the diagonal is what the denoising objective makes it, held below
    ``diagonal_bound``. With ``neighbors``, every item has weights for that many others only, for catalogs too large
    for an item x item matrix. With a ``low_pass_weight``, a global low-pass filter of the user-item graph is added, and
    the autoencoder learns what the filter leaves of the interactions.

    """

    paper = STECK_2020
    unseen_users: Mapping[str, Any] | None = {"based_on": "item"}
    search_space = """
        reg_weight choice [100.0,200.0,300.0,500.0,1000.0]
        dropout_prob choice [0.2,0.33,0.5]
        user_weight_power choice [0.0,0.5]
    """
