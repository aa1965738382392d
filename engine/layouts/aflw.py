"""AFLW: its database (21 landmarks), and the revised list of 19 that is called AFLW-Full."""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from engine.label_files import FormatError
from engine.labels import ABSENT, OCCLUDED, VISIBLE, LabelSet, Problems
from engine.layouts.matlab import array, brief, items, load_mat, text, variables
from engine.layouts.pictures import Gallery, around
from engine.layouts.values import Layout, Options, offset, skeleton
from engine.rows import Rows

TRAIN = 20_000  # faces of the training part of AFLW-Full, in the order that `ra` gives
STEPS, MAX_ROWS = 2_000_000_000, 10_000_000
TABLES = {"Faces", "FaceImages", "FeatureCoords"}
OPTIONAL = {"FaceRect", "FacePose", "FeatureCoordTypes"}
FOLDERS = ("flickr", "data/flickr", "images/flickr", "aflw/data/flickr")


def read_sqlite(path: Path, options: Options) -> LabelSet:
    """Every face of aflw.sqlite: only visible landmarks have rows, so the others are absent.

    Offset 0. Landmarks go by the names of FeatureCoordTypes, else by feature_id from 1. box is FaceRect's
    x, y, x + w, y + h. Extras: yaw, pitch and roll in degrees (FacePose has radians). Raises FormatError.
    """
    problems = Problems()
    data = _rows(path)
    gallery, rows = Gallery(around(path, options, problems, *FOLDERS), problems), Rows(skeleton("aflw21"))
    slots, add = _slots(data["FeatureCoordTypes"]), offset(options, 0.0)
    points: dict[Any, list[tuple[int, float, float]]] = {}
    for face, feature, x, y in data["FeatureCoords"]:
        if feature not in slots or x is None or y is None:
            problems.add(f"{path.name}, face {face}", f"has feature {feature}, which is unknown or without a place")
            continue
        points.setdefault(face, []).append((slots[feature], float(x), float(y)))
    pictures = {(file, base): (name, w, h) for file, base, name, w, h in data["FaceImages"]}
    pictures |= {(file, None): held for (file, _), held in pictures.items()}
    boxes, poses = ({row[0]: row[1:] for row in data[name]} for name in ("FaceRect", "FacePose"))
    for face, file, base in data["Faces"]:
        held = pictures.get((file, base)) or pictures.get((file, None))
        if held is None:
            problems.add(f"{path.name}, face {face}", f"lies in the picture {file}, which FaceImages lacks; left out")
            continue
        places, seen = np.zeros((21, 2)), np.zeros(21, np.uint8)
        for slot, x, y in points.get(face, ()):
            places[slot], seen[slot] = (x + add, y + add), VISIBLE
        size = (int(held[1] or 0), int(held[2] or 0))
        number = gallery.number(str(held[0] or file), size=size if min(size) > 0 else None)
        rows.add(number, places, seen, _rect(boxes.get(face), add), str(face), **_pose(poses.get(face)))
    if not len(rows):
        raise FormatError(f"{path.name} holds no faces; choose AFLW's own aflw.sqlite.")
    return LabelSet(gallery.values(), (rows.table(),), problems.values(), {"format": "AFLW"})


COLUMNS = {
    "Faces": "face_id, file_id, db_id", "FaceImages": "file_id, db_id, filepath, width, height",
    "FaceRect": "face_id, x, y, w, h", "FacePose": "face_id, roll, pitch, yaw",
    "FeatureCoords": "face_id, feature_id, x, y", "FeatureCoordTypes": "feature_id, descr",
}  # fmt: skip


