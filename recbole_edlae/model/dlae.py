r"""
DLAE
################################################
Reference:
    Harald Steck. "Autoencoders that don't overfit towards the Identity" in NeurIPS 2020.
    Jaewan Moon et al. "It's Enough: Relaxing Diagonal Constraints in Linear Autoencoders for Recommendation" in
    SIGIR 2023.
"""

from recbole_edlae.model.linear import LinearAutoEncoder
from recbole_edlae.solvers import full_rank, low_rank
from recbole_edlae.solvers._parameters import check_rank


class DLAE(LinearAutoEncoder):
    r"""DLAE is the linear denoising autoencoder, which reconstructs dropped and kept interactions alike, solved in
    closed form for all dropout masks at once. Its item weights have a diagonal, shrunk by the dropout and held below
    ``diagonal_bound``, with which it is RDLAE. With a ``rank``, the weights are a product of two factors, penalised as
    a product or, as weight decay does it, one by one.

    """

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.diagonal_bound = config["diagonal_bound"]
        self.rank = config["rank"]
        self.solver = config["solver"]
        if self.rank is not None:
            check_rank(self.rank, self.n_items)
            self.matrices = 2  # the Gram matrix and an inverse

    def solve(self, G, progress):
        problem = {"dropout": self.dropout_prob, "l2": self.reg_weight, "progress": progress}
        if self.rank is not None:
            return low_rank(G, self.rank, method=self.solver, **problem)
        return full_rank(G, emphasis=(1.0, 1.0), diagonal_bound=self.diagonal_bound, overwrite=True, **problem)
