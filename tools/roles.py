"""An extension of griffe: roles of reStructuredText in docstrings become Markdown. Named in mkdocs.yml."""

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?P<role>math|class|mod|func|meth|attr|data|exc):`(?P<shortened>~?)(?P<text>[^`]*)`")


class Roles(griffe.Extension):
    """Rewrite the roles of every docstring that griffe collects."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of a module, class, function or attribute."""
        if obj.docstring:
            obj.docstring.value = in_markdown(obj.docstring.value)


def in_markdown(docstring: str) -> str:
    """Return the text with formulas between dollar signs and names as code.

    Examples:
        >>> in_markdown("The scores are :math:`x^T B`, see :meth:`~recbole_edlae.nn.Rows.of`.")
        'The scores are $x^T B$, see `of`.'
    """

    def rewritten(match: re.Match) -> str:
        if match["role"] == "math":
            return f"${match['text']}$"
        name = match["text"].rpartition(".")[2] if match["shortened"] else match["text"]
        return f"`{name}`"

    return ROLE.sub(rewritten, docstring)
