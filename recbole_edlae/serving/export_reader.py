"""Read an export; refuse one that was cut short or changed, and anything else."""

import os
import pathlib
from typing import Any

import numpy as np
import torch
from recbole.utils import get_model

from recbole_edlae._choices import unknown
from recbole_edlae.serving.checkpoint import DatasetSizes, check_servable
from recbole_edlae.serving.export_files import FIELDS, Export, errors_of, read_contents, with_defaults
from recbole_edlae.settings import registry


def read_export(folder: str | os.PathLike) -> tuple[torch.nn.Module, list[str], np.ndarray]:
    """Return model, item tokens and popularity of an export, as ``Recommender`` takes them.

    Returns:
        The model on the CPU in single precision, in evaluation mode; tokens by id; array (items,).

    Raises:
        ValueError: A file is missing, cut short or changed, or the format is another one.
    """
    folder = pathlib.Path(folder)
    export = read_contents(folder)
    name = export.model

    # The folder may come from anywhere: nothing is imported by a name that is not registered.
    with errors_of(f"export {folder}"):
        if name not in registry.registered():
            raise unknown("model", name, registry.registered())
        settings = with_defaults(registry.schema_of(name), export)
        _complete_members(export, settings)
        check_servable(name, settings)

        # The model asks its dataset only for numbers of users and items.
        sizes = DatasetSizes(settings, len(export.tokens))
        model = get_model(name)(settings | {"device": torch.device("cpu")}, sizes)
        model.load_state_dict(export.tensors)
    if not getattr(model, "fitted", True):
        raise ValueError(f"export {folder}: its model was not fitted")
    return model.eval(), export.tokens, export.popularity


def _complete_members(export: Export, settings: dict[str, Any]) -> None:
    """Complete the settings of an ensemble's members in place; each has a dict of its own."""
    if "members" not in settings:
        return

    # The members' settings lack the columns, which are the ensemble's.
    fields = {key: settings[key] for key in FIELDS}
    for label, member in registry.members_of(export.model, settings).items():
        if member.model not in registry.registered():
            raise ValueError(f"members: {label}: {unknown('model', member.model, registry.registered())}")

        # A member's settings are checked as those of an export of its own would be.
        member_export = export._replace(model=member.model, settings={**fields, **member.settings})
        complete = with_defaults(registry.schema_of(member.model), member_export)
        settings["members"][label] = {"model": member.model, **complete}
