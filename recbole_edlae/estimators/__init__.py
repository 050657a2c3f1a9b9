"""EDLAE, DLAE and LowRankEDLAE as scikit-learn estimators, for a matrix or a DataFrame. Needs no RecBole.

The weights are exactly those of the RecBole model of the same name: the same code solves for them.
"""

from recbole_edlae.estimators.models import DLAE, EDLAE, LowRankEDLAE

__all__ = ["DLAE", "EDLAE", "LowRankEDLAE"]
