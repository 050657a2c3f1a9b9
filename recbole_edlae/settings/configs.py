"""Find the files that options name: the user's own by path, or those of the package by name."""

import os
import pathlib
import sys
import textwrap
from typing import NamedTuple

from recbole_edlae._choices import hint, similar
from recbole_edlae._files import CONFIGS


class Kind(NamedTuple):
    """One kind of file.

    Attributes:
        option: that names such files.
        folder: where those that come with the package are, below ``configs``.
        suffix: of their names.
    """

    option: str
    folder: str
    suffix: str


PROTOCOLS = Kind("config_files", "", ".yaml")
SPACES = Kind("space", "spaces", ".test")
LEADERBOARDS = Kind("settings", "leaderboard", ".yaml")
REFERENCES = Kind("reference", "leaderboard", ".csv")
REPRODUCTIONS = Kind("settings", "reproduce", ".yaml")
_FOLDERS = {SPACES.folder, LEADERBOARDS.folder, REPRODUCTIONS.folder}


def find(kind: Kind, name: str | os.PathLike, folder: str | os.PathLike = "") -> pathlib.Path:
    """Return the path of a file.

    A file of that path wins. Otherwise the name is looked up among the files that come with the package, with or
    without ``configs/`` and the suffix: ``configs/ml-100k.yaml`` and ``ml-100k`` mean the same file in every folder. A
    line on standard error says which file was taken.

    Args:
        kind: of the file.
        name: a path, or a name.
        folder: that a relative path starts from.

    Raises:
        ValueError: No file has this name; the message has the nearest one.
    """
    path = pathlib.Path(folder, name)
    if path.is_file():
        return path

    packaged = _packaged(kind, pathlib.Path(name))
    if packaged is None:
        # A misspelled path resembles the files in its folder, a misspelled name those of the package.
        beside = [str(file) for file in path.parent.glob(f"*{kind.suffix}")]
        nearest = hint(path.stem, names(kind), shown=5)
        if similar(path, beside):
            nearest = hint(path, beside)
        raise ValueError(f"{kind.option}: no file {path}; {nearest}")

    # The user may have meant a file of their own.
    print(f"{kind.option}: {name} is {packaged}, which comes with recbole_edlae", file=sys.stderr)
    return packaged


def names(kind: Kind) -> list[str]:
    """Return the names of the files of a kind that come with the package.

    Args:
        kind: of the files.

    Examples:
        >>> names(REPRODUCTIONS)
        ['ml-100k', 'ml-1m', 'ml-20m', 'msd', 'netflix']
    """
    root = CONFIGS / kind.folder
    packaged = []
    for path in root.rglob(f"*{kind.suffix}"):
        file = path.relative_to(root)

        # Protocols are in no folder of their own.
        if kind.folder or file.parts[0] not in _FOLDERS:
            packaged.append(file.with_suffix("").as_posix())
    return sorted(packaged, key=lambda name: (name.count("/"), name))


def listing(*kinds: Kind) -> str:
    """Return the lines of a help text that list the files of the package.

    Args:
        *kinds: of the files, one for each option.
    """
    # Names have hyphens: a line must not end in one.
    wrapper = textwrap.TextWrapper(100, break_on_hyphens=False)
    wrapper.initial_indent = "  "
    wrapper.subsequent_indent = "    "
    lines = ["Files that come with the package, by names that work in every folder:"]
    for kind in kinds:
        lines.append(wrapper.fill(f"--{kind.option}: {', '.join(names(kind))}"))
    return "\n".join(lines)


def _packaged(kind: Kind, name: pathlib.Path) -> pathlib.Path | None:
    """Return the path of a file of the package; None if no file has the name."""
    # The documentation writes the names of the repository.
    if name.parts[:1] == ("configs",):
        name = name.relative_to("configs")

    # Nothing outside the package's folder has a name.
    if not name.parts or name.is_absolute() or ".." in name.parts:
        return None
    for root in (CONFIGS / kind.folder, CONFIGS):
        path = root / name
        for candidate in (path, path.with_name(path.name + kind.suffix)):
            if candidate.suffix == kind.suffix and candidate.is_file():
                return candidate
    return None
