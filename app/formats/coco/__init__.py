"""COCO keypoints, also whole bodies and lists of results."""

from __future__ import annotations

from pathlib import Path

from app.formats.coco.write import write_coco
from app.formats.registry import Holds, ReadOptions, WriteOptions
from engine.coco import claims, read_coco
from engine.labels import LabelSet

__all__ = ["Coco"]


class Coco:
    """COCO keypoints.

    Landmarks: 0-based, the centre of the top-left pixel is (0, 0), so the offset is 0. v: 2 visible, 1 occluded,
    0 absent with x = y = 0. In boxes (0, 0) is the corner of that pixel, so a pixel at x reaches from x to x + 1.
    Written: ids from 1 in order; a category for each skeleton; the box that there is, else one that covers the
    pixels of all landmarks with v > 0 (from the smallest x and y, by largest - smallest + 1); area: the file's,
    else that of the box; `flip_idx` and `track_id` where there are mirror pairs and subjects.
    """

    name = "coco"
    title = "COCO keypoints"
    suffix = ".json"
    holds = Holds(
        several_skeletons=True, subjects=True, flip=True, origins=True, extras=("area", "crowd", "outline", "score")
    )

    def claims(self, path: Path, head: bytes) -> bool:
        """A JSON object with COCO's lists, or a list of results."""
        return claims(head)

    def read(self, path: Path, options: ReadOptions) -> LabelSet:
        """Everything that concerns landmarks; raises FormatError."""
        return read_coco(path, options)

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """Strict JSON, piece by piece; raises FormatError where it would hold no instance though there are some."""
        write_coco(labels, out, options)

