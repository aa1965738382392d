"""VIA (VGG Image Annotator) 1, 2 and 3: JSON, projects and CSV."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from app.formats.registry import Holds, ReadOptions, WriteOptions
from app.formats.via.records import Record, csv_records, json_records
from app.formats.via.regions import read_records
from app.formats.via.third import third_csv_records, third_records
from app.formats.via.write import write_csv, write_project, write_third
from engine.labels import LabelSet, Problems

__all__ = ["Via", "ViaCsv", "ViaThird"]

HOLDS = Holds(several_skeletons=True, order=False, edges=False, bare=False, subjects=True)


def _start(head: bytes) -> bytes:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()


class _Via(ABC):
    suffix = ".json"
    holds: Holds = HOLDS

    def read(self, path: Path, options: ReadOptions) -> LabelSet:
        """All pictures with their regions; raises FormatError."""
        problems = Problems(path.name)
        return read_records(path, self._records(path, problems), options, problems)

    @abstractmethod
    def _records(self, path: Path, problems: Problems) -> Iterator[Record]:
        """What the file says of each picture."""


class Via(_Via):
    """VIA 1 and 2: projects and annotations in JSON.

    Points of the canvas, whose origin is the top-left corner; the trade takes them as pixels, so the offset is 0
    (-0.5 is exact). Boxes run along the edges of pixels. A landmark's name is its region's attribute `landmark` (or
    name, label, part ...), else the only attribute that it has, else its number; `instance` (or group, person, face
    ...) tells subjects apart, else the rectangle around them, else repeated names; `kind`, or the rectangle's name,
    says what they are; `visibility` 1, `occluded` or `visible` no is occluded. Other regions are counted.
    Written: a VIA 2 project with these attributes, a rectangle for each box.
    """

    name = "via"
    title = "VIA project"

    def claims(self, path: Path, head: bytes) -> bool:
        """VIA's own words, or regions by file."""
        if _start(head)[:1] != b"{" or b'"vid_list"' in head:
            return False
        words = (b'"fileref"', b'"region_attributes"', b'"file_attributes"')
        return b'"_via_' in head or (b'"regions"' in head and any(word in head for word in words))

    def _records(self, path: Path, problems: Problems) -> Iterator[Record]:
        return json_records(path, problems)

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """One project; raises FormatError."""
        write_project(labels, out, options)


class ViaCsv(_Via):
    """VIA's CSV: that of VIA 1 and 2 with JSON in its cells, read with that of VIA 3.

    Places, names and subjects are those of VIA's projects.
    """

    name = "via-csv"
    title = "VIA CSV"
    suffix = ".csv"

    def claims(self, path: Path, head: bytes) -> bool:
        """The columns of VIA's tables."""
        start = _start(head)
        return b"region_shape_attributes" in start[:400] or (
            start[:1] == b"#" and b"SHAPE_ID" in start and b"spatial_coordinates" in start
        )

    def _records(self, path: Path, problems: Problems) -> Iterator[Record]:
        third = third_csv_records(path, problems)
        return csv_records(path, problems) if third is None else third

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """The table of VIA 2; raises FormatError."""
        write_csv(labels, out, options)


class ViaThird(_Via):
    """VIA 3: projects in JSON.

    Places, names and subjects are those of VIA 2; a moment of a video is the picture film.mp4#t=1.5, say.
    """

    name = "via3"
    title = "VIA 3 project"

    def claims(self, path: Path, head: bytes) -> bool:
        """A project with files, views and metadata."""
        start = _start(head)
        return start[:1] == b"{" and b'"project"' in head and b'"vid_list"' in head

    def _records(self, path: Path, problems: Problems) -> Iterator[Record]:
        return third_records(path, problems)

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """One project; raises FormatError."""
        write_third(labels, out, options)
