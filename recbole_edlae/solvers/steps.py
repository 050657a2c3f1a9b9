"""Steps of the solvers that a caller may take by itself, to keep or to restore what comes between them.

As in the package, a name is loaded when it is first asked for; ``steps.pyi`` says which module has it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub("recbole_edlae.solvers", __file__)
