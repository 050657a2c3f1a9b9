r"""
EDLAE
################################################
Reference:
    Harald Steck. "Autoencoders that don't overfit towards the Identity" in NeurIPS 2020.
"""

from recbole_edlae.model.linear import LinearAutoEncoder
from recbole_edlae.solvers.full_rank import full_rank


class EDLAE(LinearAutoEncoder):
    r"""EDLAE is the linear autoencoder that reconstructs dropped interactions from kept ones, solved in closed form
    for all dropout masks at once. Its item weights have a zero diagonal; without dropout it is EASE.

    """

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.reg_weight = config["reg_weight"]
        self.dropout_prob = config["dropout_prob"]
        self.emphasis = config["emphasis"]

    def solve(self, G, progress):
        settings = {"dropout": self.dropout_prob, "l2": self.reg_weight, "emphasis": self.emphasis}
        return full_rank(G, **settings, overwrite=True, progress=progress), None
