"""A leaderboard's settings file, and the runs that it asks for."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from recbole_edlae.cli import checks
from recbole_edlae.cli import runs as command
from recbole_edlae.leaderboard import results as board

BOARDS = command.CONFIGS / "leaderboard"
PROTOCOL = ("eval_args", "metrics", "topk", "benchmark_filename")  # rows that differ in them cannot be compared
_KEYS = ("dataset", "config_files", "seeds", "reference", "models")


class Plan:
    """The cells of one dataset's leaderboard: rows of a settings file × seeds."""

    def __init__(self, dataset: str | None, options: Any, overrides: Mapping[str, Any]) -> None:
        path = _settings_file(dataset, options)
        content = read_settings(path) if path else {}
        folder = path.parent if path else pathlib.Path()
        self.dataset = dataset or content.get("dataset", "ml-100k")
        files = options.config_files or [folder / file for file in content.get("config_files", [])]
        overrides = dict(overrides)
        if options.seeds:
            check_seeds("--seeds", options.seeds)
        self.seeds = options.seeds or content.get("seeds") or [overrides.pop("seed", 2020)]
        reference = options.reference or (folder / content["reference"] if "reference" in content else None)
        self.reference = board.read_reference(reference) if reference else []
        self.rows = _rows(content.get("models") or {}, options.models)
        self.cells = [
            command.make_cell(model, self.dataset, files, {**settings, **overrides, "seed": seed}, label)
            for seed in self.seeds
            for label, (model, settings) in self.rows.items()
        ]

    def check(self, overrides: Mapping[str, Any]) -> None:
        """Check every cell, that all can be compared, and that there is a test part, before any data are read.

        Raises:
            ValueError: of the first cell that cannot be run.
        """
        command.check(self.cells, overrides, {"test": "a leaderboard compares models on it"})
        first = self.cells[0].config()
        for cell in self.cells[1 : len(self.rows)]:
            config = cell.config()
            for key in PROTOCOL:
                if config[key] != first[key]:
                    raise ValueError(
                        f"{cell.label}: {key} is {config[key]!r} here and {first[key]!r} for {self.cells[0].label}; "
                        "rows of a leaderboard share one protocol: set it in config_files"
                    )


def read_settings(path: pathlib.Path) -> dict[str, Any]:
    """Return the content of a leaderboard's YAML file.

    Its keys: ``models`` maps the label of a row to the settings of its model, or to a config file with them as ``tune``
    writes it (what the leaderboard's config_files say as well is left out); the model is the label unless a setting
    ``model`` says otherwise. A label is text as it is written, be it a number or a word such as ``on``. ``dataset``,
    ``config_files`` and ``reference`` and ``seeds`` are what the command line's words of that name are. Files are found
    relative to this one.

    Raises:
        ValueError: a key is unknown, stands there twice, or has a value of another kind.
    """
    content = {key: value for key, value in checks.read_config_files([path], "settings").items() if value is not None}
    for key in content:
        if key not in _KEYS:
            raise ValueError(f"settings: {path} has a key {key}; there are {', '.join(_KEYS)}")
    root = _node(path)
    _check_once(path, root)
    _check_kinds(path, content)
    content["models"] = _labeled(path, content.get("models"), root)
    folder = pathlib.Path(path).parent
    protocol = checks.read_config_files([folder / file for file in content.get("config_files", [])])
    for label, settings in content["models"].items():
        if isinstance(settings, str):
            content["models"][label] = _settings_of(folder / settings, {**protocol, "dataset": content.get("dataset")})
        _check_row(f"settings: {label} in {path}", content["models"][label] or {})
    return content


def check_seeds(name: str, seeds: Any) -> None:
    """Check a list of seeds.

    Raises:
        ValueError: it is not a list of different integers from 0 to 2³² − 1; the message names the value.
    """
    wanted = f"{name} must be a list of different integers from 0 to {2**32 - 1}, such as [2020, 2021]; got {seeds!r}"
    if not isinstance(seeds, list) or not seeds:
        raise ValueError(wanted)
    if any(isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32 for seed in seeds):
        raise ValueError(wanted)
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"{wanted}: {next(seed for seed in seeds if seeds.count(seed) > 1)} is there twice")


