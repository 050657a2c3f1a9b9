"""What a run of the tool writes into a RecBole tree, decided before anything is written."""

import dataclasses
import pathlib
from collections.abc import Iterable

from recbole_edlae._choices import closest_first
from recbole_edlae.integration.models import own_models
from tools.upstream import lift, pages
from tools.upstream.insertions import GENERAL_RECOMMENDERS, insertions


@dataclasses.dataclass(frozen=True)
class Change:
    """A file to write.

    Attributes:
        content: Its whole new content.
        lines: How many lines are new.
        new: Whether the tree does not have the file.
    """

    content: str
    lines: int
    new: bool


@dataclasses.dataclass(frozen=True)
class Plan:
    """What to write.

    Attributes:
        changes: Path in the tree → change.
        absent: RecBole's own files that the tree does not have, and to which nothing is added.
    """

    changes: dict[str, Change]
    absent: list[str]

    def write(self, root: pathlib.Path) -> None:
        """Write the files.

        Raises:
            ValueError: A file cannot be written.
        """
        for path, change in self.changes.items():
            try:
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(change.content, encoding="utf-8")
            except OSError as error:
                raise ValueError(f"{root / path} cannot be written: {error.strerror}") from None


def plan(root: pathlib.Path, models: Iterable[str] = ()) -> Plan:
    """Compare a RecBole tree with what it lacks to have some models.

    Args:
        root: Folder of the tree.
        models: Names of the models; all of this package if empty.

    Raises:
        ValueError: There is no model of a name, root is no RecBole tree, or the tree has something else where a model
            would go.
    """
    names = list(dict.fromkeys(models)) or list(own_models())
    for name in names:
        check_model(name)
    if not (root / GENERAL_RECOMMENDERS).is_file():
        raise ValueError(f"{root} is no RecBole source tree: it has no {GENERAL_RECOMMENDERS}")
    texts = lift.modules(names)
    contents, conflicts = _new_files(root, texts | settings_and_pages(root, names))
    absent: list[str] = []
    for insertion in insertions(names, texts):
        content = contents.get(insertion.path, _read(root / insertion.path))
        if content is None:
            (absent if insertion.optional else conflicts).append(insertion.path)
            continue
        try:
            contents[insertion.path] = insertion.into(content)
        except ValueError as error:
            conflicts.append(str(error))
    if conflicts:
        raise ValueError(f"nothing was written to {root}: {'; '.join(dict.fromkeys(conflicts))}")
    return Plan(_changes(root, contents), list(dict.fromkeys(absent)))


def check_model(name: str) -> None:
    """Raise ValueError, with the nearest name, unless this package has a model of a name."""
    if name not in own_models():
        nearest, *others = closest_first(name, own_models())
        raise ValueError(f"unknown model {name!r}; did you mean {nearest}? Allowed: {', '.join([nearest, *others])}")


def settings_and_pages(root: pathlib.Path, models: Iterable[str]) -> dict[str, str]:
    """Return path → text of the models' default settings and, where the tree has documentation, of their pages."""
    files = {}
    for name in models:
        settings = pathlib.Path(own_models()[name])
        files[f"recbole/properties/model/{name}.yaml"] = settings.read_text(encoding="utf-8")
        if (root / "docs" / "source").is_dir():
            module = f"recbole.model.general_recommender.{name.lower()}"
            files[f"docs/source/recbole/{module}.rst"] = pages.reference(name)
            files[f"docs/source/user_guide/model/general/{name.lower()}.rst"] = pages.guide(name)
    return files


def _new_files(root: pathlib.Path, texts: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return path → text of the files that the tree lacks, and what is in the way of others."""
    missing, conflicts = {}, []
    for path, text in texts.items():
        present = _read(root / path)
        if present is None:
            missing[path] = text
        elif present != text:
            conflicts.append(f"{path} is another file than the one to write")
    return missing, conflicts


def _changes(root: pathlib.Path, contents: dict[str, str]) -> dict[str, Change]:
    """Return path → change of the files whose content is not what the tree has."""
    changes = {}
    for path, content in contents.items():
        present = _read(root / path)
        if content != present:
            lines = len(content.splitlines()) - len((present or "").splitlines())
            changes[path] = Change(content, lines, present is None)
    return changes


def _read(path: pathlib.Path) -> str | None:
    """Return the text of a file, None if there is no such file."""
    return path.read_text(encoding="utf-8") if path.is_file() else None
