"""The formats that ship: what each is called, and where its code is, which is imported when it is needed.

A third party's format is registered the same way: `app.api.register_format(Mine())`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path

from app.formats.registry import Format, Holds, ReadOptions, WriteOptions
from engine.labels import LabelSet


@dataclass(frozen=True)
class BuiltIn:
    """A Format that imports its module on first use. place: "module:class"; writes: whether `holds` is not None."""

    name: str
    title: str
    suffix: str
    place: str
    writes: bool = True

    @cached_property
    def form(self) -> Format:
        """The format itself."""
        module, name = self.place.split(":")
        return getattr(import_module(module), name)()

    @property
    def holds(self) -> Holds | None:
        """What the format can say; None where it is only read."""
        return self.form.holds

    def claims(self, path: Path, head: bytes) -> bool:
        """Whether a file or folder looks like this format."""
        return self.form.claims(path, head)

    def read(self, path: Path, options: ReadOptions) -> LabelSet:
        """Everything the file says."""
        return self.form.read(path, options)

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """Write whole or not at all."""
        self.form.write(labels, out, options)


# One line a format; keep a group's lines together.
BUILT_IN: tuple[BuiltIn, ...] = (
    # ours
    BuiltIn("coco", "COCO keypoints", ".json", "app.formats.coco:Coco"),
    BuiltIn("landmarks-csv", "CSV by landmark", ".csv", "app.formats.landmark_table:LandmarkCsv"),
    BuiltIn("parquet", "Parquet by landmark", ".parquet", "app.formats.landmark_table:LandmarkParquet"),
    BuiltIn("project", "Hourbit project", ".hourbit-project", "app.formats.project:Project", writes=False),
    # of other trainers and labellers
    BuiltIn("yolo-pose", "YOLO-pose", "", "app.formats.yolo:YoloPose"),
    BuiltIn("deeplabcut", "DeepLabCut", ".csv", "app.formats.deeplabcut:DeepLabCut"),
    BuiltIn("lightning-pose", "Lightning Pose", ".csv", "app.formats.deeplabcut:LightningPose"),
)
