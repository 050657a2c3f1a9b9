r"""
DLAE
################################################
Reference:
    Harald Steck. "Autoencoders that don't overfit towards the Identity" in NeurIPS 2020.
"""

from recbole_edlae.model.linear import LinearAutoEncoder
from recbole_edlae.solvers.full_rank import full_rank


class DLAE(LinearAutoEncoder):
    r"""DLAE is the linear denoising autoencoder, which reconstructs dropped and kept interactions alike, solved in
    closed form for all dropout masks at once. Its item weights have a diagonal, shrunk by the dropout.

    """

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.reg_weight = config["reg_weight"]
        self.dropout_prob = config["dropout_prob"]

    def solve(self, G, progress):
        settings = {"dropout": self.dropout_prob, "l2": self.reg_weight, "emphasis": (1.0, 1.0)}
        return full_rank(G, **settings, overwrite=True, progress=progress), None