def _check_kinds(path: pathlib.Path, content: Mapping[str, Any]) -> None:
    """Check what kind of value each key has."""
    if "seeds" in content:
        check_seeds(f"settings: seeds in {path}", content["seeds"])
    files = content.get("config_files", [])
    if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
        raise ValueError(f"settings: config_files in {path} must be a list of files, [e.yaml]; got {files!r}")
    for key in ("dataset", "reference"):
        if not isinstance(content.get(key, ""), str):
            raise ValueError(f"settings: {key} in {path} must be text; got {content[key]!r}: put it in quotes")


def _labeled(path: pathlib.Path, models: Any, root: yaml.Node) -> dict[str, Any]:
    """Return the rows by their labels as they are written, settings copied."""
    example = "`EDLAE: {reg_weight: 500.0}`, or to files"
    if models is None and "models" not in [key.value for key, _ in root.value]:
        return {}
    if models is None or not isinstance(models, dict):
        got = "nothing" if models is None else repr(models)
        raise ValueError(f"settings: models in {path} must map names to settings, {example}; got {got}")
    (nodes,) = [value for key, value in root.value if key.value == "models"]
    written = [key.value for key, _ in nodes.value if isinstance(key, yaml.ScalarNode)]
    if len(written) != len(models) or "<<" in written:  # a merge: the words are not those of the rows
        written = [str(label) for label in models]
    rows = {}
    for label, settings in zip(written, models.values()):
        if label in rows:
            raise ValueError(f"settings: {label} is there twice among the models in {path}")
        if settings is not None and not isinstance(settings, (dict, str)):
            raise ValueError(
                f"settings: models in {path} must map names to settings, {example}; got {settings!r} for {label}"
            )
        rows[label] = dict(settings) if isinstance(settings, dict) else settings
    return rows


def _check_row(where: str, settings: Mapping[str, Any]) -> None:
    """Check that the keys of a row are names, and none of them the leaderboard's own."""
    if strange := [key for key in settings if not isinstance(key, str)]:
        raise ValueError(f"{where} has a key {strange[0]!r}, which is no name of a setting")
    if not isinstance(settings.get("model", ""), str):
        raise ValueError(f"{where}: model must be text; got {settings['model']!r}")
    if "seed" in settings:
        raise ValueError(f"{where} has a seed; all rows have the same, which `seeds` lists")


def _check_once(path: pathlib.Path, root: yaml.Node) -> None:
    """Check that no key of a mapping stands there twice: of two values YAML silently takes the last."""
    nodes = [root]
    while nodes:
        node = nodes.pop()
        if not isinstance(node, yaml.MappingNode):
            continue
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key in keys:
            if keys.count(key) > 1:
                raise ValueError(f"settings: {path}, line {node.start_mark.line + 1}: {key} is there twice")
        nodes += [value for _, value in node.value]


def _node(path: pathlib.Path) -> yaml.Node:
    """Return the mapping of a YAML file as it is written."""
    return yaml.compose(pathlib.Path(path).read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader)


def _settings_of(file: pathlib.Path, protocol: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a config file says beyond the protocol."""
    content = checks.read_config_files([file])
    return {key: value for key, value in content.items() if key not in protocol or protocol[key] != value}


def _settings_file(dataset: str | None, options: Any) -> pathlib.Path | None:
    if options.settings:
        return pathlib.Path(options.settings)
    path = BOARDS / f"{dataset or 'ml-100k'}.yaml"
    return path if path.is_file() else None


def _rows(models: Mapping[str, Any], chosen: Sequence[str] | None) -> dict[str, tuple[str, dict]]:
    """Label → (model, settings): the file's rows, or those chosen of them; a chosen model that is none is as it is."""
    default = yaml.safe_load((BOARDS / "ml-100k.yaml").read_text(encoding="utf-8"))["models"]
    models = models or dict.fromkeys(default)
    rows = {label: dict(models.get(label) or {}) for label in chosen or models}
    return {label: (settings.pop("model", label), settings) for label, settings in rows.items()}
