"""Load matplotlib, which only the commands that draw need."""

from types import ModuleType


def load_pyplot() -> ModuleType:
    """Return matplotlib.pyplot, set up to draw into files.

    Raises:
        ValueError: matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError:
        raise ValueError("the plot needs matplotlib: pip install 'recbole_edlae[plot]'") from None

    # The choice has to come before pyplot is imported; a window would need a display.
    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot
