r"""
From settings of DLAE to its solver
################################################
Calls ``solvers.full_rank`` or, with a rank, ``solvers.low_rank``. Knows nothing of RecBole.
"""

from typing import Any

from recbole_edlae.model.closed_form import ClosedForm
from recbole_edlae.solvers.parameters import Progress


class DLAEForm(ClosedForm):
    r"""The closed form of DLAE: at full rank or, with a ``rank``, two factors."""

    setting_names = (
        *ClosedForm.setting_names,
        "based_on",
        "diagonal_bound",
        "rank",
        "solver",
        "dropout_penalty",
        "zero_diagonal",
    )
    diagonal_bound: float | None
    rank: int | None
    solver: str

    def check_settings(self) -> None:
        self.check_of_items("rank")
        super().check_settings()
        if self.rank is None:
            return

        # Two factors have no diagonal of their own, and their solvers count users as the Gram matrix does.
        for name, off in (("dropout_penalty", "weighted"), ("zero_diagonal", False)):
            value = getattr(self, name)
            if value != off:
                raise ValueError(
                    f"{name} must be {off!r} with a rank, as it is of full rank only; got {value!r}"
                )

    def rank_name(self) -> str | None:
        return None if self.rank is None else "rank"

    def peak_values(self, matrix: int, device: str) -> int:
        if self.rank is None:
            return super().peak_values(matrix, device)
        from recbole_edlae.solvers.memory import low_rank_values

        return low_rank_values(self.n_items, self.rank, self.solver, matrix, device)

    @property
    def takes_inverse(self) -> bool:  # type: ignore[override]
        return self.rank is None

    def solve(self, G: Any, progress: Progress | None) -> Any:
        from recbole_edlae.solvers import full_rank, low_rank

        problem: dict[str, Any] = {
            "dropout": self.dropout_prob,
            "l2": self.reg_weight,
            "progress": progress,
        }
        if self.rank is not None:
            return low_rank(G, self.rank, method=self.solver, **problem)
        problem |= {"diagonal_bound": self.diagonal_bound, "item_count": self.item_count}
        return full_rank(G, emphasis=(1.0, 1.0), overwrite=True, **problem)
