"""Our own tables for analysis, a row for each landmark: CSV and Parquet with the same columns."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from app.files import atomic_file
from app.formats.names import written_name
from app.formats.registry import FormatError, Holds, ReadOptions, WriteOptions
from app.formats.rows import by_picture
from engine.label_pictures import Finder
from engine.label_reading import csv_rows, number, read_text, refuse, shown, whole
from engine.labels import ABSENT, OCCLUDED, VISIBLE, LabelSet, Problems, Skeleton, Table
from engine.regular import open_regular
from engine.rows import Rows

# Name -> what it holds, in the order of the columns.
COLUMNS = {
    "image": "the picture's file, from the table's folder where both are in one tree",
    "width": "of the picture, pixels as displayed",
    "height": "of the picture",
    "split": "train, validation or test",
    "visited": "1 where a person has looked at the picture",
    "instance": "1, 2, ... in the picture; empty in the one row of a picture without any",
    "kind": "what the subject is",
    "subject": "id of the person or track",
    "hand": "1 by hand, 0 found by a model",
    "box_x0": "left edge of the box, pixels",
    "box_y0": "upper edge",
    "box_x1": "right edge",
    "box_y1": "lower edge",
    "landmark": "its name",
    "x": "pixels, the centre of the top-left one is 0; empty where absent",
    "y": "likewise, downwards",
    "visibility": "2 visible, 1 occluded, 0 absent",
    "score": "the model's, 0 to 1",
}
NEEDED = ("image", "landmark", "x", "y")
NUMBERS = ("width", "height", "visited", "instance", "hand", "box_x0", "box_y0", "box_x1", "box_y1", "x", "y",
           "visibility", "score")  # fmt: skip
WHOLE = ("width", "height", "visited", "instance", "hand", "visibility")
HOLDS = Holds(
    several_skeletons=True, edges=False, scores=True, subjects=True, origins=True, splits=True, visited=True
)  # fmt: skip
BLOCK = 1024  # pictures that are written at a time
Row = dict[str, Any]


def rows_of(labels: LabelSet, folder: Path) -> Iterator[list[Row]]:
    """The rows of some pictures at a time; None where a column has nothing."""
    block: list[Row] = []
    for n, held in by_picture(labels):
        picture = labels.pictures[n]
        width, height = picture.size or (None, None)
        shared: Row = {
            "image": written_name(picture, folder), "width": width, "height": height, "split": picture.split or None,
            "visited": int(picture.visited),
        }  # fmt: skip
        for count, (table, row) in enumerate(held, 1):
            block += _instance_rows(labels.tables[table], row, shared | {"instance": count})
        if not held:
            block.append(shared)
        if n % BLOCK == BLOCK - 1:
            yield block
            block = []
    if block:
        yield block


def _instance_rows(table: Table, row: int, shared: Row) -> Iterator[Row]:
    box = [None if math.isnan(v) else v for v in table.box[row].tolist()]
    shared = shared | {
        "kind": table.skeleton.name, "subject": str(table.subject[row]) or None, "hand": int(table.hand[row]),
        "box_x0": box[0], "box_y0": box[1], "box_x1": box[2], "box_y1": box[3],
    }  # fmt: skip
    values = zip(
        table.skeleton.landmarks, table.points[row].tolist(), table.visibility[row].tolist(),
        table.score[row].tolist(), strict=True,
    )  # fmt: skip
    for name, (x, y), seen, score in values:
        place = (None, None) if seen == ABSENT else (x, y)
        known = None if math.isnan(score) else round(score, 6)
        yield shared | {"landmark": name, "x": place[0], "y": place[1], "visibility": seen, "score": known}


class _Reading:
    """Rows of a table as labels. Instances are told apart by image, kind and instance; a landmark may be missing."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self.path, self.offset = path, options.offset or 0.0
        self.problems = Problems(path.name)
        self.finder = Finder(path, options, self.problems, ("images",))
        self.pictures: dict[str, Row] = {}
        self.kinds: dict[str, dict[str, int]] = {}  # kind -> landmark -> its number
        self.instances: dict[tuple[str, str, Any], tuple[Row, dict[str, tuple[float, float, int, float]]]] = {}

    def add(self, row: Row, where: str) -> None:
        """One row; what cannot be read is left out and listed."""
        try:
            self._add(row, where)
        except FormatError as error:
            what = str(error).removeprefix(f"{self.path.name}, {where}: ").split("; ")[0]
            self.problems.add(where, f"{what}; the row was left out")

    def _add(self, row: Row, where: str) -> None:
        image = str(row["image"] or "")
        if not image:
            refuse(self.path, where, "it names no image")
        row = row | {name: self._number(row, name, where) for name in NUMBERS}
        self.pictures.setdefault(image, row)
        if row["landmark"] is None:
            return
        name, kind = str(row["landmark"]), str(row.get("kind") or "subject")
        x, y, seen = row["x"], row["y"], row["visibility"]
        if seen is None:
            seen = ABSENT if x is None or y is None else VISIBLE
        if seen not in (ABSENT, OCCLUDED, VISIBLE):
            refuse(self.path, where, f"visibility {shown(seen)} is neither 0, 1 nor 2")
        if seen != ABSENT and (x is None or y is None):
            refuse(self.path, where, "x or y is empty though the landmark is not absent")
        _, held = self.instances.setdefault((image, kind, row["instance"]), (row, {}))
        if name in held:
            refuse(self.path, where, f"the landmark {shown(name)} stands twice in one instance")
        names = self.kinds.setdefault(kind, {})
        names.setdefault(name, len(names))
        score = math.nan if row["score"] is None else row["score"]
        held[name] = (0.0, 0.0, ABSENT, score) if seen == ABSENT else (x + self.offset, y + self.offset, seen, score)

    def _number(self, row: Row, name: str, where: str) -> Any:
        value = row.get(name)
        if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
            return None
        return (whole if name in WHOLE else number)(value, self.path, f"{where}, {name}")

    def labels(self) -> LabelSet:
        order = {image: n for n, image in enumerate(self.pictures)}
        tables = {kind: Rows(Skeleton(kind, tuple(names))) for kind, names in self.kinds.items()}
        for (image, kind, _), (row, held) in self.instances.items():
            values = np.array([held.get(name, (0.0, 0.0, ABSENT, math.nan)) for name in self.kinds[kind]])
            box = [row[f"box_{edge}"] for edge in ("x0", "y0", "x1", "y1")]
            tables[kind].add(
                order[image], values[:, :2], values[:, 2], score=values[:, 3],
                box=None if None in box else [v + self.offset for v in box],
                hand=row["hand"] != 0, subject=str(row.get("subject") or ""),
            )  # fmt: skip
        pictures = tuple(self._picture(image, row) for image, row in self.pictures.items())
        return LabelSet(pictures, tuple(rows.table() for rows in tables.values()), self.problems.values())

    def _picture(self, image: str, row: Row) -> Any:
        size = (row["width"], row["height"])
        known = None if None in size or min(size) < 1 else size
        return self.finder.picture(image, known, str(row.get("split") or ""), bool(row["visited"]))


