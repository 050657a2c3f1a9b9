r"""
LowRankEDLAE
################################################
Reference:
    Harald Steck. "Autoencoders that don't overfit towards the Identity" in NeurIPS 2020.
    Harald Steck and Dario Garcia Garcia. "On the Regularization of Autoencoders" in 2021.
"""

from recbole_edlae.model.linear import LinearAutoEncoder
from recbole_edlae.solvers import low_rank, stationarity
from recbole_edlae.solvers._parameters import check_rank


class LowRankEDLAE(LinearAutoEncoder):
    r"""LowRankEDLAE is EDLAE with item weights :math:`U V^T` of a given rank: the scores of a user with history x are
    :math:`x^T U V^T`, as in the paper with the diagonal that training left out of the objective. The rows of U and V
    are item embeddings.

    """

    matrices = 2  # the Gram matrix and an inverse

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.rank = config["rank"]
        self.solver = config["solver"]
        self.iteration = {"tol": config["tol"], "max_iter": config["max_iter"]} if self.solver != "eigen" else {}
        check_rank(self.rank, self.n_items)

    def solve(self, G, progress):
        problem = {"dropout": self.dropout_prob, "l2": self.reg_weight}
        weights = low_rank(G, self.rank, method=self.solver, progress=progress, **self.iteration, **problem)
        self.logger.info(
            f"{self.solver}: {len(weights.history)} iterations, "
            f"stationarity {stationarity(G, weights.u, weights.v, **problem):.1e}"
        )
        return weights
