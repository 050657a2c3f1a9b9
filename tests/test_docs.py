"""What the README and the pages of docs show: links, commands, examples, notebooks, settings and sentences.

The examples of docs/new-users.md and docs/estimators.md go on from each other: tests/test_docs_new_users.py and
tests/test_docs_estimators.py run them.
"""

import importlib
import json
import pathlib
import re
import shlex
import sys
import unicodedata

import pytest
import yaml

from recbole_edlae import cli
from recbole_edlae.settings import registry
from tests.conftest import ROOT
from tools import tables

PAGES = {
    str(path.relative_to(ROOT)): path
    for path in [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]
}
NOTEBOOKS = {path.stem: path for path in sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))}
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in PAGES.items()}
README = TEXTS["README.md"]
IN_ORDER = ("docs/new-users.md", "docs/estimators.md")  # pages whose examples go on from each other
of_every_page = pytest.mark.parametrize("page", PAGES)

# Where a command has understood its words and would begin to read data: what is called there.
BEGINNINGS = {
    "run": "recbole.quick_start.run",
    "leaderboard": "recbole_edlae.cli.leaderboard.Records",
    "tune": "recbole_edlae.cli.tune.Records",
    "activations": "recbole_edlae.cli.activations.compare_activations",
    "reproduce": "recbole_edlae.cli.reproduce.Records",
}


# What a notebook must have found in the end.
RESULTS = {
    "your-data": lambda names: len(names["answer"].items[0]) == 8,
    "denoising": lambda names: len(names["best"]) == 5 and names["rows"]["all folds"]["p"] < 1e-4,
    "web-page": lambda names: (
        set(names["best"].index) == set(names["answer"]["title"]) and names["file"].is_file()
    ),
}

MOST_WORDS = 25  # of a sentence
ATOMIC = "user_id:token\titem_id:token\trating:float\ttimestamp:float\nu\ti\t1\t1\n"


class Begun(BaseException):
    pass


def blocks(language):
    """Every fenced block of a language."""
    return [
        pytest.param(block, id=f"{name}-{number}")
        for name, text in TEXTS.items()
        for number, block in enumerate(re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S), 1)
    ]


def commands(*programs):
    """Page and every command line of these programs in it, each once."""
    found = {}
    for name, text in TEXTS.items():
        for line in re.findall(r"^\$ (.*)$", text, re.M):
            for part in re.split(r" && ", line.partition("  #")[0]):
                if part.split()[0] in programs:
                    found.setdefault(part.strip(), name)
    return [pytest.param(name, shlex.split(line)[1:], id=line) for line, name in found.items()]


