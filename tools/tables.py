"""Write the tables of README and docs/ that are generated: `python -m tools.tables`, which is `make tables`.

A table stands between two comments, `<!-- table: NAME -->` and `<!-- end of table -->`. NAME is "repairs" or
"corrections", the rows of integration and its rooms, "settings MODEL", the settings in properties/model/MODEL.yaml, or
"solution MODEL", which is no table but the code by which a reference model of upstream/ finds its weights.
"""

import ast
import pathlib
import re
import textwrap

from recbole_edlae.integration.patches import corrections_as_markdown, repairs_as_markdown
from recbole_edlae.settings.registry import registered
from recbole_edlae.settings.schema import Setting, read_schema
from tools import measured

ROOT = pathlib.Path(__file__).parents[1]
PAGES = ROOT / "docs"
REFERENCES = ROOT / "upstream" / "recbole" / "model" / "general_recommender"
TABLE = re.compile(r"(?P<start><!-- table: (?P<name>[\w ]+) -->\n).*?(?=<!-- end of table -->)", re.DOTALL)
# Tables without a model in their name. "why" and "estimators" are what was measured beside other libraries.
GENERATED = {
    "repairs": repairs_as_markdown,
    "corrections": corrections_as_markdown,
    "why": measured.why,
    "estimators": measured.estimators,
}
RANGE = re.compile(r"(?P<meaning>.*?),? ranging in (?P<range>.*?)\.?$")


def main() -> None:
    """Write the tables into all pages."""
    for page in [ROOT / "README.md", *sorted(PAGES.rglob("*.md"))]:
        text = page.read_text(encoding="utf-8")
        if (updated := with_tables(text)) != text:
            page.write_text(updated, encoding="utf-8")
            print(f"written: {page}")


def with_tables(text: str) -> str:
    """Return the text of a page with its tables as the package makes them now."""
    return TABLE.sub(lambda match: match["start"] + table(match["name"]), text)


def table(name: str) -> str:
    """Return the table of a name as Markdown.

    Raises:
        ValueError: There is no table of that name.
    """
    if name in GENERATED:
        return GENERATED[name]()
    kind, _, model = name.partition(" ")
    if kind == "settings" and model in registered():
        return settings_table(model)
    if kind == "solution" and (REFERENCES / f"{model.lower()}.py").is_file():
        return solution(REFERENCES / f"{model.lower()}.py")
    names = ", ".join(map(repr, GENERATED))
    raise ValueError(f"unknown table {name!r}; there are {names}, 'settings MODEL' and 'solution MODEL'")


def solution(path: pathlib.Path) -> str:
    """Return the method `_solve` of a reference model as Markdown, without its docstring."""
    text = path.read_text(encoding="utf-8")
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef))
    (function,) = (node for node in functions if node.name == "_solve")

    lines = text.splitlines()
    head = lines[function.lineno - 1]
    body = lines[function.body[0].end_lineno : function.end_lineno]
    code = textwrap.dedent("\n".join([head, *body]))
    return f"```python\n{code}\n```\n"


def settings_table(model: str) -> str:
    """Return the table of a model's settings: name, default, allowed values and meaning."""
    lines = ["| setting | default | values | what it does |", "|---|---|---|---|"]
    lines += [settings_row(setting) for setting in read_schema(registered()[model]).values()]
    return "\n".join(lines) + "\n"


def settings_row(setting: Setting) -> str:
    """Return one line of the table."""
    default = "None" if setting.default == "~" else setting.default
    ranged = RANGE.match(setting.meaning)
    meaning = ranged["meaning"] + "." if ranged else setting.meaning
    return f"| `{setting.key}` | `{default}` | {values(setting, ranged)} | {meaning} |"


def values(setting: Setting, ranged: re.Match | None) -> str:
    """Return what a setting may be: its choices, or its types and their range."""
    if setting.choices:
        return ", ".join(f"`{choice}`" for choice in setting.choices)
    kind, *others = setting.type.split(" or ")
    interval = f" in {ranged['range']}" if ranged else ""
    return " or ".join([kind + interval, *others])


if __name__ == "__main__":
    main()
