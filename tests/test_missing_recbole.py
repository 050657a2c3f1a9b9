"""Without RecBole, which pip cannot install on Python 3.12, a command or an import says what to install."""

import subprocess
import sys
import textwrap

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow
# RecBole is hidden from the interpreter's own finder, whether it is installed or not.
HIDDEN = f"""
    import importlib.machinery, importlib.util, sys
    sys.path.insert(0, {str(ROOT)!r})
    find = importlib.machinery.PathFinder.find_spec
    importlib.machinery.PathFinder.find_spec = classmethod(
        lambda cls, name, *rest: None if name == "recbole" else find(name, *rest)
    )
"""
REASON = "recbole is missing: pip install --no-deps recbole==1.2.1"


def python(program, *words):
    text = textwrap.dedent(HIDDEN) + textwrap.dedent(program)
    return subprocess.run([sys.executable, "-c", text, *words], capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize(
    "words", [["run", "--dataset=ml-100k"], ["leaderboard"], ["tune", "--help"], ["reproduce"]]
)
def test_a_command_ends_with_one_line(words):
    done = python("from recbole_edlae.cli import main; main()", *words)
    assert (done.returncode, done.stderr) == (2, f"recbole-edlae {words[0]}: error: {REASON}\n")


def test_run_recbole_ends_with_one_line():
    done = python("from recbole_edlae.cli import run; run()", "--model=EDLAE")
    assert (done.returncode, done.stderr) == (2, f"run_recbole.py: error: {REASON}\n")


@pytest.mark.parametrize(
    "name",
    ["recbole", "recbole.quick_start", "recbole_edlae.model.edlae", "recbole_edlae.settings.registry"],
)
def test_an_import_says_what_to_install(name):
    done = python(f"import recbole_edlae, {name}")
    assert done.returncode == 1 and done.stderr.endswith(f"ModuleNotFoundError: {REASON}\n")


def test_programs_that_ask_are_told_that_it_is_not_there():
    program = """
        import recbole_edlae
        print(importlib.util.find_spec("recbole"))
        try:
            import recbole
        except ImportError as error:
            print(error.name)
        import recbole_edlae.solvers, recbole_edlae.cli
        recbole_edlae.cli.main(["--version"])
    """
    assert python(program).stdout.splitlines()[:2] == ["None", "recbole"]
    assert python(program).returncode == 0


def test_nothing_changes_where_it_is_there(tmp_path):
    (tmp_path / "recbole.py").touch()
    program = f"""
        import recbole_edlae
        sys.path.insert(0, {str(tmp_path)!r})
        importlib.machinery.PathFinder.find_spec = find  # installed meanwhile
        import recbole
    """
    assert python(program).returncode == 0
    program = "finders = list(sys.meta_path); import recbole; import recbole_edlae; "
    program += "print(len(sys.meta_path) - len(finders))"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, types; sys.modules['recbole'] = types.ModuleType('recbole'); {program}"],
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert done.stdout == "1\n", done.stderr  # the hook alone
