"""Write the table of changes to RecBole into the page "RecBole on a current stack": `python -m tools.patch_table`."""

import pathlib

from recbole_edlae.integration.patches import as_markdown

PAGE = pathlib.Path(__file__).parents[1] / "docs" / "recbole.md"
HEAD = "| in RecBole |"  # where the table begins, at the end of the page


def main() -> None:
    """Replace the table at the end of the page."""
    text, _, _ = PAGE.read_text(encoding="utf-8").partition(HEAD)
    PAGE.write_text(text + as_markdown(), encoding="utf-8")


if __name__ == "__main__":
    main()
