"""The built site: `make docs-check` builds it and names its folder in RECBOLE_EDLAE_SITE."""

import functools
import html.parser
import http.server
import importlib
import os
import pathlib
import re
import threading
import urllib.parse

import pytest

from tests.conftest import ROOT

SITE = pathlib.Path(os.environ.get("RECBOLE_EDLAE_SITE", ROOT / "no site"))
PAGES = sorted(SITE.rglob("*.html"))
SOURCES = [
    page for page in PAGES if page.is_relative_to(SITE / "source")
]  # files of the repository, all of one layout
REPOSITORY = "https://github.com/recbole-edlae/recbole_edlae"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PAGES, reason="no built site in RECBOLE_EDLAE_SITE; make docs-check builds one"),
]
NUMBERS = """
const count = selector => document.querySelectorAll(selector).length;
return [count('.arithmatex'), count('.arithmatex mjx-container'), count('[data-mml-node="merror"]'),
        document.documentElement.scrollWidth - innerWidth];
"""


class Page(html.parser.HTMLParser):
    """The ids of a page, and what it refers to."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.targets = set(), set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("id", "name"):
                self.ids.add(value)
            elif name in ("href", "src") and value:
                self.targets.add(value)


@functools.cache
def parsed(path):
    return Page(path)


def has_anchor(file, anchor):
    return not anchor or file.suffix != ".html" or anchor in parsed(file).ids


@pytest.fixture(scope="module")
def address():
    """The site, served as it would be."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=SITE)
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_every_link_and_anchor_is_there():
    broken = []
    for path in PAGES:
        for target in parsed(path).targets:
            link = urllib.parse.urlsplit(target)
            if link.scheme or link.netloc or path.name == "404.html":
                continue
            file = (path.parent / urllib.parse.unquote(link.path)).resolve() if link.path else path
            if not file.is_file() or not has_anchor(file, link.fragment):
                broken.append((path.name, target))
    assert broken == []


def test_every_page_leads_to_the_file_that_it_is_made_from():
    missing = []
    for path in PAGES:
        if path.name == "404.html":
            continue
        links = [target for target in parsed(path).targets if target.startswith(REPOSITORY)]
        sources = [re.sub(r"^/(edit|tree)/main/", "", link.removeprefix(REPOSITORY)) for link in links]
        if "" not in sources or not any(source and (ROOT / source).exists() for source in sources):
            missing.append((path.name, links))
    assert missing == []


@pytest.mark.parametrize("package", ["solvers", "nn", "analysis"])
def test_public_names_are_in_the_reference(package):
    module = importlib.import_module(f"recbole_edlae.{package}")
    ids = parsed(SITE / "api" / f"{package}.html").ids
    assert [name for name in module.__all__ if f"{module.__name__}.{name}" not in ids] == []


def test_pages_ask_nothing_of_another_host():
    outside = {
        target
        for path in PAGES
        for tag in ("script", "img", "link")
        for target in resources(path, tag)
        if urllib.parse.urlsplit(target).netloc
    }
    assert outside == set()


def resources(path, tag):
    """What a page loads by a kind of element."""
    loaded = []

    class Loaded(html.parser.HTMLParser):
        def handle_starttag(self, name, attrs):
            attrs = dict(attrs)
            if name == tag and attrs.get("rel") != "canonical":
                loaded.extend(attrs[key] for key in ("src", "href") if attrs.get(key))

    Loaded().feed(path.read_text(encoding="utf-8"))
    return loaded


def test_pages_open_without_an_error_and_typeset_every_formula(browser, address):
    wrong = {}
    for path in [page for page in PAGES if page not in SOURCES] + SOURCES[::10]:
        name = path.relative_to(SITE).as_posix()
        browser.call("/url", url=f"{address}/{name}")
        browser.run("return window.MathJax?.startup?.promise")
        formulas, typeset, errors, too_wide = browser.run(NUMBERS)
        said = [each["message"] for each in browser.log("browser") if each["level"] != "INFO"]
        asked = [url for url in browser.requests() if not url.startswith((address, "data:", "blob:"))]
        if said or asked or errors or formulas != typeset or too_wide > 0:
            wrong[name] = (said, asked, formulas, typeset, errors, too_wide)
    assert wrong == {}


def test_search_finds_a_solver(browser, address):
    browser.call("/url", url=f"{address}/index.html")
    index = browser.run("return fetch('search.json').then(answer => answer.text())")
    assert "full_rank" in index and "LowRankEDLAE" in index


def test_escaped_signs_are_shown_without_their_backslash():
    assert r"\&lt;" not in (SITE / "boards.html").read_text(encoding="utf-8")


def test_names_of_a_board_stay_in_sight_while_its_numbers_scroll(browser, address):
    browser.call("/window/rect", width=520, height=900)
    browser.call("/url", url=f"{address}/boards.html")
    scroll = "const wrap = document.querySelector('.md-typeset__scrollwrap'); wrap.scrollLeft = 150;"
    scroll += "return [wrap.scrollLeft, wrap.querySelector('td').getBoundingClientRect().left]"
    scrolled, left = browser.run(scroll)
    browser.call("/window/rect", width=1280, height=1800)
    assert scrolled == 150 and left >= 0
