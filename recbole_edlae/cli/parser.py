"""Parse the words of a command: its own options, and RecBole's settings as ``--key=value``."""

import argparse
from collections.abc import Iterable
from typing import Any, NoReturn


class Parser(argparse.ArgumentParser):
    """Parse the arguments of all commands.

    It differs from argparse's parser in three ways: it takes settings as ``--key=value`` words, the value of a setting
    may contain blanks at any position, and an error is one line.
    """

    def __init__(self, prog: str, **options: Any) -> None:
        self._option_names: set[str] = set()
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        options.setdefault("allow_abbrev", False)
        super().__init__(prog, **options)

    def add_argument(self, *names: str, **options: Any) -> argparse.Action:  # type: ignore[override]
        """Add an option as argparse does."""
        self._option_names.update(names)
        return super().add_argument(*names, **options)

    def parse(self, words: Iterable[str]) -> tuple[argparse.Namespace, dict[str, str]]:
        """Return the options among the words, and key → text of the settings among them."""
        # argparse takes an unknown word with a blank for a value of the option before it, so settings never reach it.
        options: list[str] = []
        settings: list[str] = []
        for word in words:
            name, equals, _ = word.partition("=")
            if equals and name.startswith("--") and name not in self._option_names:
                settings.append(word)
            else:
                options.append(word)
        namespace, unknown = self.parse_known_args(options)
        return namespace, read_overrides([*unknown, *settings])

    def error(self, message: str) -> NoReturn:
        """End the process with status 2 and one line."""
        self.exit(2, f"{self.prog}: error: {message}\n")


def read_overrides(words: Iterable[str]) -> dict[str, str]:
    """Return key → text of ``--key=value`` words; the value may contain "=".

    Raises:
        ValueError: A word is something else, or a key has two values.

    Examples:
        >>> read_overrides(["--reg_weight=500", "--eval_args={'mode': 'full'}"])
        {'reg_weight': '500', 'eval_args': "{'mode': 'full'}"}
        >>> read_overrides(["reg_weight=500"])
        Traceback (most recent call last):
            ...
        ValueError: 'reg_weight=500' is neither an option nor a setting of the form --key=value
    """
    # The last of two different values would win without a word.
    overrides: dict[str, str] = {}
    for word in words:
        key, equals, text = word.removeprefix("--").partition("=")
        if not (word.startswith("--") and equals and key):
            raise ValueError(f"{word!r} is neither an option nor a setting of the form --key=value")

        # The same value twice is harmless.
        if overrides.get(key, text) != text:
            raise ValueError(f"--{key} is given twice, with {overrides[key]} and with {text}")
        overrides[key] = text
    return overrides
