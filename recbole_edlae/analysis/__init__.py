"""Measure in trained models what the papers' theory is about. Works on matrices and on any model of this package.

``encoder_properties`` and ``effective_dimension`` (Susman 2024), ``item_similarities`` and ``median_cosine`` (Steck
2020), ``svd_bound`` and ``squared_error`` (Steck & Garcia 2021).
"""

from recbole_edlae.analysis.encoder import EncoderProperties, effective_dimension, encoder_properties
from recbole_edlae.analysis.similarity import ItemSimilarities, item_similarities, median_cosine
from recbole_edlae.analysis.training_error import squared_error, svd_bound

__all__ = [
    "EncoderProperties",
    "ItemSimilarities",
    "effective_dimension",
    "encoder_properties",
    "item_similarities",
    "median_cosine",
    "squared_error",
    "svd_bound",
]
