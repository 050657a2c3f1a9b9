"""Exact linear autoencoders (EDLAE, DLAE, EASE and low-rank relatives) and deep baselines as RecBole models.

Importing the package registers its models with RecBole, whether RecBole is imported before or after it. It loads
neither RecBole nor torch itself.
"""

import importlib.util
import sys

from recbole_edlae.integration import hook

__version__ = "0.1.0"

# A loaded module need not have a finder.
if "recbole" not in sys.modules and importlib.util.find_spec("recbole") is None:
    from recbole_edlae import _missing

    _missing.arm()
hook.arm()
