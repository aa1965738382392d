"""MPII as JSON: the list of HRNet and mmpose, and the older one of pytorch-pose with isValidation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from engine.label_files import FormatError
from engine.labels import LabelSet, Problems
from engine.layouts.matlab import brief
from engine.layouts.mpii import COUNT, HEAD, ONE_BASED, listed, person_box
from engine.layouts.mpii_split import MAX_JSON
from engine.layouts.pictures import Gallery, around, split_of
from engine.layouts.values import Layout, Options, head_of, offset, skeleton
from engine.regular import read_regular
from engine.rows import Rows


def load_json(path: Path, limit: int = MAX_JSON) -> Any:
    """A JSON file, strictly (no NaN), with or without a mark at its start; raises FormatError."""
    if path.stat().st_size > limit:
        raise FormatError(f"{path.name} is larger than {limit >> 20} MB; split it.")
    try:
        return json.loads(read_regular(path).decode("utf-8-sig"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path.name} is no JSON file that can be read ({brief(error)}); get it again.") from error


def _refuse(value: str) -> None:
    raise ValueError(f"{value} is no number in JSON")


def read_json(path: Path, options: Options) -> LabelSet:
    """HRNet's list: image, center, scale, joints, joints_vis; 1-based, so 1 is subtracted; (-1, -1) is missing.

    Centre and scale are as published, not adjusted. head_size is 25 times the scale. The file's name (train,
    valid, test) is the split. A landmark with a place but joints_vis 0 is occluded. Raises FormatError.
    """

    def person(one: dict[str, Any]) -> tuple[Any, ...]:
        bare = np.full((COUNT, 2), -1.0)
        joints = np.asarray(one.get("joints", bare), np.float64)
        visible = np.asarray(one.get("joints_vis", np.zeros(COUNT)), np.float64)
        missing = (joints < 0).all(-1)
        return str(one["image"]), joints, visible, missing, one.get("center"), one.get("scale"), split_of(path.stem)

    return _read(path, options, person)


def read_pose_json(path: Path, options: Options) -> LabelSet:
    """pytorch-pose's list: img_paths, objpos, scale_provided, joint_self [x, y, v], isValidation.

    1-based, so 1 is subtracted; (0, 0) is missing, v = 0 with a place is occluded. Centre and scale are as
    published. Other people of a picture (joint_others) have entries of their own. Raises FormatError.
    """

    def person(one: dict[str, Any]) -> tuple[Any, ...]:
        joints = np.asarray(one["joint_self"], np.float64)
        if joints.ndim != 2 or joints.shape[1] != 3:
            raise ValueError("joint_self must be 16 times x, y, v")
        split = "validation" if float(one.get("isValidation") or 0) == 1 else "train"
        missing = (joints[:, :2] <= 0).all(1)
        return str(one["img_paths"]), joints[:, :2], joints[:, 2], missing, one["objpos"], one["scale_provided"], split

    return _read(path, options, person)


def _read(path: Path, options: Options, person: Any) -> LabelSet:
    people = load_json(path)
    if not isinstance(people, list) or not people:
        raise FormatError(f"{path.name} is no list of people; choose MPII's own JSON file.")
    problems, add = Problems(), offset(options, ONE_BASED)
    gallery, rows = Gallery(around(path, options, problems), problems), Rows(skeleton("mpii16"))
    for n, one in enumerate(people):
        try:
            name, joints, visible, missing, center, scale, split = person(one)
            points, seen = listed(path, joints[None], np.atleast_1d(visible)[None], missing[None], add)
            scale = float("nan") if scale is None or float(scale) <= 0 else float(scale)
            center = np.full(2, -1.0) if center is None else np.asarray(center, np.float64).reshape(2)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise FormatError(f"Person {n} of {path.name} cannot be read ({brief(error)}); get it again.") from error
        center = np.full(2, np.nan) if (center == -1).any() else center + add
        rows.add(
            gallery.number(name, split), points[0], seen[0], person_box(center, scale), center=center, scale=scale,
            head_size=HEAD * scale,
        )  # fmt: skip
    return LabelSet(gallery.values(), (rows.table(),), problems.values(), {"format": "MPII"})


def _is_list(path: Path, head: bytes) -> bool:
    return path.suffix.lower() == ".json" and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")


def _files(folder: Path) -> list[Path]:
    found = [folder / f"{split}.json" for split in ("train", "valid", "test")]
    return [path for path in found if path.is_file() and _claims(path, head_of(path))]


def _claims(path: Path, head: bytes) -> bool:
    return _is_list(path, head) and all(f'"{name}"'.encode() in head for name in ("image", "center", "scale"))


def _claims_pose(path: Path, head: bytes) -> bool:
    return _is_list(path, head) and b'"joint_self"' in head and b'"img_paths"' in head


JSON = Layout("mpii-json", "MPII (JSON of HRNet and mmpose)", _claims, read_json, _files)
POSE_JSON = Layout(
    "mpii-pose-json", "MPII (JSON of pytorch-pose)", _claims_pose, read_pose_json,
    lambda folder: sorted(folder.glob("mpii_annotations.json")),
)  # fmt: skip
