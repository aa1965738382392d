"""YAML files of data sets: every scalar as text, bounded in size and depth, without aliases (bombs)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.formats.extras import needs
from engine.label_reading import MAX_DEPTH, read_text, refuse
from engine.labels import Problems

LIMIT = 4 << 20


def load_yaml(path: Path, problems: Problems | None = None) -> dict[str, Any]:
    """The mapping that a YAML file holds, with texts for all scalars ("no" stays a name); raises FormatError."""
    with needs("PyYAML", f"Reading {path.name}"):
        import yaml
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    text = read_text(path, problems, LIMIT)
    try:
        _check(yaml.parse(text, Loader=loader), path)
        value = yaml.load(text, Loader=loader)  # BaseLoader makes texts, lists and dicts, and nothing else
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        refuse(path, f"line {mark.line + 1}" if mark else "", f"it is no YAML ({reason})")
    if not isinstance(value, dict):
        refuse(path, "", "it holds no names with values", "choose the file that describes the data set")
    return value


def _check(events: Any, path: Path) -> None:
    depth = 0
    for event in events:
        kind = type(event).__name__
        if kind == "AliasEvent":
            refuse(path, f"line {event.start_mark.line + 1}", "it refers to another part by an alias", "write it out")
        depth += kind.endswith("StartEvent") and kind[:3] in ("Map", "Seq")
        depth -= kind.endswith("EndEvent") and kind[:3] in ("Map", "Seq")
        if depth > MAX_DEPTH:
            refuse(path, f"line {event.start_mark.line + 1}", f"it is nested deeper than {MAX_DEPTH} levels")


def dump_yaml(value: dict[str, Any]) -> bytes:
    """A mapping as YAML in the order given."""
    with needs("PyYAML", "Writing YAML"):
        import yaml
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120).encode()


def texts(value: Any) -> list[str]:
    """A list of texts, from a list, a map from numbers, one text or nothing."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (not str(key).isdecimal(), int(key) if str(key).isdecimal() else 0))
        return [value[key] for key in keys if isinstance(value[key], str)]
    if isinstance(value, str):
        return [value] if value.strip("~ ") not in ("", "null") else []
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
