"""Define the interface of every figure or table of a paper."""

import abc
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from recbole_edlae.papers.claims import Verdict
from recbole_edlae.papers.study import Study


class Figure(abc.ABC):
    """One figure or table of a paper: measured on a dataset, checked against the paper's claims, drawn.

    Attributes:
        name: name in `recbole-edlae reproduce`.
        title: heading on the results page.
        claims: claims of the paper, a sentence each.
        size: width and height of the picture in inches.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    claims: ClassVar[tuple[str, ...]]
    size: ClassVar[tuple[float, float]] = (6, 3.6)

    @abc.abstractmethod
    def measure(self, study: Study) -> dict[str, Any]:
        """Return the measurements in types that JSON can hold."""

    @abc.abstractmethod
    def verdicts(self, data: dict[str, Any]) -> list[Verdict]:
        """Return for each claim whether it holds in what was measured."""

    @abc.abstractmethod
    def table(self, data: dict[str, Any]) -> str:
        """Return the measurements as a Markdown table."""

    @abc.abstractmethod
    def draw(self, data: dict[str, Any], figure: Any) -> None:
        """Draw the measurements."""


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown.

    Examples:
        >>> print(markdown_table(["model", "rank 10"], [["EDLAE", "0.3"]]))
        | model | rank 10 |
        |---|---|
        | EDLAE | 0.3 |
    """
    # The columns are not aligned: Markdown does not need it.
    lines = [_line(head), "|" + "---|" * len(head)]
    lines += map(_line, rows)
    return "\n".join(lines)


def cells(values: Iterable[float], style: str = ".4f") -> list[str]:
    """Return numbers as the cells of a row.

    Examples:
        >>> cells([0.5, 0.25])
        ['0.5000', '0.2500']
    """
    return [format(value, style) for value in values]


def settings_text(settings: Mapping[str, float]) -> str:
    """Return settings as part of a sentence in Markdown.

    Examples:
        >>> settings_text({"reg_weight": 500.0, "dropout_prob": 0.33})
        '`reg_weight` 500, `dropout_prob` 0.33'
    """
    return ", ".join(f"`{name}` {value:g}" for name, value in settings.items())


def _line(cells: Sequence[str]) -> str:
    """Return one line of a table."""
    return f"| {' | '.join(cells)} |"