def _read_rows(path: Path, options: ReadOptions, rows: Iterable[tuple[str, Row]]) -> LabelSet:
    reading = _Reading(path, options)
    for where, row in rows:
        reading.add(row, where)
    return reading.labels()


def _refuse_columns(path: Path, names: Iterable[str]) -> None:
    missing = [name for name in NEEDED if name not in set(names)]
    if missing:
        refuse(path, "", f"the columns {', '.join(missing)} are missing", "choose another format or file")


class LandmarkCsv:
    """CSV with a row for each landmark; columns as in COLUMNS, in any order, all but NEEDED may be missing.

    UTF-8, commas (semicolons are read too), a decimal point whatever the system's language, CRLF. Offset: 0.
    """

    name = "landmarks-csv"
    title = "CSV by landmark"
    suffix = ".csv"
    holds = HOLDS

    def claims(self, path: Path, head: bytes) -> bool:
        """By the names of its first line."""
        first = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].strip().replace(b'"', b"")
        return any(set(NEEDED) <= set(first.decode("latin-1").split(mark)) for mark in ",;")

    def read(self, path: Path, options: ReadOptions) -> LabelSet:
        """Everything; raises FormatError."""
        text = read_text(path, limit=4 << 30)
        first = text.split("\n", 1)[0]
        rows = csv_rows(text, path, ";" if ";" in first and "," not in first else ",")
        names = [name.strip() for name in next(rows, (0, []))[1]]
        _refuse_columns(path, names)

        def told() -> Iterator[tuple[str, Row]]:
            for line, cells in rows:
                if len(cells) > len(names):
                    refuse(path, f"line {line}", f"it has {len(cells)} cells and the header {len(names)}")
                padded = [cell if cell != "" else None for cell in cells] + [None] * (len(names) - len(cells))
                yield f"line {line}", dict(zip(names, padded, strict=True))

        return _read_rows(path, options, told())

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """Write whole or not at all."""
        with atomic_file(out) as file:
            file.write(",".join(COLUMNS).encode() + b"\r\n")
            for block in _blocks(labels, out, options):
                text = io.StringIO(newline="")
                csv.writer(text).writerows([[row.get(name) for name in COLUMNS] for row in block])
                file.write(text.getvalue().encode("utf-8", "surrogateescape"))


