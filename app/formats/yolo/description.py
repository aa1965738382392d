"""What data.yaml says: landmarks, mirror pairs, classes, and where the splits are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.formats.yamls import load_yaml, texts
from engine.label_reading import head_of, refuse, shown, whole
from engine.labels import Problems, Skeleton

SPLITS = {"train": "train", "val": "validation", "test": "test"}
MAX_LANDMARKS = 10_000


@dataclass(frozen=True)
class Description:
    """count landmarks of `values` numbers each; a skeleton for each class; (split, place) as the file has them."""

    file: Path
    count: int
    values: int
    classes: dict[int, Skeleton]
    places: tuple[tuple[str, str], ...]
    root: str


def described(folder: Path) -> list[Path]:
    """YAML files of a folder that describe a data set with landmarks."""
    try:
        files = sorted(p for p in folder.iterdir() if p.suffix.lower() in (".yaml", ".yml") and os.path.isfile(p))
        return [file for file in files[:100] if b"kpt_shape" in head_of(file)]
    except OSError:
        return []


def read_description(path: Path, problems: Problems) -> Description:
    """data.yaml, also of a folder; raises FormatError."""
    if os.path.isdir(path):
        found = described(path)
        if len(found) != 1:
            names = ", ".join(file.name for file in found)
            what = f"several files describe a data set ({names})" if found else "no YAML file with kpt_shape is in it"
            refuse(path, "", what, "choose a file")
        path = found[0]
    data = load_yaml(path, problems)
    shape = data.get("kpt_shape")
    if not isinstance(shape, list) or len(shape) != 2:
        refuse(path, "kpt_shape", f"{shown(shape)} is no number of landmarks and of values")
    count, values = (whole(one, path, "kpt_shape") for one in shape)
    if not 1 <= count <= MAX_LANDMARKS or values not in (2, 3):
        refuse(path, "kpt_shape", f"[{count}, {values}] is no number of landmarks with 2 or 3 values each")
    places = [(SPLITS[key], place) for key in SPLITS for place in texts(data.get(key))]
    root = texts(data.get("path"))
    return Description(path, count, values, _classes(data, count, path, problems), tuple(places), (root or [""])[0])


def _classes(data: dict[str, Any], count: int, path: Path, problems: Problems) -> dict[int, Skeleton]:
    names = _numbered(data.get("names"), path, "names")
    if not names:
        number = whole(data.get("nc", 1), path, "nc")
        names = {n: f"class{n}" for n in range(min(max(number, 1), MAX_LANDMARKS))}
        problems.add("names", f"it names no class; they are called {names[0]} and so on")
    flip = _flip(data.get("flip_idx"), count, path, problems)
    given = data.get("kpt_names")
    by_class = given if isinstance(given, dict) and any(isinstance(v, (list, dict)) for v in given.values()) else None
    made = {}
    for n, name in names.items():
        held = texts(by_class.get(str(n), by_class.get(name)) if by_class is not None else given)
        if held and (len(held) != count or len(set(held)) != count):
            problems.add("kpt_names", f"{len(set(held))} names are not those of {count} landmarks; they were left out")
            held = []
        made[n] = Skeleton(str(name), tuple(held or (str(i + 1) for i in range(count))), (), flip)
    return made


def _numbered(value: Any, path: Path, where: str) -> dict[int, str]:
    """Names by number, from a list or a map."""
    pairs = value.items() if isinstance(value, dict) else enumerate(texts(value))
    return dict(sorted((whole(n, path, where), str(name)) for n, name in pairs))


def _flip(value: Any, count: int, path: Path, problems: Problems) -> tuple[tuple[int, int], ...]:
    """Mirror pairs; what is no permutation that undoes itself is left out and noted."""
    if value is None or not texts(value):
        return ()
    partner = [whole(one, path, "flip_idx") for one in texts(value)]
    if sorted(partner) != list(range(count)) or any(partner[partner[n]] != n for n in range(count)):
        problems.add("flip_idx", f"it does not pair each of the {count} landmarks with one other; it was left out")
        return ()
    return tuple((n, other) for n, other in enumerate(partner) if n < other)
