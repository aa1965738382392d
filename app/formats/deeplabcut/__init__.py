"""DeepLabCut: CollectedData as CSV or HDF5, and projects with config.yaml; Lightning Pose's CSV, which is alike."""

from __future__ import annotations

from pathlib import Path

from app.formats.deeplabcut.project import is_project, read_project
from app.formats.deeplabcut.read import read_sheet
from app.formats.deeplabcut.sheets import header_words
from app.formats.deeplabcut.write import write_deeplabcut, write_lightning
from app.formats.registry import Holds, ReadOptions, WriteOptions
from engine.labels import LabelSet

__all__ = ["DeepLabCut", "LightningPose"]
HDF5 = b"\x89HDF\r\n\x1a\n"


class DeepLabCut:
    """DeepLabCut.

    Landmarks: pixels as clicked, so the offset is 0. Absent: empty or NaN. Likelihoods become scores, and say that a
    model placed the landmark. Individuals are subjects; `single` holds the unique landmarks, a kind of their own.
    Of config.yaml: order and lines of landmarks, and the labels of all of labeled-data, where .h5 is the master.
    Written: CSV, or HDF5 where the name ends in .h5; with individuals where a picture has several instances or
    subjects are named, who are else called unnamed1 and so on.
    """

    name = "deeplabcut"
    title = "DeepLabCut"
    suffix = ".csv"
    holds = Holds(occluded=False, boxes=False, edges=False, bare=False, subjects=True)

    def claims(self, path: Path, head: bytes) -> bool:
        """A header of scorer, bodyparts and coords; an HDF5 file of such a table; config.yaml or a project's folder."""
        if not head or path.suffix.lower() in (".yaml", ".yml"):
            return is_project(path)
        if head.startswith(HDF5):
            return b"block0_values" in head or b"values_block_0" in head or b"df_with_missing" in head
        words = header_words(head)
        return words is not None and "visible" not in words

    def read(self, path: Path, options: ReadOptions) -> LabelSet:
        """All labels of a file or project; raises FormatError."""
        return read_project(path, options) if is_project(path) else read_sheet(path, options)

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """A table of all pictures; raises FormatError."""
        write_deeplabcut(labels, out, options)


class LightningPose:
    """Lightning Pose's CSV: as DeepLabCut's of one animal, with a third column `visible`.

    Landmarks: pixels, so the offset is 0. visible: 0 not labelled, 1 hidden (its coordinates do not count in their
    training; they are read as they stand, and as absent where there are none), 2 visible. Written with it always.
    """

    name = "lightning-pose"
    title = "Lightning Pose"
    suffix = ".csv"
    holds = Holds(several=False, boxes=False, edges=False, bare=False)

    def claims(self, path: Path, head: bytes) -> bool:
        """A DeepLabCut header with columns called visible."""
        words = header_words(head)
        return words is not None and "visible" in words

    def read(self, path: Path, options: ReadOptions) -> LabelSet:
        """All labels of a file; raises FormatError."""
        return read_sheet(path, options)

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """A table of all pictures; raises FormatError where a picture has several instances."""
        write_lightning(labels, out, options)
