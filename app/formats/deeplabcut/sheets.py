"""DeepLabCut's tables as they lie in CSV and HDF5 files: what each column is, and a row for each picture."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.formats.deeplabcut.hdf5 import read_frame
from engine.label_reading import csv_rows, decode_text, number, read_text, refuse, shown
from engine.labels import Problems

LEVELS = ("scorer", "individuals", "bodyparts", "coords")
COORDS = ("x", "y", "likelihood", "visible")
MISSING = ("", "nan", "NaN", "NAN", "NA", "None")
MOST_COLUMNS = 100_000


@dataclass(frozen=True)
class Sheet:
    """columns: (individual, landmark, coordinate), individual "" where there is no such level; names: of the
    pictures, parts joined by /; places: where each row is; values (rows, columns) float64, NaN where missing."""

    columns: list[tuple[str, str, str]]
    names: list[str]
    places: list[str]
    values: np.ndarray
    scorer: str = ""


def header_words(head: bytes) -> set[str] | None:
    """Coordinates in a CSV file's header; None where it is no such header."""
    lines = decode_text(head).split("\n")[:5]
    try:
        rows = [row for row in csv.reader(io.StringIO("\n".join(line.rstrip("\r") for line in lines))) if row]
    except csv.Error:
        return None
    keys = [row[0].strip() for row in rows]
    if keys[:3] == ["scorer", "bodyparts", "coords"]:
        return {cell.strip() for cell in rows[2][1:]}
    if keys[:4] == ["scorer", "individuals", "bodyparts", "coords"]:
        return {cell.strip() for cell in rows[3][1:]}
    return None


def load_sheet(path: Path, problems: Problems) -> Sheet:
    """A table from a CSV or HDF5 file; raises FormatError."""
    if path.suffix.lower() in (".h5", ".hdf5", ".hdf"):
        return _of_frame(path)
    return _of_csv(path, problems)


def _of_csv(path: Path, problems: Problems) -> Sheet:
    rows = csv_rows(read_text(path, problems), path)
    levels: dict[str, list[str]] = {}
    line = 1
    for number_of, row in rows:
        line = number_of
        levels[row[0].strip()] = [cell.strip() for cell in row]
        if "coords" in levels or len(levels) == len(LEVELS):
            break
    if not {"bodyparts", "coords"} <= set(levels) <= set(LEVELS):
        refuse(path, f"line {line}", "its header is not scorer, bodyparts and coords", "choose a CollectedData file")
    first = next((n for n, cell in enumerate(levels["coords"]) if n and cell in COORDS), None)
    width = len(levels["coords"])
    if first is None or width > MOST_COLUMNS:
        refuse(path, f"line {line}", "coords names no x and y")
    if any(len(level) != width for level in levels.values()):
        refuse(path, f"line {line}", "the rows of its header differ in length")
    people = levels.get("individuals", [""] * width)
    columns = _columns(zip(people[first:], levels["bodyparts"][first:], levels["coords"][first:], strict=True), path)
    names, places, values = [], [], []
    for n, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != width:
            refuse(path, f"line {n}", f"{len(row)} cells where {width} are expected")
        names.append("/".join(cell.strip() for cell in row[:first] if cell.strip()))
        places.append(f"line {n}")
        cells = [cell.strip() for cell in row[first:]]
        values.append([np.nan if cell in MISSING else number(cell, path, f"line {n}") for cell in cells])
    scorer = levels.get("scorer", [""] * width)[first]
    return Sheet(columns, names, places, np.array(values, np.float64).reshape(len(names), len(columns)), scorer)


def _of_frame(path: Path) -> Sheet:
    levels, index, values = read_frame(path)
    names = [str(name) for name in levels]
    if "bodyparts" not in names or "coords" not in names:
        if len(names) not in (3, 4):
            refuse(path, "", "its columns are not scorer, bodyparts and coords", "choose a CollectedData file")
        names = ["scorer", *(["individuals"] if len(names) == 4 else []), "bodyparts", "coords"]
    by_name = dict(zip(names, levels.values(), strict=True))
    people = by_name.get("individuals", [""] * values.shape[1])
    columns = _columns(zip(people, by_name["bodyparts"], by_name["coords"], strict=True), path)
    places = [f"row {n + 1}" for n in range(len(index))]
    bad = np.isinf(values) | (np.abs(np.nan_to_num(values)) > 1e9)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        refuse(path, places[row], f"{values[row, column]} is no number that a picture has")
    scorer = next(iter(by_name.get("scorer", [])), "")
    return Sheet(columns, index, places, values, scorer)


def _columns(given: Iterable[tuple[str, str, str]], path: Path) -> list[tuple[str, str, str]]:
    columns = [(str(a), str(b), str(c)) for a, b, c in given]
    if len(set(columns)) != len(columns):
        twice = Counter(columns).most_common(1)[0][0]
        refuse(path, "header", f"the column {shown(' '.join(twice).strip())} stands twice")
    held = set(columns)
    for person, name in dict.fromkeys((person, name) for person, name, _ in columns):
        for axis in "xy":
            if (person, name, axis) not in held:
                refuse(path, "header", f"{shown(name)} has no {axis}")
    return columns
