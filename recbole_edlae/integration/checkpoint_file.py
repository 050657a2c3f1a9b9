"""Check the content of a checkpoint's file where RecBole reads it, so that what is wrong is one sentence."""

import importlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from recbole_edlae.data import training_data

NEEDED = ("model", "dataset", "data_path", "seed", "MODEL_TYPE")


class Saved(dict):
    """The content of a checkpoint; a missing key raises a ValueError that names the file."""

    file = ""

    def __missing__(self, key: str) -> Any:
        raise ValueError(f"checkpoint {self.file} is not a RecBole checkpoint: it has no {key}")


def checked(checkpoint: Any, file: Any) -> Saved:
    """Return a checkpoint as ``torch.load`` returned it from a file, or refuse it.

    Its weights remember where they are from: ``state_dict`` has an attribute ``checkpoint``, the file and the
    description of its data.
    """
    if not isinstance(checkpoint, dict):
        raise ValueError(
            f"checkpoint {file} is not a RecBole checkpoint: it holds {_kind(checkpoint)}, not a dict"
        )
    saved = Saved(checkpoint)
    saved.file = str(file)
    if "config" in saved:
        _check_config(saved["config"], file)

    # That of decision trees is the name of a file.
    if isinstance(saved.get("state_dict"), str):
        return saved
    if "state_dict" in saved:
        state = _named_weights(saved["state_dict"], file)
        state.checkpoint = (str(file), _description(saved.get(training_data.KEY), file))  # type: ignore[attr-defined]
        saved["state_dict"] = state
    return saved


def _check_config(config: Any, file: Any) -> None:
    """Check that a config is RecBole's and has the settings that identify a run."""
    config_class = importlib.import_module("recbole.config").Config
    settings = isinstance(config, config_class) and vars(config).get("final_config_dict")
    if not isinstance(settings, dict):
        raise ValueError(
            f"checkpoint {file} is not a RecBole checkpoint: its config is {_kind(config)}, not a Config"
        )
    missing = [key for key in NEEDED if settings.get(key) is None]
    if missing:
        raise ValueError(f"checkpoint {file}: its config lacks {', '.join(missing)}")


def _named_weights(state: Any, file: Any) -> OrderedDict:
    """Return a state_dict that maps names to weights."""
    if not isinstance(state, Mapping) or not all(isinstance(name, str) for name in state):
        raise ValueError(
            f"checkpoint {file} is not a RecBole checkpoint: its state_dict is {_kind(state)}, not named weights"
        )
    return state if isinstance(state, OrderedDict) else OrderedDict(state)


def _description(description: Any, file: Any) -> dict[str, Any] | None:
    """Check the form of what a checkpoint says of its data."""
    if description is None:
        return None
    tables = ("tokens", "fields")
    if not isinstance(description, dict) or not all(
        isinstance(description.get(name), dict) for name in tables
    ):
        raise ValueError(f"checkpoint {file}: what it says of its data ({training_data.KEY}) is damaged")
    return description


def _kind(value: Any) -> str:
    """Return a value's type for a message."""
    return "an empty dict" if isinstance(value, dict) and not value else f"a {type(value).__name__}"
