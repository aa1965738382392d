"""SLEAP: .slp and .pkg.slp files."""

from __future__ import annotations

from pathlib import Path

from app.formats.registry import Holds, ReadOptions, WriteOptions
from app.formats.sleap.read import read_sleap
from app.formats.sleap.write import write_sleap
from engine.labels import LabelSet

__all__ = ["Sleap"]


class Sleap:
    """SLEAP.

    Landmarks: from format 1.1 on, (0, 0) is the centre of the top-left pixel, so the offset is 0. In older files
    what users placed counts from the pixel's corner, -0.5, and what a model placed does not. visible false with
    coordinates: occluded; NaN: absent. Predicted instances are not by hand; tracks are subjects. A frame of a video
    is called by the video's name and its number; pictures inside a .pkg.slp are not unpacked.
    Written: format 1.2, pictures as image sequences, one for each size, by where they lie from the file.
    """

    name = "sleap"
    title = "SLEAP"
    suffix = ".slp"
    holds = Holds(several_skeletons=True, boxes=False, scores=True, subjects=True, flip=True, origins=True)

    def claims(self, path: Path, head: bytes) -> bool:
        """An HDF5 file called .slp."""
        return head.startswith(b"\x89HDF\r\n\x1a\n") and path.suffix.lower() == ".slp"

    def read(self, path: Path, options: ReadOptions) -> LabelSet:
        """All labelled frames; raises FormatError."""
        return read_sleap(path, options)

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """One file; raises FormatError."""
        write_sleap(labels, out, options)
