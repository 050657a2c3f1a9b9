"""Makes a table and a plot of what the benchmarks measured.

    python benchmarks/plot.py FOLDER        # of the JSON files; writes FOLDER/benchmarks.md and benchmarks.png

In the plot, a panel for every file whose rows have seconds; the bars are on one scale within a panel only.
"""

import json
import pathlib
import sys


def table(name, found):
    """Markdown of one file."""
    rows = [
        {key: value for key, value in row.items() if not isinstance(value, list)} for row in found["rows"]
    ]
    facts = {key: value for key, value in found.items() if key not in ("machine", "rows")}
    machine = found["machine"]
    lines = [
        f"## {name}",
        "",
        ", ".join(f"{key} {value}" for key, value in facts.items()) + ".",
        f"{machine['cpu']}, {machine['cores']} cores, {machine['threads']} threads, load {machine['load']:.1f}.",
        "",
        "| " + " | ".join(rows[0]) + " |",
        "|" + "---|" * len(rows[0]),
        *("| " + " | ".join(map(_text, row.values())) + " |" for row in rows),
        "",
    ]
    return "\n".join(lines)


def bars(found):
    """Label → seconds of a file's rows; a file with a column a model has a bar for each phase and model."""
    rows = found["rows"]
    if "seconds" in rows[0]:
        return {str(next(iter(row.values()))): row["seconds"] for row in rows}
    if "phase" in rows[0]:
        return {f"{row['phase']}, {name}": row[name] for row in rows for name in list(row)[1:]}
    return {}


def plot(found, path):
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    panels = {name: measured for name, each in found.items() if (measured := bars(each))}
    heights = [len(measured) + 1 for measured in panels.values()]
    figure, axes = pyplot.subplots(
        len(panels), figsize=(8, 0.3 * sum(heights) + 0.6 * len(panels)), height_ratios=heights, squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for axis, (name, measured) in zip(axes[:, 0], panels.items()):
        drawn = axis.barh(list(measured), list(measured.values()))
        axis.bar_label(drawn, fmt="%.3g s", padding=3)
        axis.invert_yaxis()
        axis.margins(x=0.15)
        axis.set_title(name, loc="left")
        axis.set_xlabel("seconds")
    figure.savefig(path, dpi=120)


def main(folder):
    files = sorted(pathlib.Path(folder).glob("*.json"))
    if not files:
        sys.exit(f"no JSON file in {folder}")
    found = {file.stem: json.loads(file.read_text()) for file in files}
    text = "\n".join(table(name, each) for name, each in found.items())
    pathlib.Path(folder, "benchmarks.md").write_text(text)
    plot(found, pathlib.Path(folder, "benchmarks.png"))
    print(text)


def _text(value):
    return f"{value:.3g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
