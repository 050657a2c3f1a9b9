"""Keep the earlier import path of :func:`recbole_edlae.convert.convert_csv`."""

from recbole_edlae.convert import Conversion, convert_csv

__all__ = ["Conversion", "convert_csv"]
