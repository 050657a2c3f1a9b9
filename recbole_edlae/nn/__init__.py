"""Deep autoencoders over sparse rows, in torch. Knows nothing of RecBole.

Rows: ``Rows``, ``binary_rows``, ``SparseLinear``.
Networks: ``AutoEncoder``, ``VariationalAutoEncoder`` with ``negative_bound`` and ``gaussian_kl``; their parts
``Encoder`` and ``Decoder``; ``activation``; ``squared_weights``.
Training: corruption by ``dropout`` and ``gaussian`` with ``entry_weights``; ``loss``; ``latent_penalty``.
Scores of two networks on one scale: ``standardize_``.

As in ``recbole_edlae.solvers``, a name is loaded when it is first asked for; ``__init__.pyi`` says which module has it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
