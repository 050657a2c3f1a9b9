"""What every figure or table of a paper has."""

import abc
from typing import Any, ClassVar

from recbole_edlae.papers.claims import Verdict
from recbole_edlae.papers.study import Study


class Figure(abc.ABC):
    """One figure or table of a paper: measured on a dataset, checked against the paper's claims, drawn.

    Attributes:
        name: as `recbole-edlae reproduce` calls it.
        title: heading on the results page.
        claims: what the paper says, a sentence each.
        size: of the picture, width and height in inches.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    claims: ClassVar[tuple[str, ...]]
    size: ClassVar[tuple[float, float]] = (6, 3.6)

    @abc.abstractmethod
    def measure(self, study: Study) -> dict[str, Any]:
        """Return the measurements as what JSON can hold.

        Args:
            study: the dataset and the protocol to measure under.
        """

    @abc.abstractmethod
    def verdicts(self, data: dict[str, Any]) -> list[Verdict]:
        """Return for each claim whether it holds in what was measured.

        Args:
            data: as :meth:`measure` returns it.
        """

    @abc.abstractmethod
    def table(self, data: dict[str, Any]) -> str:
        """Return the measurements as a Markdown table.

        Args:
            data: as :meth:`measure` returns it.
        """

    @abc.abstractmethod
    def draw(self, data: dict[str, Any], figure: Any) -> None:
        """Draw the measurements.

        Args:
            data: as :meth:`measure` returns it.
            figure: an empty figure of matplotlib.
        """
