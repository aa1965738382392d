"""300W and its kin: folders of pictures with one .pts file a face."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from engine.label_files import FormatError
from engine.label_pictures import is_picture, walk
from engine.labels import VISIBLE, LabelSet, Problems
from engine.layouts.pictures import Gallery, chosen
from engine.layouts.values import Layout, Options, offset, skeleton
from engine.regular import read_regular
from engine.rows import Rows, numbered

ONE_BASED = -1.0
MAX_PTS, MAX_LANDMARKS = 1 << 20, 10_000
SEVERAL = re.compile(r"_\d+$")
# (a word in the path, split, part of the benchmark); the first that fits counts. Training: AFW and the training
# parts of HELEN and LFPW; common: their test parts; challenging: iBUG; 300W: indoor and outdoor.
PARTS = (
    ("01_indoor", "test", "indoor"), ("02_outdoor", "test", "outdoor"), ("trainset", "train", ""),
    ("testset", "test", "common"), ("ibug", "test", "challenging"), ("afw", "train", ""),
)  # fmt: skip


def parse_pts(path: Path) -> np.ndarray:
    """(n, 2) float64, the numbers as they stand; raises FormatError with the line at fault.

    version and n_points in any case and spacing, then the places between braces; CRLF and blank lines are fine.
    """
    if path.stat().st_size > MAX_PTS:
        raise FormatError(f"{path.name} is larger than 1 MB, so no .pts file; choose another.")
    lines = read_regular(path).decode("utf-8-sig", "replace").splitlines()
    told: int | None = None
    rows: list[tuple[float, float]] = []
    inside = closed = False
    for number, line in enumerate(lines, 1):
        line = line.strip()
        where = f"line {number} of {path.name}"
        if not line or closed or (not inside and line.lower().startswith(("version", "#"))):
            continue
        if not inside and line.lower().startswith("n_points"):
            told = _count(line, where)
        elif line == "{" and not inside:
            inside = True
        elif line == "}" and inside:
            closed = True
        elif inside:
            rows.append(_place(line, where))
        else:
            raise FormatError(f"{where[0].upper()}{where[1:]} is no part of a .pts file ({line[:40]!r}); mend it.")
    if not closed:
        raise FormatError(f"{path.name} ends before its closing brace; get it again.")
    if told is not None and told != len(rows):
        raise FormatError(f"{path.name} says {told} landmarks and holds {len(rows)}; get it again.")
    return np.array(rows, np.float64).reshape(-1, 2)


def _count(line: str, where: str) -> int:
    match = re.fullmatch(r"n_points\s*:?\s*(\d{1,5})", line, re.IGNORECASE)
    if not match or int(match[1]) > MAX_LANDMARKS:
        raise FormatError(f"The number of landmarks in {where} cannot be read; mend it.")
    return int(match[1])


def _place(line: str, where: str) -> tuple[float, float]:
    try:
        x, y = (float(part) for part in line.split())
    except ValueError as error:
        raise FormatError(f"There is no place x y in {where} ({line[:40]!r}); mend it.") from error
    if not (np.isfinite(x) and np.isfinite(y)):
        raise FormatError(f"The place in {where} is not finite; mend it.")
    return x, y


def read_folder(path: Path, options: Options) -> LabelSet:
    """All .pts files below a folder, or one; coordinates are 1-based, so 1 is subtracted.

    Each belongs to the picture of its own stem; NAME_1, NAME_2 also to NAME. Files of 68 places are faces as
    iBUG marks them; every other number makes a table of its own. All landmarks count as visible: the files do
    not tell. Damaged files are listed and left out. Split and part (attribute subset) follow the folders' names.
    Raises FormatError where nothing can be read.
    """
    folder = path if path.is_dir() else path.parent
    held = [file for file in walk(folder) if file.suffix.lower() == ".pts"] if path.is_dir() else [path]
    problems, tables, pictures = Problems(), {}, _pictures(folder)
    gallery, damage = Gallery(chosen(options, problems), problems), ""
    for file in held:
        name = file.relative_to(folder).as_posix()
        try:
            points = parse_pts(file)
        except (FormatError, OSError) as error:
            damage = damage or str(error)
            problems.add(name, f"left out: {error}")
            continue
        if len(points) not in tables:
            tables[len(points)] = Rows(skeleton("ibug68") if len(points) == 68 else numbered(len(points)))
        picture = _picture_of(file, pictures, problems, name)
        split, part = split_and_part(file)
        title = picture.relative_to(folder).as_posix() if picture else name.rsplit(".", 1)[0]
        number = gallery.number(title, split, picture, attributes={"subset": part} if part else None)
        tables[len(points)].add(number, points + offset(options, ONE_BASED), np.full(len(points), VISIBLE), subset=part)
    if not any(k and len(rows) for k, rows in tables.items()):
        raise FormatError(damage or f"{path.name} holds no .pts files; choose another folder.")
    found = tuple(rows.table() for k, rows in sorted(tables.items()) if k)
    return LabelSet(gallery.values(), found, problems.values(), {"format": "300W"})


def split_and_part(file: Path) -> tuple[str, str]:
    """The split, and the part of the benchmark, that a file's folders tell."""
    words = [part.lower() for part in file.parts[:-1]][-6:]
    found = next(((split, part) for word, split, part in PARTS if any(w == word for w in words)), ("", ""))
    return found


def _pictures(folder: Path) -> dict[str, list[Path]]:
    """Pictures below a folder by their path without suffix, in lower case."""
    found: dict[str, list[Path]] = {}
    for file in walk(folder):
        if is_picture(file):
            found.setdefault(str(file.with_suffix("")).lower(), []).append(file)
    return found


def _picture_of(file: Path, pictures: dict[str, list[Path]], problems: Problems, name: str) -> Path | None:
    stem = str(file.with_suffix(""))
    found = pictures.get(stem.lower()) or pictures.get(SEVERAL.sub("", stem).lower()) or []
    if len(found) > 1:
        problems.add(name, f"fits {len(found)} pictures ({', '.join(f.name for f in found)}); the first was taken")
    return found[0] if found else None


def _claims(path: Path, head: bytes) -> bool:
    if path.is_dir():
        return any(file.suffix.lower() == ".pts" for file in walk(path))
    return path.suffix.lower() == ".pts"


PTS = Layout("300w", "300W (.pts)", _claims, read_folder)
