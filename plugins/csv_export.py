"""Labels as CSV: a row for each instance, three columns for each landmark."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Set
from pathlib import Path

from app.api import (
    ABSENT,
    VISIBLE,
    Document,
    ExportReport,
    Finder,
    FormatError,
    Holds,
    LabelSet,
    Problems,
    ReadOptions,
    Rows,
    Skeleton,
    State,
    Table,
    Visibility,
    WriteOptions,
    atomic_write,
    by_picture,
    chosen,
    csv_rows,
    damage,
    file_name,
    number,
    read_text,
    refuse,
    refuse_nothing,
    refuse_own,
    register_format,
    whole,
    written_name,
)

FIRST = ["image", "instance", "state", "box_x", "box_y", "box_side"]
OBLONG = ["box_width", "box_height"]


class Csv:
    """Columns: image, instance, state, box_x, box_y, box_side, then NAME_x, NAME_y, NAME_v for each landmark.

    image: the picture's file, from the table's folder where both are in one tree; instance: 1, 2, ... in it; box:
    centre and side. Pixels, 0-based, the centre of the top-left pixel is (0, 0), a decimal point whatever the
    system's language. v: 2 visible, 1 occluded, 0 absent, whose x and y stay empty. UTF-8, commas, CRLF. Labels of
    other formats whose boxes are no squares have box_width and box_height in the end. Offset: 0.
    """

    name = "csv"
    title = "CSV table"
    suffix = ".csv"
    holds = Holds(edges=False, empty=False)

    def export(self, document: Document, path: Path, states: Set[State]) -> ExportReport:
        """Write the labels of images in `states`; raises UserError where there is nothing to write."""
        path = Path(path)
        refuse_own(document, path)
        names = document.schema.landmarks
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow([*FIRST, *_columns(names)])
        count, held = 0, chosen(document, states)
        for image in held:
            name = file_name(document, image, path)
            for number_, instance in enumerate(document.instances(image.id), 1):
                box = [f"{value:.4f}" for value in (instance.box.cx, instance.box.cy, instance.box.side)]
                row = [name, number_, image.state.value, *box]
                for (x, y), seen in zip(instance.points, instance.visibility, strict=True):
                    row += ["", "", 0] if seen == Visibility.ABSENT else [f"{x:.4f}", f"{y:.4f}", int(seen)]
                writer.writerow(row)
                count += 1
        refuse_nothing(count, states)
        atomic_write(path, text.getvalue().encode("utf-8", "surrogateescape"))
        return ExportReport(count, len(held), damage(document, held))

    def claims(self, path: Path, head: bytes) -> bool:
        """By the names of its first line."""
        names = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].decode("latin-1").strip().split(",")
        return names[:1] == ["image"] and all(any(n.endswith(end) for n in names) for end in ("_x", "_y", "_v"))

    def read(self, path: Path, options: ReadOptions) -> LabelSet:
        """All rows; those that cannot be read are left out and listed. Raises FormatError."""
        problems = Problems(path.name)
        lines = csv_rows(read_text(path, problems), path)
        header = next(lines, (1, []))[1]
        names = [name[:-2] for name in header if name.endswith("_v")]
        missing = [name for name in ("image", *_columns(names)) if name not in header]
        if missing or not names or len(set(header)) != len(header):
            refuse(path, "line 1", f"columns are missing or there twice ({', '.join(missing[:3]) or 'NAME_v'})")
        finder, order, rows = Finder(path, options, problems, ("images",)), {}, Rows(Skeleton("subject", tuple(names)))
        for line, cells in lines:
            try:
                if len(cells) != len(header):
                    refuse(path, f"line {line}", f"it has {len(cells)} cells and the header {len(header)}")
                row = dict(zip(header, cells, strict=True))
                values = [_landmark(row, name, path, line, options.offset or 0.0) for name in names]
                box = _box(row, path, line)
            except FormatError as error:
                what = str(error).removeprefix(f"{path.name}, ").split("; ")[0]
                problems.add(what.split(": ")[0], f"{what.split(': ', 1)[-1]}; the row was left out")
                continue
            picture = order.setdefault(row["image"], len(order))
            rows.add(picture, [(x, y) for x, y, _ in values], [seen for _, _, seen in values], box=box)
        pictures = tuple(finder.picture(name) for name in order)
        return LabelSet(pictures, (rows.table(),), problems.values())

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """Write whole or not at all."""
        tables = [table for table in labels.tables if len(table)] or list(labels.tables[:1])
        if len(tables) != 1:
            raise FormatError("A CSV table holds subjects of one kind; choose another format.")
        boxes = tables[0].box.tolist()
        oblong = any(abs((x1 - x0) - (y1 - y0)) > 1e-4 for x0, y0, x1, y1 in boxes)
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow([*FIRST, *_columns(tables[0].skeleton.landmarks), *(OBLONG if oblong else [])])
        for n, held in by_picture(labels):
            name = written_name(labels.pictures[n], out.parent)
            for count, (of, row) in enumerate(held, 1):
                writer.writerow(_cells(labels.tables[of], row, [name, count, ""], oblong))
        atomic_write(out, text.getvalue().encode("utf-8", "surrogateescape"))


def _columns(names: object) -> list[str]:
    return [f"{name}_{part}" for name in names for part in ("x", "y", "v")]


def _cells(table: Table, row: int, cells: list, oblong: bool) -> list:
    """One row of the table."""
    x0, y0, x1, y1 = table.box[row].tolist()
    width, height = x1 - x0, y1 - y0
    box = ((x0 + x1) / 2, (y0 + y1) / 2, max(width, height), width, height)
    known = ["" if math.isnan(value) else f"{value:.4f}" for value in box]
    cells = [*cells, *known[:3]]
    for (x, y), seen in zip(table.points[row].tolist(), table.visibility[row].tolist(), strict=True):
        cells += ["", "", 0] if seen == ABSENT else [f"{x:.4f}", f"{y:.4f}", seen]
    return [*cells, *(known[3:] if oblong else [])]


def _landmark(row: dict[str, str], name: str, path: Path, line: int, offset: float) -> tuple[float, float, int]:
    """x, y, visibility; an empty v is that of a visible landmark where x and y are there."""
    place, seen = (row[f"{name}_x"].strip(), row[f"{name}_y"].strip()), row[f"{name}_v"].strip()
    where = f"line {line}, {name}"
    v = whole(seen, path, f"{where}_v") if seen else VISIBLE if all(place) else ABSENT
    if v == ABSENT:
        return 0.0, 0.0, ABSENT
    if v not in (1, VISIBLE):
        refuse(path, f"{where}_v", f"{v} is neither 0, 1 nor 2")
    x, y = (number(value, path, f"{where}_{part}") for value, part in zip(place, "xy", strict=True))
    return x + offset, y + offset, v


def _box(row: dict[str, str], path: Path, line: int) -> tuple[float, float, float, float] | None:
    if not all(row.get(name) for name in FIRST[3:]):
        return None
    cx, cy, side = (number(row[name], path, f"line {line}, {name}") for name in FIRST[3:])
    width, height = (number(row.get(name) or side, path, f"line {line}, {name}") for name in OBLONG)
    return cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2


def register() -> None:
    """Called when plugins are loaded."""
    register_format(Csv())