class LandmarkParquet:
    """Parquet with the columns of LandmarkCsv, through pyarrow (the extra `formats`). Offset: 0."""

    name = "parquet"
    title = "Parquet by landmark"
    suffix = ".parquet"
    holds = HOLDS

    def claims(self, path: Path, head: bytes) -> bool:
        """By the file's mark."""
        return head.startswith(b"PAR1")

    def read(self, path: Path, options: ReadOptions) -> LabelSet:
        """Everything; raises FormatError."""
        arrow, parquet = _arrow()
        try:
            with open_regular(path) as opened:
                file = parquet.ParquetFile(opened)
                _refuse_columns(path, file.schema_arrow.names)
                names = [name for name in COLUMNS if name in file.schema_arrow.names]
                return _read_rows(path, options, _parquet_rows(file, names))
        except (arrow.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
            if isinstance(error, FormatError):
                raise
            refuse(path, "", f"it is no Parquet table that can be read ({str(error).splitlines()[0][:80]})")

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """Write whole or not at all."""
        arrow, parquet = _arrow()
        kinds = {name: arrow.int64() if name in WHOLE else arrow.float64() for name in NUMBERS}
        schema = arrow.schema([(name, kinds.get(name, arrow.string())) for name in COLUMNS])
        with atomic_file(out) as file, parquet.ParquetWriter(file, schema, compression="zstd") as writer:
            for block in _blocks(labels, out, options):
                try:
                    writer.write_table(arrow.Table.from_pylist(block, schema=schema))
                except UnicodeEncodeError as error:
                    raise FormatError("A picture's name is no text, which Parquet needs; rename it.") from error


def _blocks(labels: LabelSet, out: Path, options: WriteOptions) -> Iterator[list[Row]]:
    for n, block in enumerate(rows_of(labels, out.parent)):
        if options.progress is not None:
            options.progress(float(min(n * BLOCK, len(labels.pictures))), float(len(labels.pictures)))
        yield block


def _parquet_rows(file: Any, names: list[str]) -> Iterator[tuple[str, Row]]:
    count = 0
    for batch in file.iter_batches(batch_size=8192, columns=names):
        for row in batch.to_pylist():
            count += 1
            yield f"row {count}", row


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise FormatError('Parquet needs pyarrow; install it with: pip install "hourbit[formats]".') from error
    return pyarrow, pyarrow.parquet


