"""Compiled loops over the rows of a packed matrix; they run in threads."""

import numpy as np

from recbole_edlae.solvers._compiled import compiled

WIDTH = 64  # columns of a panel
_STREAMS = 8  # columns that are transposed at a time: as many as a processor fetches ahead


@compiled
def add_rows(
    values: np.ndarray,
    offsets: np.ndarray,
    bounds: np.ndarray,
    scale: np.ndarray,
    rows: np.ndarray,
    sources: np.ndarray,
    indptr: np.ndarray,
    sums: np.ndarray,
    part: int,
) -> None:
    """Add the columns of one part of the rows of each history; ``sources`` are the parts that the rows are in."""
    first, last = bounds[part], bounds[part + 1]
    for user in range(len(indptr) - 1):
        target = sums[user, first:last]
        for position in range(indptr[user], indptr[user + 1]):
            row = rows[position]
            factor = scale[row] if len(scale) else values.dtype.type(1)
            source = sources[position]
            local = row - bounds[source]
            if source <= part:
                start, step = offsets[part, source] + local * (last - first), 1
            else:
                start, step = offsets[source, part] + local, bounds[source + 1] - bounds[source]
            if step == 1:
                column = values[start : start + last - first]
                for j in range(last - first):
                    target[j] += factor * column[j]
            else:
                for j in range(last - first):
                    target[j] += factor * values[start + j * step]


@compiled
def copy_tile(
    values: np.ndarray,
    offsets: np.ndarray,
    bounds: np.ndarray,
    scale: np.ndarray,
    panels: np.ndarray,
    part: int,
    source: int,
) -> None:
    """Copy the columns of one part and the rows of another to panels[column // WIDTH, row, column % WIDTH]."""
    low, height = bounds[source], bounds[source + 1] - bounds[source]
    width = bounds[part + 1] - bounds[part]
    if source <= part:
        for i in range(height):
            start = offsets[part, source] + i * width
            for begin in range(0, width, WIDTH):
                end = min(begin + WIDTH, width)
                panels[begin // WIDTH, low + i, : end - begin] = values[start + begin : start + end]
    else:
        _transpose_tile(values, offsets[source, part], low, height, width, panels)
    if len(scale):
        for panel in range((width + WIDTH - 1) // WIDTH):
            for i in range(low, low + height):
                panels[panel, i] *= scale[i]


@compiled
def _transpose_tile(values: np.ndarray, offset: int, low: int, height: int, width: int, panels: np.ndarray) -> None:
    """Copy a tile whose columns are contiguous, several columns at a time."""
    for begin in range(0, width, _STREAMS):
        streams = min(_STREAMS, width - begin)
        panel, first = begin // WIDTH, begin % WIDTH
        start = offset + begin * height
        if streams == _STREAMS:
            for i in range(height):
                target = panels[panel, low + i, first : first + _STREAMS]
                for j in range(_STREAMS):
                    target[j] = values[start + j * height + i]
        else:
            for j in range(streams):
                for i in range(height):
                    panels[panel, low + i, first + j] = values[start + j * height + i]


@compiled
def add_panel(panels: np.ndarray, rows: np.ndarray, indptr: np.ndarray, sums: np.ndarray, number: int) -> None:
    """Add one panel's rows of each history, in their order, four at a time."""
    panel = panels[number]
    first = number * WIDTH
    last = min(first + WIDTH, sums.shape[1])
    total = np.empty(WIDTH, dtype=panel.dtype)
    for user in range(len(indptr) - 1):
        total[:] = 0
        position, end = indptr[user], indptr[user + 1]
        while position + 4 <= end:
            a, b = panel[rows[position]], panel[rows[position + 1]]
            c, d = panel[rows[position + 2]], panel[rows[position + 3]]
            for j in range(WIDTH):
                total[j] = (((total[j] + a[j]) + b[j]) + c[j]) + d[j]
            position += 4
        while position < end:
            a = panel[rows[position]]
            for j in range(WIDTH):
                total[j] += a[j]
            position += 1
        sums[user, first:last] = total[: last - first]
