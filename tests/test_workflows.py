"""What GitHub and pre-commit read: workflows that call the Makefile's targets on the supported versions."""

import configparser
import re

import pytest
import yaml

from recbole_edlae import __version__
from tests.conftest import ROOT

WORKFLOWS = {path.name: path for path in (ROOT / ".github" / "workflows").glob("*.yml")}
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))


def jobs(name):
    return yaml.safe_load(WORKFLOWS[name].read_text())["jobs"]


def supported():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    return set(re.findall(r"Python :: (3\.\d+)$", setup["metadata"]["classifiers"], re.M))


def test_there_are_three():
    assert set(WORKFLOWS) == {"test.yml", "release.yml", "docs.yml"}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_targets_are_in_the_makefile(name):
    called = set()
    for job in jobs(name).values():
        matrix = job.get("strategy", {}).get("matrix", {}).get("include", [{}])
        for step in job["steps"]:
            for row in matrix:
                command = re.sub(
                    r"\$\{\{ matrix\.(\w+) \}\}", lambda found, row=row: row[found[1]], step.get("run", "")
                )
                called |= set(re.findall(r"^make ([a-z-]+)", command, re.M))
    assert called and called <= TARGETS


def test_every_supported_python_is_tested_and_gets_the_wheel():
    rows = jobs("test.yml")["test"]["strategy"]["matrix"]["include"]
    assert {row["python"] for row in rows} == supported()
    assert [row["python"] for row in rows if row["target"] == "test"] == ["3.11"]  # the locked versions
    assert set(jobs("release.yml")["install"]["strategy"]["matrix"]["python"]) == supported()


def test_only_publishing_may_ask_for_an_identity_and_no_secret_is_used():
    for name, path in WORKFLOWS.items():
        text = path.read_text()
        assert "secrets." not in text and "password" not in text.partition("\n")[2]
        assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
        with_identity = [
            job for job, content in jobs(name).items() if "id-token" in content.get("permissions", {})
        ]
        assert with_identity == ([] if name == "test.yml" else ["publish"])
    pages = jobs("docs.yml")["publish"]
    assert pages["needs"] == "build" and pages["permissions"] == {"pages": "write", "id-token": "write"}
    assert pages["if"] == "github.ref == 'refs/heads/main'" and pages["environment"] == "github-pages"
    publish = jobs("release.yml")["publish"]
    assert set(publish["needs"]) == {"build", "install"} and publish["environment"] == "pypi"


def test_pre_commit_has_the_locked_ruff():
    (ruff,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [hook["id"] for hook in ruff["hooks"]] == ["ruff-check", "ruff-format"]
    assert f"ruff=={ruff['rev'].removeprefix('v')}" in (ROOT / "requirements.lock").read_text().splitlines()


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["version"] == __version__
    assert f"{{{__version__}}}" in (ROOT / "docs" / "citing.md").read_text(encoding="utf-8")
    assert f"recbole_edlae {__version__}," in (ROOT / "mkdocs.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.md")), ids=lambda path: path.stem
)
def test_issue_templates_have_a_name(path):
    _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    assert {"name", "about"} <= yaml.safe_load(front).keys() and body.strip()
