"""COCO keypoints as a data set: the split is that of the file's name, and its people have our schema's name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine import coco
from engine.label_files import FormatError, ReadOptions
from engine.labels import LabelSet, Skeleton
from engine.layouts.pictures import split_of
from engine.layouts.values import Layout, Options, skeleton
from engine.naming import counterparts


def read_coco(path: Path, options: Options) -> LabelSet:
    """As engine.coco reads it; raises FormatError, also where there are no landmarks at all."""
    labels = coco.read_coco(path, ReadOptions(options.offset, options.pictures))
    if not labels.tables:
        first = f" ({labels.problems[0].where}: {labels.problems[0].what})" if labels.problems else ""
        raise FormatError(f"{path.name} holds no landmarks{first}; choose a keypoints file.")
    split = split_of(path.stem.replace("2017", "").replace("2014", ""))
    pictures = tuple(replace(picture, split=split) for picture in labels.pictures)
    tables = tuple(replace(table, skeleton=_known(table.skeleton)) for table in labels.tables)
    return replace(labels, pictures=pictures, tables=tables)


def _known(given: Skeleton) -> Skeleton:
    """COCO's own people get our schema's name and mirror pairs."""
    own = skeleton("coco17")
    people = len(given) == len(own) and counterparts(given.landmarks, own.landmarks) == list(range(len(own)))
    return replace(given, name=own.name, flip=given.flip or own.flip) if people else given


def _claims(path: Path, head: bytes) -> bool:
    results = head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    return path.suffix.lower() == ".json" and not results and coco.claims(head)


COCO = Layout(
    "coco", "COCO keypoints", _claims, read_coco, lambda folder: sorted(folder.glob("person_keypoints_*.json"))
)  # fmt: skip
