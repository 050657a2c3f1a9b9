"""Convert CSV files of interactions to RecBole's atomic files. Nothing here needs RecBole."""

from recbole_edlae.convert.conversion import Conversion, convert_csv

__all__ = ["Conversion", "convert_csv"]
