"""Read the settings file of a leaderboard: its models, the settings of each, and the protocol."""

import copy
import os
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from recbole_edlae._choices import choose, unknown
from recbole_edlae.settings.configs import PROTOCOLS, REFERENCES, find
from recbole_edlae.settings.files import read_config_files

_KEYS = ("dataset", "config_files", "seeds", "reference", "models", "marks")


def read_settings(path: str | os.PathLike) -> dict[str, Any]:
    """Return the content of a leaderboard's YAML file, with the paths of the files that it names.

    ``models`` maps the label of a row to the settings of its model, or to a config file with them as ``tune`` writes it
    (settings that the leaderboard's config_files repeat are left out). The label is the name of the model unless the
    row has a setting ``model``. A label is read as text, even if it is a number or a word such as ``on``. ``marks``
    maps labels to how the settings of a row were chosen, such as "validation" or "authors". ``dataset``,
    ``config_files``, ``reference`` and ``seeds`` mean the same as the options of that name on the command line. Files
    are found relative to this one, or by name among those that ship with the package.

    Raises:
        ValueError: a key is unknown, is repeated, or has a value of the wrong kind.
    """
    # A key without a value means the same as no key.
    content = {}
    for key, value in read_config_files([path], "settings").items():
        if value is None:
            continue
        if key not in _KEYS:
            raise unknown("key", key, _KEYS, where=f"settings: {path}")
        content[key] = value

    # Labels are as the file spells them: YAML would read `on` as True.
    text = pathlib.Path(path).read_text(encoding="utf-8-sig")
    spelled = yaml.load(text, yaml.BaseLoader)
    _check_kinds(path, content)
    content["models"] = _labeled(path, content.get("models"), spelled)
    content["marks"] = _marks(path, content.get("marks", {}), content["models"], spelled)

    # Files are found relative to this one.
    folder = pathlib.Path(path).parent
    files = []
    for file in content.get("config_files", []):
        files.append(find(PROTOCOLS, file, folder))
    content["config_files"] = files
    if "reference" in content:
        content["reference"] = find(REFERENCES, content["reference"], folder)

    # A row that names a config file takes its settings from there.
    protocol = read_config_files(files) | {"dataset": content.get("dataset")}
    for label, settings in content["models"].items():
        if isinstance(settings, str):
            content["models"][label] = _settings_of(find(PROTOCOLS, settings, folder), protocol)
        _check_row(f"settings: {label} in {path}", content["models"][label] or {})
    return content


def check_seeds(name: str, seeds: Any) -> None:
    """Check that seeds are a list of different integers from 0 to 2³² − 1.

    Examples:
        >>> check_seeds("seeds", [2020, 2021])
        >>> check_seeds("seeds", [])
        Traceback (most recent call last):
        ValueError: seeds must be a list of different integers from 0 to 4294967295, such as [2020, 2021]; got []
    """
    allowed = f"a list of different integers from 0 to {2**32 - 1}, such as [2020, 2021]"
    message = f"{name} must be {allowed}; got {seeds!r}"
    if not isinstance(seeds, list) or not seeds:
        raise ValueError(message)

    # NumPy's generators take seeds of 32 bits, and YAML reads `on` as True.
    for seed in seeds:
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise ValueError(message)
        if not 0 <= seed < 2**32:
            raise ValueError(message)

        # A seed that counts twice would weigh its split twice in the mean.
        if seeds.count(seed) > 1:
            raise ValueError(f"{message}: {seed} is there twice")


def _check_kinds(path: str | os.PathLike, content: Mapping[str, Any]) -> None:
    """Check the kind of value of each key."""
    if "seeds" in content:
        check_seeds(f"settings: seeds in {path}", content["seeds"])

    # One file alone is a list too: YAML would give its letters.
    files = content.get("config_files", [])
    if not isinstance(files, list) or not _are_texts(files):
        where = f"settings: config_files in {path}"
        raise ValueError(f"{where} must be a list of files, [e.yaml]; got {files!r}")

    # YAML reads a name such as 2020 as a number.
    for key in ("dataset", "reference"):
        value = content.get(key, "")
        if not isinstance(value, str):
            where = f"settings: {key} in {path}"
            raise ValueError(f"{where} must be text; got {value!r}: put it in quotes")


def _are_texts(values: Iterable[Any]) -> bool:
    """Return whether all values are text."""
    return all(isinstance(value, str) for value in values)


def _labeled(path: str | os.PathLike, models: Any, spelled: Mapping[str, Any]) -> dict[str, Any]:
    """Return label → copy of the settings for all rows, with the labels as they are written in the file."""
    # No key `models` takes the default rows; one without a value is a mistake.
    allowed = f"settings: models in {path} must map names to settings, `EDLAE: {{reg_weight: 500.0}}`, or to files"
    if models is None:
        if "models" in spelled:
            raise ValueError(f"{allowed}; got nothing")
        return {}
    if not isinstance(models, dict):
        raise ValueError(f"{allowed}; got {models!r}")

    # Two labels can differ for YAML and be spelled alike.
    rows: dict[str, Any] = {}
    labels = _as_spelled(models, spelled.get("models", {}))
    for label, settings in zip(labels, models.values()):
        if label in rows:
            raise ValueError(f"settings: {label} is there twice among the models in {path}")
        if settings is not None and not isinstance(settings, (dict, str)):
            raise ValueError(f"{allowed}; got {settings!r} for {label}")
        rows[label] = copy.copy(settings)
    return rows


def _marks(
    path: str | os.PathLike, marks: Any, models: Mapping[str, Any], spelled: Mapping[str, Any]
) -> dict[str, str]:
    """Return label → mark of the rows that have one."""
    where = f"settings: marks in {path}"
    if not isinstance(marks, dict) or not _are_texts(marks.values()):
        raise ValueError(f"{where} must map labels of models to text; got {marks!r}")

    # A mark of a row that is not there is a misspelled label.
    labels = _as_spelled(marks, spelled.get("marks", {}))
    for label in labels:
        choose(where, label, models)
    return dict(zip(labels, marks.values()))


def _as_spelled(content: Mapping[Any, Any], spelled: Mapping[str, Any]) -> list[str]:
    """Return the keys of a mapping as the file spells them."""
    # A YAML merge has keys that are spelled elsewhere.
    if len(spelled) != len(content) or "<<" in spelled:
        return list(map(str, content))
    return list(spelled)


def _check_row(where: str, settings: Mapping[str, Any]) -> None:
    """Check that the keys of a row are names, and that the row has no seed."""
    for key in settings:
        if not isinstance(key, str):
            raise ValueError(f"{where} has a key {key!r}, which is no name of a setting")
    model = settings.get("model", "")
    if not isinstance(model, str):
        raise ValueError(f"{where}: model must be text; got {model!r}")

    # A seed of its own would give the row another split than the others have.
    if "seed" in settings:
        raise ValueError(f"{where} has a seed; all rows have the same, which `seeds` lists")


def _settings_of(file: pathlib.Path, protocol: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a config file that differ from the protocol, without the path of the data."""
    settings = read_config_files([file])
    settings.pop("data_path", None)

    # What the file repeats of the protocol is no setting of the row.
    for key, value in protocol.items():
        if key in settings and settings[key] == value:
            del settings[key]
    return settings
