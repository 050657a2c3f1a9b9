"""Read the settings of RecBole's own YAML files without importing RecBole."""

import importlib.util
import pathlib

from recbole_edlae._missing import MISSING_RECBOLE
from recbole_edlae.settings.setting import Setting, check_model_settings, read_schema

__all__ = ["RECBOLE_PROPERTIES", "Setting", "check_model_settings", "read_schema", "recbole_schema"]


def _recbole_folder() -> pathlib.Path:
    """Return the folder of RecBole's package, without importing it."""
    # A namespace package, such as an empty folder of that name, has no origin.
    spec = importlib.util.find_spec("recbole")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(MISSING_RECBOLE, name="recbole")
    return pathlib.Path(spec.origin).parent


RECBOLE_PROPERTIES = _recbole_folder() / "properties"


def recbole_schema(model: str | None = None) -> dict[str, Setting]:
    """Return key → Setting of RecBole's general files and of one of its models.

    Some of RecBole's comments contradict the default beside them; those settings are left out.
    """
    settings: dict[str, Setting] = {}
    for name in ("overall.yaml", "dataset/sample.yaml", f"model/{model}.yaml"):
        # RecBole has no file for the models of this package.
        file = RECBOLE_PROPERTIES / name
        if not file.is_file():
            continue
        for key, setting in read_schema(file).items():
            if setting.default_is_valid:
                settings[key] = setting
    return settings
