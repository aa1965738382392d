"""CVAT's XML 1.1: images and tracks, skeletons and loose points."""

from __future__ import annotations

from pathlib import Path

from app.formats.cvat.read import read_cvat
from app.formats.cvat.write import write_cvat
from app.formats.registry import Holds, ReadOptions, WriteOptions
from engine.labels import LabelSet

__all__ = ["Cvat"]


class Cvat:
    """CVAT XML 1.1.

    Points of the canvas, whose origin is the top-left corner; the trade takes them as pixels, so the offset is 0
    (-0.5 is exact). Boxes run along the edges of pixels. outside 1 is absent, occluded 1 is occluded, else visible.
    A skeleton is a subject; the box of the same group is its box. Points with several places are a subject with
    numbered landmarks; single ones belong together by group, by the box around them, else by picture. Landmarks are
    in the order of the list of labels, lines by the names of the nodes in its drawing. `source` auto is a model.
    Tracks: the subject is the track's id, and a frame of a video is the picture frame_000012, say.
    Written: an image each, skeletons with all their points, boxes of the same group; nobody's name.
    """

    name = "cvat"
    title = "CVAT XML"
    suffix = ".xml"
    holds = Holds(several_skeletons=True, origins=True)

    def claims(self, path: Path, head: bytes) -> bool:
        """XML with annotations of images or tracks."""
        return b"<annotations" in head and any(word in head for word in (b"<image ", b"<track ", b"<meta", b"<version"))

    def read(self, path: Path, options: ReadOptions) -> LabelSet:
        """All images and tracks; raises FormatError."""
        return read_cvat(path, options)

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """One file; raises FormatError."""
        write_cvat(labels, out, options)
