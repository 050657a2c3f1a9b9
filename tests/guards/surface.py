"""What users see of the package without running it: the help of every command, and the public names."""

import ast
import contextlib
import io
import os
import pathlib

import recbole_edlae

PACKAGE = pathlib.Path(recbole_edlae.__file__).parent


def helps():
    """Return command → the lines of its help, on a terminal of 80 columns."""
    from recbole_edlae.cli import COMMANDS, main

    os.environ["COLUMNS"] = "80"
    texts = {}
    for words in [["--help"], *([name, "--help"] for name in COMMANDS)]:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            main(words)
        texts[" ".join(words)] = printed.getvalue().splitlines()
    return texts


def public_names():
    """Return module → its ``__all__``, of every module that has one."""
    modules = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
                name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
                modules[name.removesuffix(".__init__")] = sorted(ast.literal_eval(node.value))
    return modules
