"""Types in the signatures of the solvers."""

from recbole_edlae.solvers._matrix import Symmetric
from recbole_edlae.solvers.parameters import Progress

__all__ = ["Progress", "Symmetric"]
