"""Types in the signatures of the solvers."""

from recbole_edlae.solvers._parameters import Progress
from recbole_edlae.solvers.scale.tiles import Symmetric

__all__ = ["Progress", "Symmetric"]
