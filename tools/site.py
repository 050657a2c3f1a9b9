"""Gather the pages of the documentation's site in a folder: `python -m tools.site build/docs`.

The pages of docs/ are copied. Beside them come the changelog, MathJax, the notebooks with their outputs, and a page
for every file of the repository that a page links to. `make docs` then builds the site, by mkdocs.yml.
"""

import argparse
import os
import pathlib
import re
import shutil
import tempfile
from importlib import resources

import nbformat
from nbclient import NotebookClient
from nbconvert import MarkdownExporter
from traitlets.config import Config

ROOT = pathlib.Path(__file__).parents[1]
DOCS = ROOT / "docs"
CHANGELOG = ROOT / "CHANGELOG.md"
LANGUAGES = {".py": "python", ".yaml": "yaml", ".yml": "yaml", ".cff": "yaml", ".html": "html"}
LINK = re.compile(r"\]\((?P<target>\.\./[^)#\s]+)")
NOTEBOOK_LINK = re.compile(r"\]\((?P<target>(?!https?:)[^)#\s]+)\.ipynb")

# Otherwise kernels warn of their open ports.
ENCRYPTED = Config({"KernelManager": {"transport_encryption": "auto"}})

# Of a command's progress, in the terminal that a notebook gives it.
BAR = re.compile(r"^.*\d%\|.*\n", re.MULTILINE)
STYLE = re.compile(r"<style scoped>.*?</style>\n?", re.DOTALL)  # of pandas; the site has its own


def main() -> None:
    """Read the command line and gather the pages."""
    parser = argparse.ArgumentParser(prog="python -m tools.site", description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=pathlib.Path, help="written anew")
    gather(parser.parse_args().folder.resolve())


def gather(folder: pathlib.Path) -> None:
    """Write all pages of the site and what they show into a folder, which is removed first."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(DOCS, folder)
    write_page(folder / "changelog.md", CHANGELOG.read_text(encoding="utf-8"), CHANGELOG)
    script = resources.files("mathjax") / "static" / "mathjax" / "es5" / "tex-svg.js"
    (folder / "assets" / "mathjax.js").write_bytes(script.read_bytes())
    for notebook in sorted(DOCS.rglob("*.ipynb")):
        write_notebook(notebook, (folder / notebook.relative_to(DOCS)).with_suffix(".md"))
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
    text = NOTEBOOK_LINK.sub(lambda match: f"]({match['target']}.md", text)
    (folder / page.relative_to(DOCS)).write_text(text, encoding="utf-8")
    return linked


def write_notebook(notebook: pathlib.Path, page: pathlib.Path) -> None:
    """Execute a notebook in a folder of its own, and write it with its outputs as a page and pictures."""
    content = nbformat.read(notebook, as_version=4)
    environment = {**os.environ, "TERM": "dumb", "TQDM_DISABLE": "1"}
    with tempfile.TemporaryDirectory() as folder:
        place = {"metadata": {"path": folder}}
        client = NotebookClient(
            content, timeout=600, resources=place, coalesce_streams=True, config=ENCRYPTED
        )
        client.execute(env=environment)
    text, parts = MarkdownExporter().from_notebook_node(content, {"unique_key": page.stem})
    text = text.replace(f"{os.path.realpath(folder)}/", "")
    text = BAR.sub("", text.replace("\r\n", "\n"))
    for name, picture in parts["outputs"].items():
        (page.parent / name).write_bytes(picture)
    text = text.replace("![png]", "![drawn by the code above]")
    text = STYLE.sub("", text).replace('<table border="1" class="dataframe">', "<table>")
    title, _, body = text.lstrip().partition("\n")
    note = f'[Download this notebook]({page.stem}.ipynb "without outputs"){{ download }}'
    write_page(page, f"{title}\n\n{note}\n{body}", notebook)


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
    write_page(page, f"# {name}\n\n{body}\n", path, "search:\n  exclude: true\n")


def write_page(page: pathlib.Path, text: str, source: pathlib.Path, settings: str = "") -> None:
    """Write a page that is no file of docs/, and where the repository has what it is made from."""
    kind = "tree" if source.is_dir() else "edit"
    made_from = f"made_from: {kind}/main/{source.relative_to(ROOT).as_posix()}\n"
    page.write_text(f"---\n{made_from}{settings}---\n{text}", encoding="utf-8")


if __name__ == "__main__":
    main()