def _rows(path: Path) -> dict[str, list[tuple]]:
    """The rows of the tables that are read; raises FormatError. A database cannot keep us for ever: after two
    thousand million steps, or ten million rows, it is refused."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as base:
            base.execute("pragma trusted_schema = off")
            steps = iter(range(STEPS // 100_000))
            base.set_progress_handler(lambda: 0 if next(steps, None) is not None else 1, 100_000)
            known = {name for (name,) in base.execute("select name from sqlite_master where type = 'table'")}
            if not known >= TABLES:
                missing = ", ".join(sorted(TABLES - known))
                raise FormatError(f"{path.name} lacks the table {missing}; choose AFLW's own aflw.sqlite.")
            found: dict[str, list[tuple]] = {name: [] for name in COLUMNS}
            for name in [n for n in COLUMNS if n in known]:
                found[name] = base.execute(f"select {COLUMNS[name]} from {name} limit {MAX_ROWS}").fetchall()
            _check(found, path)
            return found
    except (sqlite3.Error, UnicodeDecodeError, MemoryError, OverflowError) as error:
        raise FormatError(f"{path.name} is no database of AFLW ({brief(error)}); get the file again.") from error


def _check(found: dict[str, list[tuple]], path: Path) -> None:
    """Refuse texts where numbers belong; SQLite itself does not mind them."""
    numbers = {"FeatureCoords": (2, 4), "FaceRect": (1, 5), "FacePose": (1, 4)}
    for name, (first, last) in numbers.items():
        for row in found[name]:
            if not all(v is None or isinstance(v, (int, float)) for v in row[first:last]):
                raise FormatError(f"Face {row[0]} in {name} of {path.name} has a text for a number; get it again.")
    for row in found["FaceImages"]:
        if not all(v is None or isinstance(v, int) for v in row[3:]):
            raise FormatError(f"The picture {row[2]} in {path.name} has a size that is no number; get it again.")


def _slots(types: list[tuple]) -> dict[Any, int]:
    """Our landmark of each feature_id."""
    own = {name.replace(" ", "").lower(): k for k, name in enumerate(AFLW_NAMES)}
    named = {feature: own.get(str(told or "").replace(" ", "").lower()) for feature, told in types}
    slots = {feature: slot for feature, slot in named.items() if slot is not None}
    return slots or {feature: feature - 1 for feature in range(1, 22)}


# As AFLW calls them; "left" is the picture's left, so the subject's right.
AFLW_NAMES = (
    "LeftBrowLeftCorner", "LeftBrowCenter", "LeftBrowRightCorner", "RightBrowLeftCorner", "RightBrowCenter",
    "RightBrowRightCorner", "LeftEyeLeftCorner", "LeftEyeCenter", "LeftEyeRightCorner", "RightEyeLeftCorner",
    "RightEyeCenter", "RightEyeRightCorner", "LeftEar", "NoseLeft", "NoseCenter", "NoseRight", "RightEar",
    "MouthLeftCorner", "MouthCenter", "MouthRightCorner", "ChinCenter",
)  # fmt: skip


def _rect(row: tuple | None, add: float) -> tuple[float, ...] | None:
    if row is None or any(v is None for v in row) or row[2] <= 0 or row[3] <= 0:
        return None
    x, y, w, h = (float(v) for v in row)
    return (x + add, y + add, x + w + add, y + h + add)


def _pose(row: tuple | None) -> dict[str, float]:
    if row is None:
        return {}
    return {n: math.degrees(v) for n, v in zip(("roll", "pitch", "yaw"), row, strict=True) if v is not None}


def read_full(path: Path, options: Options, train: int = TRAIN) -> LabelSet:
    """AFLWinfo_release.mat: nameList, bbox (left, right, top, bottom), data (19 x, then 19 y), mask_new, ra.

    `ra` is a random order from 1: its first 20,000 faces are for training, the rest for test; extras frontal: all
    landmarks visible, which makes the frontal part of the test. A landmark with mask 0 keeps its place and is
    occluded. Offset 0. Raises FormatError.
    """
    names = ("nameList", "bbox", "data", "mask_new", "ra")
    held = load_mat(path, *names)
    titles = [text(one).strip() for one in items(held["nameList"])]
    box, data, mask, order = (array(path, held[name], name) for name in names[1:])
    n, order = len(titles), order.ravel()
    if not n or data.shape != (n, 38) or mask.shape != (n, 19) or box.shape != (n, 4):
        raise FormatError(f"data, mask_new and bbox in {path.name} do not fit its {n} names; get the file again.")
    if sorted(order) != list(range(1, n + 1)):
        raise FormatError(f"ra in {path.name} is no order of its {n} faces; get the file again.")
    if not all(titles):
        raise FormatError(f"Face {titles.index('') + 1} in {path.name} has no picture; get the file again.")
    problems, add = Problems(), offset(options, 0.0)
    gallery, rows = Gallery(around(path, options, problems, *FOLDERS), problems), Rows(skeleton("aflw19"))
    learnt = set((order[:train] - 1).astype(int).tolist())
    for i in range(n):
        points = data[i].reshape(2, 19).T
        unknown = (points <= 0).all(1) | ~np.isfinite(points).all(1)
        seen = np.where(unknown, ABSENT, np.where(mask[i] > 0, VISIBLE, OCCLUDED))
        left, right, top, bottom = box[i] + add
        number = gallery.number(titles[i], "train" if i in learnt else "test")
        rows.add(
            number, points + add, seen, (left, top, right, bottom), str(i + 1), frontal=bool((mask[i] > 0).all())
        )  # fmt: skip
    return LabelSet(gallery.values(), (rows.table(),), problems.values(), {"format": "AFLW-Full"})


def _claims_sqlite(path: Path, head: bytes) -> bool:
    return head.startswith(b"SQLite format 3\0") and b"FeatureCoords" in head


def _claims_full(path: Path, head: bytes) -> bool:
    return path.suffix.lower() == ".mat" and {"nameList", "mask_new", "ra"} <= set(variables(path))


SQLITE = Layout(
    "aflw", "AFLW (aflw.sqlite)", _claims_sqlite, read_sqlite,
    lambda folder: sorted([*folder.glob("aflw.sqlite"), *folder.glob("data/aflw.sqlite")]),
)  # fmt: skip
FULL = Layout(
    "aflw-full", "AFLW-Full (AFLWinfo_release.mat)", _claims_full, read_full,
    lambda folder: sorted(folder.glob("AFLWinfo_release.mat")),
)  # fmt: skip
