"""300W's .pts files: read by engine.layouts.pts, and written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from app.files import atomic_folder
from app.formats.copies import beside_names, copy_picture
from app.formats.layouts import LayoutFormat
from app.formats.registry import Holds, ReadOptions, WriteOptions
from app.formats.rows import by_picture
from engine.label_pictures import size_of
from engine.labels import LabelSet

ONE_BASED = -1.0  # added on reading
DECIMALS = 6


class Pts(LayoutFormat):
    """300W (.pts).

    A folder of pictures with a file for each face beside them: of the picture's own stem, or with _1, _2 and so on
    for several faces. The first pixel is 1, so 1 is subtracted on reading and added on writing. All landmarks are
    there; nothing tells occluded ones, names or boxes. 68 landmarks are those of iBUG.
    Written: the pictures, copied, and their files.
    """

    packs_pictures = True
    holds = Holds(absent=False, occluded=False, boxes=False, names=False, edges=False, empty=False, bare=False)

    def __init__(self) -> None:
        super().__init__("300w")

    def read(self, path: Path, options: ReadOptions) -> LabelSet:
        """All .pts files below a folder, or one; raises FormatError where none can be read."""
        labels = super().read(path, options)
        pictures = [
            picture if picture.path is None else replace(picture, size=size_of(picture.path))
            for picture in labels.pictures
        ]
        return replace(labels, pictures=tuple(pictures))

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """A new folder; raises FormatError."""
        names = beside_names(labels.pictures)
        stems = {name.with_suffix("").as_posix().casefold() for name in names}
        offset = ONE_BASED if options.offset is None else options.offset
        with atomic_folder(out) as folder:
            for n, rows in by_picture(labels):
                picture = labels.pictures[n]
                if picture.path is not None:
                    copy_picture(picture.path, folder / names[n], options.pictures)
                for file, (table, row) in zip(_files(names[n], len(rows), stems), rows, strict=True):
                    place = folder / file
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(_text(labels.tables[table].points[row] - offset))
                if options.progress is not None:
                    options.progress(n + 1, len(names))


def _files(name: PurePosixPath, count: int, stems: set[str]) -> list[PurePosixPath]:
    """Names of a picture's files; none is the stem of another picture."""
    if count == 1:
        return [name.with_suffix(".pts")]
    made, number = [], 0
    while len(made) < count:
        number += 1
        file = name.with_name(f"{name.stem}_{number}.pts")
        if file.with_suffix("").as_posix().casefold() not in stems:
            made.append(file)
    return made


def _text(points: np.ndarray) -> bytes:
    lines = [f"{x:.{DECIMALS}f} {y:.{DECIMALS}f}\n" for x, y in points.tolist()]
    return f"version: 1\nn_points: {len(points)}\n{{\n{''.join(lines)}}}\n".encode()
