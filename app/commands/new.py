"""`hourbit new`: a project of pictures, with any schema."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.output import Json, emit, progress, several
from engine.errors import UserError

if TYPE_CHECKING:
    from engine.schema import Schema


def register(cli: typer.Typer) -> None:
    cli.command("new", epilog="Example: hourbit new birds.hourbit-project photos --schema birds.json")(new)


def new(
    project: Annotated[Path, typer.Argument(metavar="PROJECT", help="The .hourbit-project to make.")],
    pictures: Annotated[
        list[Path] | None, typer.Argument(metavar="PICTURES...", help="Pictures, and folders of them.")
    ] = None,
    schema: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="A schema by name; or its file, or a label file that names "
                          "landmarks.")
    ] = "ibug68",
    as_json: Json = False,
) -> None:  # fmt: skip
    """Make a project with the landmarks of any schema."""
    from app.project.document import Document
    from app.services.projects import SUFFIX, joined, read_new

    if not project.name.endswith(SUFFIX):
        raise UserError(f"A project's name ends in {SUFFIX}; call it {project.name}{SUFFIX}.")
    if os.path.exists(project):
        raise UserError(f"{project} exists already; choose another name, or bring pictures in by the window.")
    landmarks, files = schema_of(schema), _pictures(pictures or [])
    with progress("Reading") as show:
        found = read_new(files, (), lambda done, total: show(done, total) is None)
    document = Document.create(project, landmarks, project.name.removesuffix(SUFFIX))
    try:
        edit, _, _ = joined(document, found)
        if edit is not None:
            document.apply(edit)
        count = len(document.images())
    finally:
        document.close()
    value = {"path": str(project.resolve()), "schema": landmarks.name, "landmarks": len(landmarks), "images": count}
    emit(value, as_json, f"{project}: {several(count, 'image')}, {several(len(landmarks), 'landmark')} "
         f"({landmarks.title})")  # fmt: skip


def schema_of(name: str) -> Schema:
    """A schema by name, its file, or the landmarks that a label file names; raises UserError."""
    from app.plugins import load_plugins
    from app.services.own_schemas import find_schema
    from app.services.schemas import read_schemas

    path = Path(name)
    if not os.path.isfile(path):
        if path.suffix or len(path.parts) > 1:
            raise UserError(f"There is no schema file {name}; check its place.")
        return find_schema(name)
    load_plugins()
    found = read_schemas(path)
    if len(found) > 1:
        names = ", ".join(schema.title for schema in found)
        raise UserError(f"{path.name} names landmarks of several kinds ({names}); choose one in the window.")
    return found[0]


def _pictures(places: list[Path]) -> list[Path]:
    from app.services.projects import pictures_in
    from engine.images import IMAGE_SUFFIXES

    found: list[Path] = []
    for place in places:
        if not os.path.exists(place):
            raise UserError(f"There is no file or folder {place}; check its place.")
        if os.path.isfile(place) and place.suffix.lower() not in IMAGE_SUFFIXES:
            raise UserError(f"{place.name} is no picture; name pictures, or folders of them.")
        found += [place.absolute()] if os.path.isfile(place) else pictures_in(place.absolute())
    return list(dict.fromkeys(found))
