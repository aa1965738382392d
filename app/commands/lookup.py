"""Models by name or file, for every command that takes one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import UserError

if TYPE_CHECKING:
    from app.library import Entry, Library
    from engine.modelfile import Model
    from engine.models import AnyModel

ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="A model's name in the library, or its file.")]


def library() -> Library:
    """The library of this user's data folder."""
    from app.files import data_folder
    from app.library import Library

    return Library(data_folder())


def find_entry(name: str) -> Entry | None:
    """The library's entry of that name, the latest where several carry it; None where there is none."""
    found = [entry for entry in library().entries() if entry.name == name]
    return found[-1] if found else None


def find_model(name: str) -> AnyModel:
    """The model of that name or file, of either kind; raises UserError where there is none."""
    from engine.models import SUFFIXES, open_model

    path = Path(name)
    if os.path.isfile(path):
        return open_model(path)
    entry = find_entry(name)
    if entry is not None:
        return open_model(entry.path)
    if path.suffix in SUFFIXES or len(path.parts) > 1:
        raise UserError(f"There is no file {name}; check its place.")
    known = ", ".join(sorted({entry.name for entry in library().entries()}))
    raise UserError(f"There is no model {name!r}; choose one of: {known or 'none yet'}, or name a .hourbit file.")


def find_own_model(name: str) -> Model:
    """As `find_model`, but a Hourbit model; raises UserError for another maker's network."""
    from engine.external import ExternalModel

    model = find_model(name)
    if isinstance(model, ExternalModel):
        raise UserError(f"{model.name} is another maker's network; this needs a Hourbit model.")
    return model
