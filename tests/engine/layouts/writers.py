"""Writers of data sets in their original layouts, tiny, made from the definitions of their fields alone."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from engine.images import encode_png


def picture(path: Path, width: int = 8, height: int = 6) -> Path:
    """A small picture; its content does not matter, and neither does its suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(np.full((height, width, 3), 90, np.uint8)))
    return path


def cells(*values: Any) -> np.ndarray:
    """A MATLAB cell array (1, n)."""
    made = np.empty((1, len(values)), object)
    for n, value in enumerate(values):
        made[0, n] = value
    return made


def structs(*values: dict[str, Any]) -> np.ndarray:
    """A MATLAB struct array (1, n); fields that one element lacks are empty, as MATLAB has it."""
    names = list(dict.fromkeys(name for value in values for name in value))
    made = np.empty((1, len(values)), [(name, object) for name in names])
    for n, value in enumerate(values):
        for name in names:
            made[0, n][name] = value.get(name, np.zeros((0, 0)))
    return made


def mat(path: Path, **variables: Any) -> Path:
    from scipy.io import savemat

    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, variables)
    return path


def mpii_mat(path: Path, pictures: list[dict[str, Any]]) -> Path:
    """pictures: name, train, people (list of dicts: head, scale, objpos, points {id: (x, y, visible)}), single."""
    annolist, single = [], []
    for one in pictures:
        people = []
        for person in one["people"]:
            told: dict[str, Any] = {}
            if "head" in person:
                told |= dict(zip(("x1", "y1", "x2", "y2"), person["head"], strict=True))
            if "points" in person:
                points = [
                    {"x": x, "y": y, "id": k} | ({} if seen is None else {"is_visible": seen})
                    for k, (x, y, seen) in person["points"].items()
                ]
                told["annopoints"] = structs({"point": structs(*points)})
            if "scale" in person:
                told["scale"] = person["scale"]
                told["objpos"] = structs(dict(zip("xy", person["objpos"], strict=True)))
            people.append(told)
        annorect = structs(*people) if people else np.zeros((0, 0))
        annolist.append({"image": structs({"name": one["name"]}), "annorect": annorect})
        single.append(np.array(one.get("single", []), np.float64).reshape(-1, 1))
    release = {
        "annolist": structs(*annolist), "img_train": np.array([[one["train"] for one in pictures]], np.float64),
        "version": "12", "single_person": cells(*single).T,
    }  # fmt: skip
    return mat(path, RELEASE=structs(release))


def mpii_h5(path: Path, group: str = "", names: str = "texts", **columns: Any) -> Path:
    """columns as in the file; names: imgname as texts, as character codes, or in NAME_images.txt."""
    import h5py

    path.parent.mkdir(parents=True, exist_ok=True)
    titles = columns.pop("imgname")
    with h5py.File(path, "w") as file:
        held = file.create_group(group) if group else file
        for name, values in columns.items():
            held[name] = np.asarray(values)
        if names == "texts":
            held["imgname"] = np.array([t.encode() for t in titles])
        elif names == "codes":
            held["imgname"] = np.array([[float(ord(c)) for c in t.ljust(16, "\0")] for t in titles])
        else:
            path.with_name(f"{path.stem}_images.txt").write_text("\n".join(titles) + "\n")
    return path


def as_json(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


def pts(path: Path, points: Any, head: str = "version: 1", end: str = "\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"{x} {y}" for x, y in points]
    path.write_bytes(end.join([head, f"n_points: {len(rows)}", "{", *rows, "}", ""]).encode())
    return path


TABLES = (
    "create table Faces (face_id integer primary key, file_id text, db_id text)",
    "create table FaceImages (image_id integer primary key, db_id text, file_id text, filepath text, bw integer, "
    "width integer, height integer)",
    "create table FaceRect (face_id integer primary key, x integer, y integer, w integer, h integer, annot_type_id "
    "integer, upsidedown integer)",
    "create table FacePose (face_id integer primary key, roll real, pitch real, yaw real, annot_type_id integer)",
    "create table FeatureCoords (face_id integer, feature_id integer, x real, y real, annot_type_id integer)",
    "create table FeatureCoordTypes (feature_id integer primary key, descr text, code text, x real, y real, z real)",
)


def aflw(path: Path, faces: list[dict[str, Any]], types: list[str]) -> Path:
    """faces: id, file (file_id), path (of the picture), rect, pose (roll, pitch, yaw), points {feature_id: (x, y)}."""
    with closing(sqlite3.connect(path)) as base, base:
        for statement in TABLES:
            base.execute(statement)
        base.executemany("insert into FeatureCoordTypes (feature_id, descr) values (?, ?)", list(enumerate(types, 1)))
        for file, where in dict.fromkeys((face["file"], face.get("path")) for face in faces):
            if where:
                base.execute(
                    "insert into FaceImages (db_id, file_id, filepath, width, height) values ('aflw', ?, ?, 8, 6)",
                    (file, where),
                )
        for face in faces:
            base.execute("insert into Faces values (?, ?, 'aflw')", (face["id"], face["file"]))
            if "rect" in face:
                base.execute("insert into FaceRect values (?, ?, ?, ?, ?, 1, 0)", (face["id"], *face["rect"]))
            if "pose" in face:
                base.execute("insert into FacePose values (?, ?, ?, ?, 1)", (face["id"], *face["pose"]))
            places = [(face["id"], k, *xy) for k, xy in face["points"].items()]
            base.executemany("insert into FeatureCoords values (?, ?, ?, ?, 1)", places)
    return path
