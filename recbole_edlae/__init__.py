"""Exact linear autoencoders (EDLAE, DLAE, EASE and low-rank relatives) and deep baselines as RecBole models.

Importing the package registers its models with RecBole, whether RecBole is imported before or after it. It loads
neither RecBole nor torch itself.
"""

from recbole_edlae import _missing
from recbole_edlae.integration import hook

__version__ = "0.1.0"

_missing.arm()
hook.arm()
