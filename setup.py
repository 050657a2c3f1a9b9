"""Make the README's links absolute, for the page on PyPI. Everything else is in setup.cfg."""

import configparser
import pathlib
import re

from setuptools import setup

ROOT = pathlib.Path(__file__).parent


def long_description() -> str:
    """Return the README with links to the repository, at the tag of this version, in place of relative ones."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    urls = dict(line.split(" = ") for line in config["metadata"]["project_urls"].strip().splitlines())
    package = (ROOT / "recbole_edlae" / "__init__.py").read_text(encoding="utf-8")
    version = re.search(r'^__version__ = "(.*)"', package, re.MULTILINE)[1]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    def link(match: re.Match) -> str:
        page = "raw" if match["image"] else "blob"  # GitHub shows a picture, or a page
        return f"{match['image']}[{match['text']}]({urls['Source']}/{page}/v{version}/{match['target']})"

    return re.sub(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<target>(?!https://|#)[^)]+)\)", link, readme)


if __name__ == "__main__":
    setup(long_description=long_description(), long_description_content_type="text/markdown")