def anchors(text):
    """The anchors that a code host makes of a page's headings."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    for heading in re.findall(r"^#+ (.*)$", text, re.M):
        kept = [
            letter
            for letter in heading.lower()
            if letter in " -_" or unicodedata.category(letter)[0] in "LN"
        ]
        yield "".join(kept).replace(" ", "-")


@of_every_page
def test_links(page):
    for target in re.findall(r"\]\(([^)]+)\)", TEXTS[page]):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        path = (PAGES[page].parent / file).resolve() if file else PAGES[page]
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path.read_text(encoding="utf-8")), target


@of_every_page
def test_every_page_is_in_an_index(page):
    folder, _, name = page.rpartition("/")
    if folder and name not in ("README.md", "index.md"):
        assert f"({name})" in TEXTS["docs/api/index.md" if folder == "docs/api" else "docs/README.md"]


@of_every_page
def test_code_that_pages_name_is_there(page):
    for name in re.findall(
        r"`(?:python )?((?:tests|configs|benchmarks|recbole_edlae)/[\w./-]+)", TEXTS[page]
    ):
        assert (ROOT / name).exists(), name


@pytest.mark.slow
@pytest.mark.parametrize("program", [each for each in blocks("python") if not each.id.startswith(IN_ORDER)])
def test_python_examples(program):
    exec(program, {"__name__": "example"})


@pytest.mark.parametrize("block", blocks("yaml"))
def test_yaml_examples(block):
    assert isinstance(yaml.safe_load(block), dict)


@pytest.mark.parametrize("page, words", commands("make"))
def test_make_targets(page, words):
    assert re.search(rf"^{words[0]}:", (ROOT / "Makefile").read_text(), re.M)


@pytest.fixture
def data_of_pages(tmp_path):
    """A working directory outside of the clone, with the data and results that pages speak of."""
    for name in ("ml-1m", "ml-1m-prosg", "gowalla", "yelp2018", "ml-20m", "netflix", "msd"):
        (tmp_path / "dataset" / name).mkdir(parents=True)
        held_out = (".validation_tr", ".validation_te", ".test_tr", ".test_te", ".test", ".fit", ".valid")
        for part in ("", ".train", *held_out):
            (tmp_path / "dataset" / name / f"{name}{part}.inter").write_text(ATOMIC)
    for folder in ("tune/EDLAE-ml-100k", "tuned"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "best.yaml").write_text("model: EDLAE\ndataset: ml-100k\n")


@pytest.mark.parametrize("page, words", commands("recbole-edlae"))
def test_commands_are_understood_outside_of_the_clone(page, words, data_of_pages, monkeypatch, capsys):
    """Every command gets as far as the data, but for those shown to fail, which say what the page shows."""

    def begin(*_, **__):
        raise Begun

    for module in ("activations", "reproduce"):
        monkeypatch.setattr(f"recbole_edlae.cli.{module}.load_pyplot", lambda: None)
    if words[0] in BEGINNINGS:
        monkeypatch.setattr(BEGINNINGS[words[0]], begin)
    else:  # its words are held against its help
        with pytest.raises(SystemExit):
            cli.main([words[0], "--help"])
        known = capsys.readouterr().out
        assert all(word.partition("=")[0] in known for word in words[1:] if word.startswith("--"))
        return
    try:
        cli.main(words)
    except Begun:
        return
    except SystemExit as stopped:
        printed = capsys.readouterr()
        if stopped.code == 0:
            assert {"--help", "--version"} & set(words)
        else:
            assert printed.err.strip() in TEXTS[page], printed.err
    else:
        pytest.fail("it read no data")


def test_every_command_is_on_a_page_and_in_the_help(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    known = capsys.readouterr().out
    shown = {words.values[1][0] for words in commands("recbole-edlae")}
    for name, command in cli.COMMANDS.items():
        assert name in shown and f"    {name}" in known and importlib.import_module(command.module)


@of_every_page
def test_tables_are_as_the_package_makes_them(page):
    """`make tables` writes them."""
    assert tables.with_tables(TEXTS[page]) == TEXTS[page]


@pytest.mark.parametrize("model", sorted(registry.registered()))
def test_every_model_has_its_table(model):
    section = re.search(rf"^## {model}$(.*?)(?=^## |\Z)", TEXTS["docs/models.md"], re.M | re.S)[1]
    assert f"<!-- table: settings {model} -->" in section
    for setting in yaml.safe_load(pathlib.Path(registry.registered()[model]).read_text(encoding="utf-8")):
        assert f"\n| `{setting}` | " in section


def sentences(text):
    """The sentences of a page: no code, formulas, tables or headings; an item of a list begins a new one."""
    text = re.sub(r"^ *(`{3,}|~{3,}).*?^ *\1 *$", "\n\n", text, flags=re.M | re.S)
    text = re.sub(r"\$\$.*?\$\$|<!--.*?-->", "", text, flags=re.S)
    text = re.sub(r"`[^`]*`|\$[^$\n]*\$", "name", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"^\s*(\||#|:::).*$", "", text, flags=re.M)
    text = re.sub(r"^\s*(\*|-|\d+\.) ", "\n\n", text, flags=re.M)
    text = re.sub(r"\b(et al|Eq|cf|vs)\. ", r"\1 ", text.replace("**", ""))
    for paragraph in re.split(r"\n\s*\n", text):
        yield from re.split(r"(?<=[.!?]) ", " ".join(paragraph.split()))


def words(sentence):
    return len(re.findall(r"[^\W_]+(?:[.,'’@-][^\W_]+)*", sentence))


def test_the_splitter_finds_a_long_sentence():
    long = " ".join(["word"] * 26) + "."
    assert [
        words(each) for each in sentences(f"Short.\n{long}\n\n* `code` is [a link](x.md).\n* $a = b$\n")
    ][1:3] == [
        26,
        4,
    ]


@pytest.mark.parametrize("page", [page for page in PAGES if page not in ("CHANGELOG.md", "docs/boards.md")])
def test_sentences_have_at_most_25_words(page):
    """Of all pages but the log of changes and the lists of p-values that a tool writes."""
    assert [each for each in sentences(TEXTS[page]) if words(each) > MOST_WORDS] == []


def cells(notebook, kind):
    content = json.loads(NOTEBOOKS[notebook].read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == kind]


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_notebooks_have_short_sentences_working_links_and_no_outputs(notebook):
    prose = "\n\n".join(cells(notebook, "markdown"))
    assert [each for each in sentences(prose) if words(each) > MOST_WORDS] == []
    for target in re.findall(r"\]\(([^)#]+)", prose):
        assert (NOTEBOOKS[notebook].parent / target).exists(), target
    stored = json.loads(NOTEBOOKS[notebook].read_text(encoding="utf-8"))["cells"]
    assert not any(cell.get("outputs") for cell in stored)


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_notebooks_run_from_top_to_bottom(notebook, monkeypatch):
    """Each cell in turn, without Jupyter; a cell with ! is a command of this package, whatever PATH is."""
    monkeypatch.setenv("MPLBACKEND", "Agg")

    names = {"__name__": notebook}
    for cell in cells(notebook, "code"):
        if cell.startswith("!"):
            program, *arguments = shlex.split(cell[1:].format(**names))
            assert [program, *arguments[:2]] == [sys.executable, "-m", "recbole_edlae"]
            cli.main(arguments[2:])
        else:
            exec(cell, names)
    assert RESULTS[notebook](names)
