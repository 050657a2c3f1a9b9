"""What PyPI shows of a release: links that lead to the repository, and a README with nothing relative in it."""

import configparser
import importlib.util
import re

from recbole_edlae import __version__
from tests.conftest import ROOT


def urls():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    return dict(line.split(" = ") for line in config["metadata"]["project_urls"].strip().splitlines())


def long_description():
    spec = importlib.util.spec_from_file_location("setup", ROOT / "setup.py")
    setup = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(setup)
    return setup.long_description()


def test_all_links_of_the_project_are_into_its_repository():
    source = urls()["Source"]
    assert source.startswith("https://github.com/") and all(
        url.startswith(source) for url in urls().values()
    )
    assert {"Documentation", "Changelog", "Issues"} < urls().keys()


def test_every_link_of_the_readme_leads_to_the_file_at_the_tag_of_the_version():
    text = long_description()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"(!?)\[[^\]]*\]\(([^)]+)\)", text)
    assert len(links) == len(re.findall(r"\]\([^)]+\)", readme)) > 15
    local = [(image, url) for image, url in links if url.startswith(urls()["Source"])]
    assert all(url.startswith("https://") for _, url in links) and len(local) > 15
    for image, url in local:
        page, tag, path = url.removeprefix(f"{urls()['Source']}/").split("/", 2)
        assert (page, tag) == ("raw" if image else "blob", f"v{__version__}")
        assert (ROOT / path.partition("#")[0]).is_file(), url


def test_the_readme_is_otherwise_as_it_is_here():
    def without_targets(text):
        return re.sub(r"\]\([^)]+\)", "]", text)

    assert without_targets(long_description()) == without_targets(
        (ROOT / "README.md").read_text(encoding="utf-8")
    )


def test_the_page_of_installation_has_the_versions_that_are_required():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    required = dict(re.findall(r"^([\w-]+) *>=([\d.]+)", config["options"]["install_requires"], re.M))
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\w[\w-]*) \| .*?([\d.]+\d) (?:and newer )?\|$", page, re.M))
    names = {
        "PyTorch": "torch",
        "NumPy": "numpy",
        "SciPy": "scipy",
        "pandas": "pandas",
        "scikit-learn": "scikit-learn",
    }
    assert {name: rows[name] for name in names} == {
        name: required[package] for name, package in names.items()
    }
