"""`hourbit models`: what the library holds."""

from __future__ import annotations

from pathlib import Path

import typer

from app.commands.lookup import library
from app.commands.output import Json, columns, emit, say


def register(cli: typer.Typer) -> None:
    cli.command("models", epilog="Example: hourbit models --json")(models)


def models(as_json: Json = False) -> None:
    """List the models of the library."""
    entries = library().entries()
    value = [
        {"name": e.name, "schema": e.schema, "landmarks": _landmarks(e.path), "bytes": e.size, "path": str(e.path)}
        for e in entries
    ]
    rows = [("name", "schema", "bytes", "origin", "path")]
    rows += [(e.name, e.schema, str(e.size), str(e.origin), str(e.path)) for e in entries]
    emit(value, as_json, columns(rows) if entries else "The library holds no models.")


def _landmarks(path: Path) -> int | None:
    """How many landmarks a model finds, 0 for a detector; None where its file cannot be used any more."""
    from engine.errors import UserError
    from engine.models import open_model
    from engine.squares import is_detector

    try:
        model = open_model(path)
        return 0 if is_detector(model.schema) else model.landmarks
    except (UserError, OSError) as error:
        say(f"{path}: {error}")
        return None
