"""YOLO-pose: data.yaml, pictures, and a text file of shares of each picture's size."""

from __future__ import annotations

from pathlib import Path

from app.formats.registry import Holds, ReadOptions, WriteOptions
from app.formats.yolo.description import described
from app.formats.yolo.read import read_yolo
from app.formats.yolo.write import write_yolo
from engine.labels import LabelSet

__all__ = ["YoloPose"]


class YoloPose:
    """YOLO-pose.

    Landmarks are shares of the picture's width and height as displayed, times which they are our coordinates: the
    offset is 0 as the trade has it (-0.5 where the corner of the top-left pixel is meant). Boxes count from that
    corner. A row: class, box as centre and size, then x y v of each landmark (kpt_shape [K, 3]) or x y ([K, 2], in
    which a landmark at 0 0, or with a negative share, is absent). v: 0 absent, 1 occluded, 2 visible.
    Written: a folder with data.yaml, images/ and labels/ by split (`all` for pictures of none), kpt_shape [K, 3]. A
    box that there is not covers the landmarks, as COCO's does, or the whole picture where all are absent.
    Landmarks beyond the
    edge, for which trainers refuse the picture, are written as absent.
    """

    name = "yolo-pose"
    title = "YOLO-pose"
    suffix = ""
    packs_pictures = True
    holds = Holds(
        several_skeletons=True, any_shape=False, outside=False, edges=False, flip=True, splits=True, visited=True,
        without_size=False,
    )  # fmt: skip

    def claims(self, path: Path, head: bytes) -> bool:
        """A YAML file with kpt_shape, or a folder with one."""
        if head:
            return path.suffix.lower() in (".yaml", ".yml") and b"kpt_shape" in head
        return bool(described(path))

    def read(self, path: Path, options: ReadOptions) -> LabelSet:
        """All splits; raises FormatError with file and line."""
        return read_yolo(path, options)

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """A folder with a copy of the pictures; raises FormatError where classes differ in number of landmarks."""
        write_yolo(labels, out, options)
