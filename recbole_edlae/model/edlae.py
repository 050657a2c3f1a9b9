r"""
EDLAE
################################################
Reference:
    Harald Steck. "Autoencoders that don't overfit towards the Identity" in NeurIPS 2020.
"""

from recbole_edlae.model.linear import LinearAutoEncoder
from recbole_edlae.model.resources import check_sparse_memory
from recbole_edlae.solvers import full_rank, neighbors


class EDLAE(LinearAutoEncoder):
    r"""EDLAE is the linear autoencoder that reconstructs dropped interactions from kept ones, solved in closed form
    for all dropout masks at once. Its item weights have a zero diagonal; without dropout it is EASE. With some
    ``emphasis`` on kept interactions too, the diagonal is what the denoising objective makes it, held below
    ``diagonal_bound``. With ``neighbors``, every item has weights for that many others only, for catalogues of which
    no item x item matrix fits.

    """

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.emphasis = config["emphasis"]
        self.diagonal_bound = config["diagonal_bound"]
        self.neighbors = config["neighbors"]

    def weights(self, user_weight, progress):
        if self.neighbors is None:
            return super().weights(user_weight, progress)

        def announce(wanted):
            takes = check_sparse_memory(self.n_items, self.neighbors, wanted)
            self.logger.info(f"{type(self).__name__}: {takes}")

        return neighbors(
            self.interactions, self.neighbors, user_weight, dropout=self.dropout_prob, l2=self.reg_weight,
            emphasis=self.emphasis, diagonal_bound=self.diagonal_bound, device=self.encoder.device, announce=announce,
            progress=progress,
        )  # fmt: skip

    def solve(self, G, progress):
        problem = {"dropout": self.dropout_prob, "l2": self.reg_weight, "progress": progress}
        return full_rank(G, emphasis=self.emphasis, diagonal_bound=self.diagonal_bound, overwrite=True, **problem)
