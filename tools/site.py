"""Gather the pages of the documentation's site in a folder: `python -m tools.site build/docs`.

The pages of docs/ are copied. Beside them come the changelog, MathJax, the notebooks with their outputs, and a page
for every file of the repository that a page links to. `make docs` then builds the site, by mkdocs.yml.
"""

import argparse
import os
import pathlib
import re
import shutil
from importlib import resources

ROOT = pathlib.Path(__file__).parents[1]
DOCS = ROOT / "docs"
CHANGELOG = ROOT / "CHANGELOG.md"
LANGUAGES = {".py": "python", ".yaml": "yaml", ".yml": "yaml", ".cff": "yaml", ".html": "html"}
LINK = re.compile(r"\]\((?P<target>\.\./[^)#\s]+)")


def main() -> None:
    """Read the command line and gather the pages."""
    parser = argparse.ArgumentParser(prog="python -m tools.site", description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=pathlib.Path, help="written anew")
    gather(parser.parse_args().folder.resolve())


def gather(folder: pathlib.Path) -> None:
    """Write all pages of the site and what they show into a folder, which is removed first."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(DOCS, folder)
    shutil.copy(CHANGELOG, folder / "changelog.md")
    script = resources.files("mathjax") / "static" / "mathjax" / "es5" / "tex-svg.js"
    (folder / "assets" / "mathjax.js").write_bytes(script.read_bytes())
    linked: set[pathlib.Path] = set()
    for page in sorted(DOCS.rglob("*.md")):
        linked |= point_into_site(page, folder)
    for path in linked - {CHANGELOG}:
        write_source(path, folder)


def point_into_site(page: pathlib.Path, folder: pathlib.Path) -> set[pathlib.Path]:
    """Point a page's links to files outside of docs/ to their pages in the site; return these files."""
    linked = set()

    def link(match: re.Match) -> str:
        path = (page.parent / match["target"]).resolve()
        if path.is_relative_to(DOCS):
            return match[0]
        if not path.exists():
            raise FileNotFoundError(f"{page} links to {match['target']}, which does not exist")
        linked.add(path)
        return "](" + os.path.relpath(DOCS / source_page(path), page.parent)

    text = LINK.sub(link, page.read_text(encoding="utf-8"))
    (folder / page.relative_to(DOCS)).write_text(text, encoding="utf-8")
    return linked


def source_page(path: pathlib.Path) -> str:
    """Return the place in the site where a file of the repository is shown."""
    if path == CHANGELOG:
        return "changelog.md"
    name = path.relative_to(ROOT).as_posix().lstrip(".")  # folders with a dot are not built
    return f"source/{name}.md"


def write_source(path: pathlib.Path, folder: pathlib.Path) -> None:
    """Write the page that shows a file, or one that lists a folder and those of its files."""
    name = path.relative_to(ROOT).as_posix()
    if path.is_dir():
        children = sorted(child for child in path.iterdir() if child.is_file())
        body = "\n".join(f"* [{child.name}]({path.name}/{child.name}.md)" for child in children)
        for child in children:
            write_source(child, folder)
    else:
        language = LANGUAGES.get(path.suffix, "text")
        body = f"~~~~~~{language}\n{path.read_text(encoding='utf-8').rstrip()}\n~~~~~~"
    page = folder / source_page(path)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(f"---\nsearch:\n  exclude: true\n---\n# {name}\n\n{body}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
