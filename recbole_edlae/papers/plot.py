"""Load matplotlib, which only the commands that draw need."""

from types import ModuleType


def load_pyplot() -> ModuleType:
    """Return matplotlib.pyplot, drawing to files.

    Raises:
        ValueError: matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError:
        raise ValueError("the plot needs matplotlib: pip install 'recbole_edlae[plot]'") from None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot
