"""Labels as CSV: a row for each instance, three columns for each landmark."""

from __future__ import annotations

import csv
import io
from collections.abc import Set
from pathlib import Path

from app.api import ACCEPTED, Document, ExportReport, State, UserError, Visibility, atomic_write, register_exporter


class Csv:
    """Columns: image, instance, state, box_x, box_y, box_side, then NAME_x, NAME_y, NAME_v for each landmark.

    Pixels, 0-based, the centre of the top-left pixel is (0, 0), a decimal point whatever the system's language.
    v: 2 visible, 1 occluded, 0 absent, whose x and y stay empty. UTF-8.
    """

    name = "csv"
    title = "CSV table"
    suffix = ".csv"

    def export(self, document: Document, path: Path, states: Set[State]) -> ExportReport:
        """Write the labels of images in `states`; raises UserError where there is nothing to write."""
        path = Path(path)
        names = document.schema.landmarks
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        columns = [f"{name}_{part}" for name in names for part in ("x", "y", "v")]
        writer.writerow(["image", "instance", "state", "box_x", "box_y", "box_side", *columns])
        count, images = 0, 0
        for image in document.images():
            if image.state not in states:
                continue
            images += 1
            for number, instance in enumerate(document.instances(image.id), 1):
                box = [f"{value:.4f}" for value in (instance.box.cx, instance.box.cy, instance.box.side)]
                row = [image.path, number, image.state.value, *box]
                for (x, y), seen in zip(instance.points, instance.visibility, strict=True):
                    row += ["", "", 0] if seen == Visibility.ABSENT else [f"{x:.4f}", f"{y:.4f}", int(seen)]
                writer.writerow(row)
                count += 1
        if not count and states <= ACCEPTED:
            raise UserError("There are no accepted labels to export; accept some images first.")
        atomic_write(path, text.getvalue().encode("utf-8", "surrogateescape"))
        return ExportReport(count, images)


def register() -> None:
    """Called when plugins are loaded."""
    register_exporter(Csv())
