"""Read search spaces in the format of RecBole's hyper.test, and list or draw their points.

A line names a setting, a type and its values, as in RecBole's HyperTuning:

    reg_weight choice [100.0,300.0,1000.0]
    dropout_prob uniform 0.1,0.6
    rank quniform 50,500,50
    learning_rate loguniform -8,0

``loguniform`` takes the natural logarithms of its ends. ``quniform`` takes the multiples of its step between its ends,
as integers where its numbers have no decimal point. A choice in quotes is read as on the command line: ``'[600,200]'``
is a list and ``'5e2'`` a number. Only literals are evaluated. Empty lines and lines that begin with # are skipped.
"""

import ast
import itertools
import os
import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from recbole_edlae._choices import unknown
from recbole_edlae.runs.dimension import TYPES, Dimension
from recbole_edlae.settings.files import NOT_LITERAL, value_of

if TYPE_CHECKING:
    import optuna

Point = dict[str, Any]  # setting → value


def read(path: str | os.PathLike) -> list[Dimension]:
    """Return the dimensions of a file.

    Raises:
        ValueError: the file cannot be read, or a line is not in the format; the message names the line, what it has
            and what is allowed.

    Examples:
        >>> folder = getfixture("tmp_path")
        >>> _ = (folder / "hyper.test").write_text("dropout_prob uniform 0.1,0.6")
        >>> read(folder / "hyper.test")
        [Dimension(key='dropout_prob', type='uniform', values=(0.1, 0.6))]
    """
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(f"space: {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"space: {path} is not UTF-8: {error.reason} at byte {error.start}") from None
    return parse(text, path)


def parse(text: str, source: str | os.PathLike) -> list[Dimension]:
    """Return the dimensions of the lines of a text, which messages call by the name of its source.

    Raises:
        ValueError: a line is not in the format; the message names the line, what it has and what is allowed.

    Examples:
        >>> parse("reg_weight choice [1.0,10.0]", "the example")
        [Dimension(key='reg_weight', type='choice', values=(1.0, 10.0))]
    """
    dimensions: dict[str, Dimension] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        dimension = _dimension(line, f"space: {source}, line {number}")
        if dimension.key in dimensions:
            raise ValueError(f"space: {source} has {dimension.key} twice")
        dimensions[dimension.key] = dimension

    if not dimensions:
        raise ValueError(f"space: {source} holds no line `setting type values`")
    return list(dimensions.values())


def exhaustive(space: Sequence[Dimension], max_evals: int | None = None) -> list[Point]:
    """Return every point, or the first ``max_evals``, the last setting varying fastest.

    Raises:
        ValueError: a dimension has infinitely many values.

    Examples:
        >>> exhaustive([Dimension("a", "choice", (1, 2)), Dimension("b", "choice", ("x", "y"))], max_evals=3)
        [{'a': 1, 'b': 'x'}, {'a': 1, 'b': 'y'}, {'a': 2, 'b': 'x'}]
    """
    keys = [dimension.key for dimension in space]
    values = [dimension.points() for dimension in space]

    # A grid can be far larger than what is asked for, so its points are made one by one.
    points = itertools.islice(itertools.product(*values), max_evals)
    return [dict(zip(keys, point)) for point in points]


def extremes(space: Sequence[Dimension]) -> list[Point]:
    """Return points in which each setting takes the extreme values that its check has to allow."""
    # One setting at a time: all combinations would be as many as the points themselves.
    first = {dimension.key: dimension.ends()[0] for dimension in space}
    points = [first]
    for dimension in space:
        for value in dimension.ends()[1:]:
            points.append({**first, dimension.key: value})
    return points


def random(space: Sequence[Dimension], max_evals: int, seed: int) -> list[Point]:
    """Return ``max_evals`` points drawn independently; the first ones are the same for every number.

    Examples:
        >>> space = [Dimension("a", "choice", (1, 2, 3))]
        >>> random(space, 5, seed=0)[:2] == random(space, 2, seed=0)
        True
    """
    draws = study("random", seed)
    return [point(space, draws.ask()) for _ in range(max_evals)]


def point(space: Sequence[Dimension], trial: "optuna.Trial") -> Point:
    """Return the point that Optuna draws."""
    return {dimension.key: dimension.suggest(trial) for dimension in space}


def study(algorithm: str, seed: int) -> "optuna.Study":
    """Return an Optuna study, kept in memory, which minimizes by "random" draws or by "bayes", Parzen estimators."""
    # Imported when a search needs it, for it takes .3 seconds.
    import optuna

    sampler: optuna.samplers.BaseSampler = optuna.samplers.RandomSampler(seed)
    if algorithm == "bayes":
        sampler = optuna.samplers.TPESampler(seed=seed)

    # Optuna logs every new study. Its level belongs to the user, who gets it back.
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    created = optuna.create_study(sampler=sampler)
    optuna.logging.set_verbosity(level)
    return created


def _dimension(line: str, where: str) -> Dimension:
    """Return the dimension that a line describes."""
    # A line that is too short lacks its type or its values.
    key, kind, text = [*line.split(maxsplit=2), "", ""][:3]
    if kind not in TYPES:
        raise ValueError(f"{where}: {unknown('type', kind, TYPES)}")
    try:
        values = ast.literal_eval(text)
    except NOT_LITERAL:
        raise ValueError(f"{where}: {text!r} is no list of values") from None

    # A single value needs no brackets.
    if not isinstance(values, (list, tuple)):
        values = [values]

    if kind != "choice":
        dimension = Dimension(key, kind, tuple(values))
        try:
            dimension.check(text)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
        return dimension

    # Texts are read as on the command line.
    if not values:
        raise ValueError(f"{where}: {key} has nothing to choose from")
    choices = [value_of(value) if isinstance(value, str) else value for value in values]
    return Dimension(key, kind, tuple(choices))
