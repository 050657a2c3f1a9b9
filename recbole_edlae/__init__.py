"""Linear and deep autoencoders for RecBole. Importing this package makes its models RecBole's own."""

import importlib.util

__version__ = "0.1.0"

if importlib.util.find_spec("recbole") is not None:  # the solvers serve without it
    from recbole_edlae.integration import models as registry

    registry.register_all()
