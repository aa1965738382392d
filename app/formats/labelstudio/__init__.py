"""Label Studio's JSON and JSON-MIN."""

from __future__ import annotations

from pathlib import Path

from app.formats.labelstudio.read import read_label_studio
from app.formats.labelstudio.write import write_label_studio
from app.formats.registry import Holds, ReadOptions, WriteOptions
from engine.labels import LabelSet

__all__ = ["LabelStudio"]


class LabelStudio:
    """Label Studio, JSON and JSON-MIN.

    Places are percent of the picture as it was shown, from its edges: x * width / 100, turned back where
    `image_rotation` says that the picture was turned clockwise, and then the offset, which is 0 (-0.5 is exact).
    Boxes run along the edges of pixels. A subject is a box and the landmarks whose parentID it is, or what
    relations join; landmarks that nothing joins belong to the box around them, else together. The label of the
    box is the kind. A choice of the same region says occluded or absent; else all landmarks are visible.
    Cancelled annotations are left out, of several the latest counts; predictions are a model's labels.
    Written: a box for each subject (around its landmarks where there is none), whose landmarks have it as parent.
    """

    name = "label-studio"
    title = "Label Studio"
    suffix = ".json"
    holds = Holds(
        several_skeletons=True, order=False, edges=False, bare=False, scores=True, origins=True, visited=True,
        without_size=False,
    )  # fmt: skip

    def claims(self, path: Path, head: bytes) -> bool:
        """A list of tasks, one task, or a list of JSON-MIN."""
        start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        if start[:1] not in (b"[", b"{") or b'"shapes"' in head or b'"_via_' in head:
            return False
        if any(word in head for word in (b'"keypointlabels"', b'"KeyPointLabels"', b'"original_width"')):
            return True
        tasks = b'"data"' in head and any(word in head for word in (b'"predictions"', b'"annotations"'))
        words = (b'"result"', b'"total_annotations"', b'"was_cancelled"', b'"completed_by"', b'"annotation_id"')
        return tasks and any(word in head for word in words)

    def read(self, path: Path, options: ReadOptions) -> LabelSet:
        """All tasks; raises FormatError."""
        return read_label_studio(path, options)

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """A list of tasks; raises FormatError."""
        write_label_studio(labels, out, options)
