"""Write models of this package into a RecBole source tree, as a pull request to RecBole: `python -m tools.upstream`.

New files are written, and lines are added to RecBole's own files; nothing there is changed or overwritten. Files and
lines that the tree has already stay as they are: a second run changes nothing. The models then need Python 3.10 and the
requirements that were added, and no line of this package.
"""

import argparse
import pathlib
from collections.abc import Sequence

from recbole_edlae.integration.models import own_models
from tools.upstream.changes import Plan, plan

PROGRAM = "python -m tools.upstream"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the models and print the files.

    Args:
        arguments: Words of the command line; by default those of the process.
    """
    summary = "Write models of this package into a RecBole source tree, as a pull request to RecBole."
    parser = argparse.ArgumentParser(PROGRAM, description=summary, allow_abbrev=False)
    parser.add_argument("path", type=pathlib.Path, help="a checkout of RecBole: the folder that has recbole/ in it")
    known = ", ".join(own_models())
    parser.add_argument("--models", nargs="+", default=[], metavar="NAME", help=f"models to write (default: {known})")
    options = parser.parse_args(arguments)
    try:
        planned = plan(options.path, options.models)
        planned.write(options.path)
    except ValueError as error:
        parser.exit(2, f"{PROGRAM}: error: {error}\n")
    print(report(planned))


def report(written: Plan) -> str:
    """Return one line for each file, with the number of its new lines, and the sums."""
    lines = [f"{change.lines:6} {path}" for path, change in written.changes.items() if change.new]
    lines += [f"{change.lines:+6} {path}" for path, change in written.changes.items() if not change.new]
    if written.absent:
        lines.append(f"left out, because this tree does not have them: {', '.join(written.absent)}")
    if not written.changes:
        return "\n".join([*lines, "nothing to do: the models are in this tree already"])
    new = [change.lines for change in written.changes.values() if change.new]
    added = [change.lines for change in written.changes.values() if not change.new]
    return "\n".join([*lines, f"{len(new)} new files, {sum(new)} lines; {sum(added)} lines in {len(added)} files"])


if __name__ == "__main__":
    main()
