"""Find the files that options name: the user's own, or those that come with the package by their names."""

import os
import pathlib
import sys
import textwrap
from typing import NamedTuple

from recbole_edlae._choices import closest_first
from recbole_edlae._files import CONFIGS

_SHOWN = 5  # choices in a message; the help has all of them


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
        ValueError: there is no such file; the message has the nearest names.
    """
    path = pathlib.Path(folder, name)
    if path.is_file():
        return path
    packaged = _packaged(kind, pathlib.Path(name))
    if packaged is None:
        raise ValueError(f"{kind.option}: no file {path}{_nearest(kind, path)}")
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
    others = {SPACES.folder, LEADERBOARDS.folder, REPRODUCTIONS.folder} - {kind.folder}
    files = (path.relative_to(root) for path in root.rglob(f"*{kind.suffix}"))
    found = [file.with_suffix("").as_posix() for file in files if kind.folder or file.parts[0] not in others]
    return sorted(found, key=lambda name: (name.count("/"), name))


def listing(*kinds: Kind) -> str:
    """Return the part of a help text that lists the files that come with the package.

    Args:
        *kinds: of the files, one for each option.
    """
    lines = ["Files that come with the package, by names that work in every folder:"]
    for kind in kinds:
        text = f"--{kind.option}: {', '.join(names(kind))}"
        lines.append(textwrap.fill(text, 100, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False))
    return "\n".join(lines)


def _packaged(kind: Kind, name: pathlib.Path) -> pathlib.Path | None:
    """Return the path of a file that comes with the package; None where there is none of that name."""
    parts = name.parts[1:] if name.parts[:1] == ("configs",) else name.parts
    if not parts or name.is_absolute() or ".." in parts:
        return None
    for root in (CONFIGS / kind.folder, CONFIGS):
        path = root.joinpath(*parts)
        for candidate in (path, path.with_name(path.name + kind.suffix)):
            if candidate.suffix == kind.suffix and candidate.is_file():
                return candidate
    return None


def _nearest(kind: Kind, path: pathlib.Path) -> str:
    """Return the end of a message: the files beside a path that is none and those of the package, the nearest first."""
    beside = sorted(map(str, path.parent.glob(f"*{kind.suffix}"))) if path.parent.is_dir() else []
    choices = [*closest_first(path, beside), *closest_first(path.stem, names(kind))]
    more = f" and {len(choices) - _SHOWN} more" if len(choices) > _SHOWN else ""
    return f"; there are {', '.join(choices[:_SHOWN])}{more}"
