"""Writing DeepLabCut's and Lightning Pose's tables."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from app.files import atomic_file, atomic_write
from app.formats.deeplabcut.hdf5 import KEY
from app.formats.deeplabcut.read import SINGLE, UNNAMED
from app.formats.extras import needs
from app.formats.names import written_names
from app.formats.registry import FormatError, WriteOptions
from engine.labels import ABSENT, LabelSet, Table

SCORER = "hourbit"
MOST_CELLS = 50_000_000


def write_deeplabcut(labels: LabelSet, out: Path, options: WriteOptions) -> None:
    """A CSV or, by its name, HDF5 file; raises FormatError."""
    table = _only(labels)
    counts = np.bincount(table.picture, minlength=1)
    many = bool((counts > 1).any() or (table.subject != "").any())
    people = _people(table) if many else ["" for _ in range(len(table))]
    order = list(dict.fromkeys(sorted(people, key=_natural))) if many else [""]
    names = table.skeleton.landmarks
    k = len(names)
    if len(labels.pictures) * len(order) * k > MOST_CELLS:
        raise FormatError(f"A column for each of {len(order)} subjects is too much for a table; leave out their names.")
    values = np.full((len(labels.pictures), len(order), k, 2), np.nan)
    points = np.where((table.visibility > ABSENT)[..., None], table.points - (options.offset or 0.0), np.nan)
    for row, person in enumerate(people):
        values[table.picture[row], order.index(person)] = points[row]
    levels = {"scorer": [SCORER] * (len(order) * k * 2)}
    if many:
        levels["individuals"] = [person for person in order for _ in range(2 * k)]
    levels["bodyparts"] = [name for _ in order for name in names for _ in "xy"]
    levels["coords"] = ["x", "y"] * (len(order) * k)
    flat = values.reshape(len(labels.pictures), -1)
    index = _index(labels, out)
    if out.suffix.lower() in (".h5", ".hdf5"):
        _write_frame(out, levels, index, flat)
    else:
        atomic_write(out, _csv(levels, index, [[_text(v) for v in row] for row in flat.tolist()]))


def write_lightning(labels: LabelSet, out: Path, options: WriteOptions) -> None:
    """A CSV file with x, y and visible of each landmark; raises FormatError."""
    table = _only(labels)
    if (np.bincount(table.picture, minlength=1) > 1).any():
        raise FormatError("Lightning Pose holds one subject a picture; choose another format.")
    names, k = table.skeleton.landmarks, len(table.skeleton)
    cells = [["", "", "0"] * k for _ in labels.pictures]
    for row, picture in enumerate(table.picture):
        made: list[str] = []
        for (x, y), seen in zip(table.points[row] - (options.offset or 0.0), table.visibility[row], strict=True):
            made += [_text(x), _text(y), str(seen)] if seen > ABSENT else ["", "", "0"]
        cells[picture] = made
    levels = {
        "scorer": [SCORER] * (3 * k), "bodyparts": [name for name in names for _ in range(3)],
        "coords": ["x", "y", "visible"] * k,
    }  # fmt: skip
    atomic_write(out, _csv(levels, _index(labels, out), cells))


def _only(labels: LabelSet) -> Table:
    tables = [table for table in labels.tables if len(table)] or list(labels.tables)
    if len(tables) != 1:
        raise FormatError("A table holds subjects of one kind; export each kind on its own.")
    if len(set(tables[0].skeleton.landmarks)) != len(tables[0].skeleton):
        raise FormatError("Two landmarks have one name; give each a name of its own first.")
    return tables[0]


def _people(table: Table) -> list[str]:
    """A name for each instance, once a picture: its subject, else the next individual."""
    taken: dict[int, set[str]] = {}
    for picture, subject in zip(table.picture.tolist(), table.subject.tolist(), strict=True):
        held = taken.setdefault(picture, set())
        if subject and subject in held:
            raise FormatError(f"{subject!r} is in one picture twice; give each subject a name of its own.")
        if subject:
            held.add(subject)
    made = []
    for picture, subject in zip(table.picture.tolist(), table.subject.tolist(), strict=True):
        name, n = subject if subject != SINGLE else "single_1", 1
        while not name:
            name = f"{UNNAMED}{n}" if f"{UNNAMED}{n}" not in taken[picture] else ""
            n += 1
        taken[picture].add(name)
        made.append(name)
    return made


def _natural(name: str) -> tuple[str, int]:
    stem = name.rstrip("0123456789")
    return stem, int(name[len(stem) :][:18] or 0)


def _index(labels: LabelSet, out: Path) -> list[tuple[str, ...]]:
    """Names of the pictures: in three parts where the table lies in a project's labeled-data, as DeepLabCut has it."""
    folder = out.absolute().parent
    if folder.parent.name == "labeled-data":
        names = written_names(labels.pictures, folder.parent.parent)
        parts = [tuple(name.split("/")) for name in names]
        if all(len(one) == 3 for one in parts):
            return parts
    return [(name,) for name in written_names(labels.pictures, folder)]


def _text(value: float) -> str:
    return "" if value != value else repr(float(value))


def _csv(levels: dict[str, list[str]], index: list[tuple[str, ...]], cells: list[list[str]]) -> bytes:
    made = io.StringIO(newline="")
    writer = csv.writer(made, lineterminator="\n")
    width = len(index[0]) if index else 1
    for name, level in levels.items():
        writer.writerow([name, *[""] * (width - 1), *level])
    writer.writerows([*one, *row] for one, row in zip(index, cells, strict=True))
    return made.getvalue().encode("utf-8", "surrogateescape")


def _write_frame(out: Path, levels: dict[str, list[str]], index: list[tuple[str, ...]], values: np.ndarray) -> None:
    with needs("pandas with PyTables", f"Writing {out.name}"):
        import pandas
        import tables  # noqa: F401
    columns = pandas.MultiIndex.from_arrays(list(levels.values()), names=list(levels))
    wide = len(index[0]) > 1 if index else False
    rows = pandas.MultiIndex.from_tuples(index) if wide else [name for (name,) in index]
    frame = pandas.DataFrame(values, index=rows, columns=columns)
    with atomic_file(out) as file:
        frame.to_hdf(file.name, key=KEY, mode="w", format="fixed")
