"""EDLAE, DLAE and LowRankEDLAE as estimators of scikit-learn's kind, for a matrix or a DataFrame. Needs no RecBole.

The weights are those of the RecBole model of the same name, digit for digit: the same code solves for them.
"""

from recbole_edlae.estimators.models import DLAE, EDLAE, LowRankEDLAE

__all__ = ["DLAE", "EDLAE", "LowRankEDLAE"]
