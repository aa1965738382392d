"""Labels as CSV: a row for each instance, three columns for each landmark."""

from __future__ import annotations

import csv
import io
from collections.abc import Set
from pathlib import Path

from app.api import (
    Document,
    ExportReport,
    State,
    Visibility,
    atomic_write,
    chosen,
    damage,
    file_name,
    refuse_nothing,
    refuse_own,
    register_exporter,
)


class Csv:
    """Columns: image, instance, state, box_x, box_y, box_side, then NAME_x, NAME_y, NAME_v for each landmark.

    image: the picture's file, from the table's folder where both are in one tree; instance: 1, 2, ... in it; box:
    centre and side. Pixels, 0-based, the centre of the top-left pixel is (0, 0), a decimal point whatever the
    system's language. v: 2 visible, 1 occluded, 0 absent, whose x and y stay empty. UTF-8, commas, CRLF.
    """

    name = "csv"
    title = "CSV table"
    suffix = ".csv"

    def export(self, document: Document, path: Path, states: Set[State]) -> ExportReport:
        """Write the labels of images in `states`; raises UserError where there is nothing to write."""
        path = Path(path)
        refuse_own(document, path)
        names = document.schema.landmarks
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        columns = [f"{name}_{part}" for name in names for part in ("x", "y", "v")]
        writer.writerow(["image", "instance", "state", "box_x", "box_y", "box_side", *columns])
        count, held = 0, chosen(document, states)
        for image in held:
            name = file_name(document, image, path)
            for number, instance in enumerate(document.instances(image.id), 1):
                box = [f"{value:.4f}" for value in (instance.box.cx, instance.box.cy, instance.box.side)]
                row = [name, number, image.state.value, *box]
                for (x, y), seen in zip(instance.points, instance.visibility, strict=True):
                    row += ["", "", 0] if seen == Visibility.ABSENT else [f"{x:.4f}", f"{y:.4f}", int(seen)]
                writer.writerow(row)
                count += 1
        refuse_nothing(count, states)
        atomic_write(path, text.getvalue().encode("utf-8", "surrogateescape"))
        return ExportReport(count, len(held), damage(document, held))


def register() -> None:
    """Called when plugins are loaded."""
    register_exporter(Csv())
