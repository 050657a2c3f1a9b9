"""Escape names that users chose, so that no output format reads a command in them."""

import re

_MARKDOWN = re.compile(r"[\\`*_\[\]<>|~&$]")
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")  # the last four are wide forms of the others
_LATEX = str.maketrans(
    {
        "{": r"\{",
        "}": r"\}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "[": "{[}",  # after \\ this and the next two are its options
        "]": "{]}",
        "*": "{*}",
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
    }
)


def line(text: str) -> str:
    r"""Return a text on one line, without control characters.

    Examples:
        >>> line("two\n lines")
        'two lines'
    """
    single_spaced = " ".join(text.split())
    return "".join(filter(str.isprintable, single_spaced))


def markdown(text: str) -> str:
    r"""Return a text for a cell or a sentence of Markdown.

    Examples:
        >>> print(markdown("a|b *c* <d>"))
        a\|b \*c\* \<d\>
    """
    return _MARKDOWN.sub(r"\\\g<0>", line(text))


def latex(text: str) -> str:
    r"""Return a text for a cell or a sentence of LaTeX.

    Examples:
        >>> print(latex(r"\input{a_b} & 50 %"))
        \textbackslash{}input\{a\_b\} \& 50 \%
    """
    return line(text).translate(_LATEX)


def latex_label(text: str) -> str:
    """Return a text as the name of a label in LaTeX, made of letters, digits and _:.- only.

    Examples:
        >>> latex_label("ml-100k"), latex_label("{my} data")
        ('ml-100k', '-my-data')
    """
    return re.sub(r"[^\w:.-]+", "-", text, flags=re.ASCII)


def spreadsheet(text: str) -> str:
    """Return a text for a cell of a CSV file, on one line, that no spreadsheet takes for a formula.

    Examples:
        >>> spreadsheet("EDLAE"), spreadsheet("=1+1")
        ('EDLAE', "'=1+1")
    """
    # A line break or a control character would end the cell in some programs.
    cell = ""
    for character in text:
        if not character.isprintable():
            character = " "
        cell += character

    # After an apostrophe spreadsheets read text.
    if _FORMULA.match(cell):
        return f"'{cell}"
    return cell
