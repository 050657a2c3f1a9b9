r"""
From settings of LowRankEDLAE to its solver
################################################
``solvers.low_rank`` has the method of each name. Knows nothing of RecBole.
"""

from typing import Any

from recbole_edlae.model.closed_form import ClosedForm
from recbole_edlae.solvers.parameters import Progress


class LowRankEDLAEForm(ClosedForm):
    r"""The closed form of LowRankEDLAE: two factors, by a method of ``solvers.low_rank``."""

    setting_names = (*ClosedForm.setting_names, "rank", "solver", "tol", "max_iter")
    rank: int
    solver: str
    tol: float
    max_iter: int

    def rank_name(self) -> str:
        return "rank"

    def peak_values(self, matrix: int, device: str) -> int:
        from recbole_edlae.solvers.memory import low_rank_values

        return low_rank_values(self.n_items, self.rank, self.solver, matrix, device)

    def solve(self, G: Any, progress: Progress | None) -> Any:
        from recbole_edlae.solvers import low_rank, stationarity
        from recbole_edlae.solvers.steps import low_rank_settings

        problem: dict[str, Any] = {"dropout": self.dropout_prob, "l2": self.reg_weight}

        # A closed form does not iterate.
        iteration: dict[str, Any] = {}
        if "max_iter" in low_rank_settings(self.solver):
            iteration = {"tol": self.tol, "max_iter": self.max_iter}
        weights = low_rank(G, self.rank, method=self.solver, progress=progress, **iteration, **problem)
        distance = stationarity(G, weights.u, weights.v, **problem)
        self.logger.info(f"{self.solver}: {len(weights.history)} iterations, stationarity {distance:.1e}")
        return weights
