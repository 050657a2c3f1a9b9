"""Write the files of the activation study: its runs, a table of their spread over seeds, and a picture."""

import json
import os
import pathlib
from collections.abc import Sequence

from recbole_edlae._files import atomic_file, write_atomically
from recbole_edlae.papers.activations import Trained, as_table, correlations
from recbole_edlae.papers.plot import load_pyplot

_IN_TABLE = (
    "order_agreement",
    "order_ties",
    "zero_codes",
    "effective_dimension",
)
_IN_PLOT = (
    "order_agreement",
    "zero_entries",
    "effective_dimension",
)


def spread_table(runs: Sequence[Trained], metric: str) -> str:
    """Return mean and standard deviation over seeds, an activation a line, the best by a test metric first."""
    # A single seed has no deviation.
    columns = [metric, *_IN_TABLE]
    groups = as_table(runs).groupby("activation")[columns]
    means = groups.mean().sort_values([metric, "activation"], ascending=False)
    deviations = groups.std().fillna(0)

    # Columns of fixed width, for a terminal.
    line = "{:<14}" + "{:>22}" * len(columns)
    lines = [line.format("", *columns)]
    for activation, values in means.iterrows():
        pairs = zip(values, deviations.loc[activation])
        lines.append(line.format(activation, *map("{0[0]:.4f} ± {0[1]:.4f}".format, pairs)))
    return "\n".join(lines)


def write(runs: Sequence[Trained], folder: str | os.PathLike, metric: str) -> None:
    """Write runs.json, table.txt and properties.png into a folder."""
    # Without matplotlib nothing is written.
    pyplot = load_pyplot()
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    content = {"runs": runs, "spearman": correlations(runs)}
    write_atomically(folder / "runs.json", json.dumps(content, indent=1) + "\n")
    write_atomically(folder / "table.txt", spread_table(runs, metric) + "\n")

    # A panel for each property, with the metric on the shared axis.
    width = 4 * len(_IN_PLOT)
    picture, panels = pyplot.subplots(1, len(_IN_PLOT), figsize=(width, 3.6), sharey=True)
    panels[0].set_ylabel(metric)
    for panel, name in zip(panels, _IN_PLOT):
        for activation, group in as_table(runs).groupby("activation", sort=False):
            panel.plot(group[name], group[metric], "o", label=activation)
        panel.set_xlabel(name.replace("_", " "))

    # Thirteen activations leave no room for the legend in a panel.
    beside = (1.02, 1)
    panel.legend(fontsize="small", bbox_to_anchor=beside, loc="upper left")

    with atomic_file(folder / "properties.png") as file:
        picture.savefig(file, format="png", dpi=150, bbox_inches="tight")
    pyplot.close(picture)
