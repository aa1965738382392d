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
    named: bool = False  # the class is made with the format's name

    @cached_property
    def form(self) -> Format:
        """The format itself."""
        module, name = self.place.split(":")
        made = getattr(import_module(module), name)
        return made(self.name) if self.named else made()

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


def _layout(name: str, title: str, suffix: str = "", writer: str = "") -> BuiltIn:
    place = f"app.formats.layout_writers:{writer}" if writer else "app.formats.layouts:LayoutFormat"
    return BuiltIn(name, title, suffix, place, writes=bool(writer), named=True)


# One line a format; keep a group's lines together.
BUILT_IN: tuple[BuiltIn, ...] = (
    # ours
    BuiltIn("coco", "COCO keypoints", ".json", "app.formats.coco:Coco"),
    BuiltIn("landmarks-csv", "CSV by landmark", ".csv", "app.formats.landmark_table:LandmarkCsv"),
    BuiltIn("parquet", "Parquet by landmark", ".parquet", "app.formats.landmark_table:LandmarkParquet"),
    BuiltIn("project", "Hourbit project", ".hourbit-project", "app.formats.project:Project", writes=False),
    _layout("pack", "Pack or snapshot (.npz)"),
    # of other trainers and labellers
    BuiltIn("yolo-pose", "YOLO-pose", "", "app.formats.yolo:YoloPose"),
    BuiltIn("deeplabcut", "DeepLabCut", ".csv", "app.formats.deeplabcut:DeepLabCut"),
    BuiltIn("lightning-pose", "Lightning Pose", ".csv", "app.formats.deeplabcut:LightningPose"),
    BuiltIn("sleap", "SLEAP", ".slp", "app.formats.sleap:Sleap"),
    BuiltIn("datumaro", "Datumaro", ".json", "app.formats.datumaro:Datumaro"),
    BuiltIn("dlib", "dlib / imglab XML", ".xml", "app.formats.dlib:Dlib"),
    BuiltIn("cvat", "CVAT XML", ".xml", "app.formats.cvat:Cvat"),
    BuiltIn("300w", "300W (.pts)", "", "app.formats.pts:Pts"),
    BuiltIn("ljson", "LJSON", "", "app.formats.ljson:Ljson"),
    BuiltIn("label-studio", "Label Studio", ".json", "app.formats.labelstudio:LabelStudio"),
    BuiltIn("via", "VIA project", ".json", "app.formats.via:Via"),
    BuiltIn("via-csv", "VIA CSV", ".csv", "app.formats.via:ViaCsv"),
    BuiltIn("via3", "VIA 3 project", ".json", "app.formats.via:ViaThird"),
    BuiltIn("labelme", "labelme", "", "app.formats.labelme:Labelme"),
    # data sets in their original layouts
    _layout("mpii-mat", "MPII (mpii_human_pose_v1_u12_1.mat)"),
    _layout("mpii-h5", "MPII (hourglass h5)", ".h5", "MpiiH5"),
    _layout("mpii-json", "MPII (JSON of HRNet and mmpose)", ".json", "MpiiJson"),
    _layout("mpii-pose-json", "MPII (JSON of pytorch-pose)", ".json", "MpiiPoseJson"),
    _layout("lsp", "LSP (joints.mat)"),
    _layout("lsp-extended", "LSP-extended (joints.mat)"),
    _layout("300w-lp", "300W-LP (.mat)"),
    _layout("aflw2000", "AFLW2000-3D (.mat)"),
    _layout("aflw", "AFLW (aflw.sqlite)"),
    _layout("aflw-full", "AFLW-Full (AFLWinfo_release.mat)"),
    _layout("aflw-pifa", "AFLW-PIFA (Landmark.mat)"),
    _layout("wflw", "WFLW (list of faces)", ".txt", "WflwList"),
)
