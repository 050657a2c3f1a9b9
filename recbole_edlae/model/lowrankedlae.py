r"""
LowRankEDLAE
################################################
Reference:
    Harald Steck. "Autoencoders that don't overfit towards the Identity" in NeurIPS 2020.
    Harald Steck and Dario Garcia Garcia. "On the Regularization of Autoencoders" in 2021.
"""

from recbole_edlae.model.linear import LinearAutoEncoder
from recbole_edlae.model.lowrankedlae_form import LowRankEDLAEForm
from recbole_edlae.model.paper import STECK_2020


class LowRankEDLAE(LowRankEDLAEForm, LinearAutoEncoder):
    r"""LowRankEDLAE is EDLAE with item weights :math:`U V^T` of a given rank: the scores of a user with history x are
    :math:`x^T U V^T`, as in the paper with the diagonal that training left out of the objective. The rows of U and V
    are item embeddings.

    """

    paper = STECK_2020
    search_space = """
        rank choice [200,400,800]
        solver choice ["eigen","admm"]
        reg_weight choice [300.0,500.0]
        user_weight_power choice [0.5]
    """
