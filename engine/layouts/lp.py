"""300W-LP and AFLW2000-3D: one .mat file beside each picture."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from engine.label_files import FormatError
from engine.label_pictures import is_picture, walk
from engine.labels import ABSENT, VISIBLE, LabelSet, Problems
from engine.layouts.matlab import array, load_mat, variables
from engine.layouts.pictures import Gallery, chosen
from engine.layouts.values import Layout, Options, offset, skeleton
from engine.rows import Rows

WANTED = ("pt2d", "pt3d_68", "Pose_Para")  # of a file's variables
VARIANT = re.compile(r"_\d+$")


def read_lp(path: Path, options: Options) -> LabelSet:
    """300W-LP: pt2d (2, 68) of every .mat file beside a picture; `places` takes pts_2d or pts_3d of its landmarks
    folder instead. Offset 0, with -1 as a setting. Pictures made from one photograph share the attribute group.
    Extras: yaw, pitch and roll in degrees. Raises FormatError."""
    if options.places not in ("", "pts_2d", "pts_3d"):
        raise FormatError(f"300W-LP has no places {options.places!r}; use pts_2d or pts_3d.")
    return _read(path, options, "300W-LP")


def read_aflw2000(path: Path, options: Options) -> LabelSet:
    """AFLW2000-3D: 68 landmarks from the first two rows of pt3d_68 (3, 68), all of them counted as visible; and
    21 of AFLW from pt2d (2, 21), where -1 is absent. Offset 0, with -1 as a setting. All of it is for test.
    Extras: yaw, pitch and roll in degrees. Raises FormatError."""
    return _read(path, options, "AFLW2000-3D")


def _read(path: Path, options: Options, name: str) -> LabelSet:
    folder = path if path.is_dir() else path.parent
    held = _files(folder) if path.is_dir() else [path]
    problems, damage = Problems(), ""
    pictures = {str(p.with_suffix("")).lower(): p for p in walk(folder) if is_picture(p)}
    gallery = Gallery(chosen(options, problems), problems)
    tables = {68: Rows(skeleton("ibug68")), 21: Rows(skeleton("aflw21"))}
    split = "test" if name == "AFLW2000-3D" else "train"
    for file in held:
        title = file.relative_to(folder).as_posix()
        try:
            faces, pose = _file(file, folder, options)
        except (FormatError, OSError) as error:
            damage = damage or str(error)
            problems.add(title, f"left out: {error}")
            continue
        picture = pictures.get(str(file.with_suffix("")).lower())
        shown = picture.relative_to(folder).as_posix() if picture else file.stem
        group = {"group": VARIANT.sub("", file.stem)} if split == "train" else None
        number = gallery.number(shown, split, picture, attributes=group)
        for points, seen in faces:
            tables[len(points)].add(number, points + offset(options, 0.0), seen, **pose)
    if not sum(map(len, tables.values())):
        raise FormatError(damage or f"{path.name} holds no .mat file beside a picture; choose another folder.")
    found = tuple(rows.table() for rows in tables.values() if len(rows))
    return LabelSet(gallery.values(), found, problems.values(), {"format": name})


def _file(file: Path, folder: Path, options: Options) -> tuple[list[tuple[np.ndarray, np.ndarray]], dict[str, float]]:
    """Faces (points (K, 2), visibility (K,)) and the pose of one file; raises FormatError."""
    known = variables(file)
    given = load_mat(file, *(name for name in WANTED if name in known))
    faces = []
    if options.places:
        faces.append(_whole(_other(file, folder, options.places), file, options.places))
    elif "pt3d_68" in given:
        faces.append(_whole(given["pt3d_68"], file, "pt3d_68"))
    if "pt2d" in given and not options.places:
        points = _rows(array(file, given["pt2d"], "pt2d"), file, "pt2d")
        seen = np.where((points == -1).any(1), ABSENT, VISIBLE)
        if len(points) == 21 or (len(points) == 68 and not faces):
            faces.append((points, seen if len(points) == 21 else np.full(68, VISIBLE)))
    if not faces:
        raise FormatError(f"{file.name} has neither pt2d nor pt3d_68; choose a file of 300W-LP or AFLW2000-3D.")
    return faces, _pose(given, file)


def _whole(value: Any, file: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    points = _rows(array(file, value, name), file, name)
    if len(points) != 68:
        raise FormatError(f"{name} in {file.name} has {len(points)} landmarks, not 68; choose another file.")
    return points, np.full(68, VISIBLE)


def _rows(values: np.ndarray, file: Path, name: str) -> np.ndarray:
    """(K, 2) from (2, K) or (3, K), or the same the other way round."""
    if values.ndim == 2 and values.shape[0] in (2, 3) and values.shape[1] in (21, 68):
        return values[:2].T
    if values.ndim == 2 and values.shape[1] in (2, 3) and values.shape[0] in (21, 68):
        return values[:, :2]
    raise FormatError(f"{name} in {file.name} must hold 21 or 68 places, not {values.shape}.")


def _other(file: Path, folder: Path, name: str) -> Any:
    """The places of landmarks/SET/NAME_pts.mat, which lies beside the folder SET of the file."""
    tail = Path("landmarks") / file.parent.name / f"{file.stem}_pts.mat"
    for root in (file.parent.parent, folder, folder.parent):
        if (root / tail).is_file():
            return load_mat(root / tail, name)[name]
    raise FormatError(f"There is no {tail.as_posix()} for {file.name}; take pt2d, or add the folder.")


def _pose(given: dict[str, Any], file: Path) -> dict[str, float]:
    """Pose_Para is pitch, yaw, roll in radians, then the shift in x, y, z and the scale."""
    if "Pose_Para" not in given:
        return {}
    values = array(file, given["Pose_Para"], "Pose_Para").ravel()
    if len(values) < 3:
        raise FormatError(f"Pose_Para in {file.name} has {len(values)} values, not 7; get the file again.")
    return dict(zip(("pitch", "yaw", "roll"), np.degrees(values[:3]).tolist(), strict=True))


def _files(folder: Path) -> list[Path]:
    """The .mat files of faces, without those of the folders `landmarks` and `Code`."""
    held = [file for file in walk(folder) if file.suffix.lower() == ".mat"]
    return [file for file in held if not _inside(file.relative_to(folder), {"landmarks", "code"})]


def _inside(file: Path, folders: set[str]) -> bool:
    return any(part.lower() in folders for part in file.parts[:-1])


def _shape(path: Path) -> dict[str, tuple[int, ...]]:
    """Shapes in a file, or in the first of a folder's first fifty that has landmarks."""
    if path.is_dir():
        for _, file in zip(range(50), _files(path), strict=False):
            found = variables(file)
            if "pt2d" in found or "pt3d_68" in found:
                return found
        return {}
    return variables(path) if path.suffix.lower() == ".mat" else {}


def _claims_lp(path: Path, head: bytes) -> bool:
    found = _shape(path)
    return "pt3d_68" not in found and found.get("pt2d") in ((2, 68), (68, 2))


def _claims_aflw2000(path: Path, head: bytes) -> bool:
    return "pt3d_68" in _shape(path)


LP = Layout("300w-lp", "300W-LP (.mat)", _claims_lp, read_lp)
AFLW2000 = Layout("aflw2000", "AFLW2000-3D (.mat)", _claims_aflw2000, read_aflw2000)
