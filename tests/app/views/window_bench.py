"""The window with everything behind it, on a small real model that is in use for faces."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QApplication

from app.files import data_folder
from app.library import Entry, Library
from app.services.live import Live
from app.services.pictures import PictureCache
from app.services.stills import Stills
from app.services.training import Training
from app.settings import Settings
from app.views.context import Context
from engine.graph import Architecture
from engine.modelfile import write_model
from engine.random_model import random_model
from engine.schema import load_schema


def adopt_small(library: Library, folder: Path, schema: str = "ibug68", seed: int = 0) -> Entry:
    """Put a network of width 32 on 64 px into the library and use it."""
    named, path = load_schema(schema), folder / f"small {seed}.hourbit"
    write_model(path, random_model(f"small {seed}", Architecture(len(named), width=32, stem=16, side=64), named, seed))
    entry = library.import_file(path)
    library.adopt(entry)
    return entry


def make_context(folder: Path) -> Context:
    """What a view is given, with services of its own and a small model for faces."""
    adopt_small(Library(data_folder()), folder)
    return bare_context()


def bare_context() -> Context:
    """What a view is given, wired as the program wires it, with the models that the data folder has."""
    home = data_folder()
    library = Library(home)
    stills = Stills(lambda schema: context.runtime_for(schema.name), PictureCache())
    context = Context(Settings(home / "settings.json"), library, stills, Live(), Training(library))
    return context


def close_context(context: Context) -> None:
    """End its threads and let the project go."""
    context.set_document(None)
    assert context.training.close()
    assert context.live.close()
    assert context.stills.close()
    QApplication.processEvents()
