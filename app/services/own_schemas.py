"""The schemas that a project can be made for: those that ship, and the user's own, kept in the data folder."""

from __future__ import annotations

import json
import re
from pathlib import Path

from app.files import atomic_write, data_folder
from engine.errors import UserError
from engine.regular import read_regular
from engine.schema import Schema, SchemaError, load_schema, schema_from_json, schema_names

SUFFIX = ".json"
LARGEST = 4_000_000  # bytes of a schema's file
NAME = r"\w[\w .()+-]{0,63}"  # what a schema's file can be called after
ORDER = ("ibug68", "mpii16", "coco17", "wflw98")  # the usual ones first


def own_folder() -> Path:
    """Where the user's own schemas are."""
    return data_folder() / "schemas"


def known_schemas() -> list[Schema]:
    """All that can be chosen: the usual ones, the others that ship, then the user's own by name."""
    names = sorted(schema_names(), key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))
    return [*map(load_schema, names), *own_schemas()]


def own_schemas() -> list[Schema]:
    """The user's own by name; files that are none of ours, or damaged, are left out."""
    found = []
    for path in sorted(own_folder().glob(f"*{SUFFIX}")):
        try:
            found.append(read_schema(path))
        except UserError:
            continue
    return found


def read_schema(path: Path) -> Schema:
    """A schema's own file; raises SchemaError."""
    try:
        if path.stat().st_size > LARGEST:
            raise SchemaError(f"{path.name} is larger than 4 MB and no schema; choose another file.")
        return schema_from_json(json.loads(read_regular(path)))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SchemaError(f"{path.name} is no schema ({reason}); choose another file.") from error


def find_schema(name: str) -> Schema:
    """A schema by its name, of those that ship or one's own; raises SchemaError where there is none."""
    if name in schema_names():
        return load_schema(name)
    own = {schema.name: schema for schema in own_schemas()}
    if name not in own:
        raise SchemaError(f"There is no schema {name!r}; choose one of {', '.join([*schema_names(), *own])}.")
    return own[name]


def keep_schema(schema: Schema) -> str:
    """Keep one's own schema, so that it can be found by its name, which is returned; raises UserError.

    One that is known already stays as it is; another of the same name is refused.
    """
    if schema.name in schema_names() and load_schema(schema.name) == schema:
        return schema.name
    if not re.fullmatch(NAME, schema.name):
        raise SchemaError(f"A schema cannot be called {schema.name!r}; name it by up to 64 letters, digits, - and _.")
    same = [one for one in known_schemas() if one.name == schema.name]
    if same and same[0] != schema:
        raise SchemaError(f"There is another schema {schema.name!r} already; give this one another short name.")
    own_folder().mkdir(parents=True, exist_ok=True)
    write_schema(own_folder() / f"{schema.name}{SUFFIX}", schema)
    return schema.name


def write_schema(path: Path, schema: Schema) -> None:
    """Write a schema as JSON, whole or not at all; raises UserError."""
    atomic_write(path, f"{json.dumps(schema.to_json(), indent=1)}\n".encode())
