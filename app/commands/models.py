"""`hourbit models`: what the library holds."""

from __future__ import annotations

import typer

from app.commands.lookup import library
from app.commands.output import Json, columns, emit


def register(cli: typer.Typer) -> None:
    cli.command("models", epilog="Example: hourbit models --json")(models)


def models(as_json: Json = False) -> None:
    """List the models of the library: shipped, fine-tuned and imported."""
    entries = library().entries()
    value = [
        {"name": e.name, "schema": e.schema, "landmarks": landmarks(e.schema), "bytes": e.size, "path": str(e.path)}
        for e in entries
    ]
    rows = [("name", "schema", "bytes", "origin", "path")]
    rows += [(e.name, e.schema, str(e.size), str(e.origin), str(e.path)) for e in entries]
    emit(value, as_json, columns(rows) if entries else "The library holds no models.")
