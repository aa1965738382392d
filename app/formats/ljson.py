"""LJSON, menpo's own format: one file a picture."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from app.files import atomic_folder
from app.formats.copies import beside_names, copy_picture
from app.formats.names import relative_name
from app.formats.registry import FormatError, Holds, ReadOptions, WriteOptions
from app.formats.rows import by_picture
from engine.label_pictures import Finder, walk
from engine.label_reading import load_json, number, refuse, shown, whole
from engine.labels import ABSENT, VISIBLE, LabelSet, Picture, Problems, Skeleton, Table
from engine.rows import Rows, numbered

SEVERAL = re.compile(r"_\d+$")
MAX_FILES, MAX_FILE = 1_000_000, 64 << 20
ALONE = "LJSON"  # what menpo calls the only group of a file
DECIMALS = 6
Instance = tuple[np.ndarray, tuple[tuple[int, int], ...], str]  # places, lines, where


class Ljson:
    """LJSON (menpo), versions 1, 2 and 3.

    Places are y before x, 0-based, the first pixel's centre is 0, so the offset is 0. null is an absent landmark.
    The picture is the one of the file's own stem (or without _1, _2). Groups of version 3 are subjects; those of
    version 1 are parts of one. Landmarks are numbered, those of 68 are iBUG's; `connectivity` are the lines.
    Written: the pictures, copied, and a file of version 3 for each.
    """

    name = "ljson"
    title = "LJSON"
    suffix = ""
    packs_pictures = True
    holds = Holds(occluded=False, boxes=False, names=False)

    def claims(self, path: Path, head: bytes) -> bool:
        """A .ljson file, JSON of menpo's, or a folder with the former."""
        if os.path.isdir(path):
            return next(_files(path), None) is not None
        start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        own = b'"landmarks"' in head and (b'"points"' in head or b'"point"' in head) and b'"version"' in head
        return start[:1] == b"{" and (path.suffix.lower() == ".ljson" or own) and b'"shapes"' not in head

    def read(self, path: Path, options: ReadOptions) -> LabelSet:
        """One file, or all below a folder; damaged ones of several are listed. Raises FormatError."""
        return _Reading(path, options).run()

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """A new folder; raises FormatError."""
        names, offset = beside_names(labels.pictures), options.offset or 0.0
        with atomic_folder(out) as folder:
            for n, rows in by_picture(labels):
                picture, place = labels.pictures[n], folder / names[n].with_suffix(".ljson")
                place.parent.mkdir(parents=True, exist_ok=True)
                if picture.path is not None:
                    copy_picture(picture.path, folder / names[n], options.pictures)
                groups = {
                    ALONE if len(rows) == 1 else str(m): _group(labels.tables[table], row, offset)
                    for m, (table, row) in enumerate(rows, 1)
                }
                text = json.dumps({"version": 3, "groups": groups}, ensure_ascii=True, allow_nan=False)
                place.write_bytes(text.encode())
                if options.progress is not None:
                    options.progress(n + 1, len(names))


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in walk(folder) if file.suffix.lower() == ".ljson")


def _group(table: Table, row: int, offset: float) -> dict[str, Any]:
    places = (table.points[row][:, ::-1] - offset).round(DECIMALS).tolist()
    points = [
        place if seen else [None, None]
        for place, seen in zip(places, (table.visibility[row] > ABSENT).tolist(), strict=True)
    ]  # fmt: skip
    lines = {"connectivity": [list(pair) for pair in table.skeleton.edges]} if table.skeleton.edges else {}
    return {"labels": [], "landmarks": {"points": points, **lines}}


class _Reading:
    def __init__(self, path: Path, options: ReadOptions) -> None:
        self.path, self.options, self.offset = path, options, options.offset or 0.0
        self.problems = Problems()
        self.finder = Finder(path, options, self.problems)
        self.rows: dict[tuple[int, tuple[tuple[int, int], ...]], Rows] = {}
        self.pictures: list[Picture] = []
        self.numbers: dict[str, int] = {}

    def run(self) -> LabelSet:
        folder = self.path if os.path.isdir(self.path) else self.path.parent
        files = list(_files(folder)) if os.path.isdir(self.path) else [self.path]
        if not files:
            raise FormatError(f"{self.path.name} holds no .ljson files; choose another folder.")
        first: FormatError | None = None
        for n, file in enumerate(files):
            try:
                found = list(_instances(file, load_json(file, self.problems, MAX_FILE)))
            except FormatError as error:
                first = first or error
                self.problems.add(file.relative_to(folder).as_posix(), f"left out: {error}")
                continue
            picture = self._picture(file, folder)
            for places, lines, where in found:
                self._add(picture, places, lines, f"{file.name}, {where}")
            if self.options.progress is not None:
                self.options.progress(n + 1, len(files))
        if first is not None and not self.pictures:
            raise first
        tables = tuple(rows.table() for _, rows in sorted(self.rows.items(), key=lambda item: item[0]))
        return LabelSet(tuple(self.pictures), tables, self.problems.values())

    def _picture(self, file: Path, folder: Path) -> int:
        own = file.relative_to(folder).with_suffix("").as_posix()
        path = self.finder.find(own)
        if path is None and SEVERAL.search(own):
            path = self.finder.find(SEVERAL.sub("", own))
        name = own if path is None else relative_name(path, folder)
        if name not in self.numbers:
            self.numbers[name] = len(self.pictures)
            self.pictures.append(self.finder.picture(name if path is None else str(path)))
            if path is not None:
                held = self.pictures[-1]
                self.pictures[-1] = Picture(name, held.path, held.size)
        return self.numbers[name]

    def _add(self, picture: int, places: np.ndarray, lines: tuple[tuple[int, int], ...], where: str) -> None:
        count = len(places)
        if not count:
            self.problems.add(where, "it has no landmarks")
            return
        if (count, lines) not in self.rows:
            self.rows[count, lines] = Rows(_skeleton(count, lines))
        there = np.isfinite(places).all(1)
        self.rows[count, lines].add(picture, places[:, ::-1] + self.offset, np.where(there, VISIBLE, ABSENT))


def _skeleton(count: int, lines: tuple[tuple[int, int], ...]) -> Skeleton:
    if count == 68:
        from engine.layouts.values import skeleton

        known = skeleton("ibug68")
        return Skeleton(known.name, known.landmarks, lines or known.edges, known.flip)
    plain = numbered(count)
    return Skeleton(plain.name, plain.landmarks, lines)


def _instances(file: Path, data: Any) -> Iterator[Instance]:
    """(places (K, 2) as y, x with NaN for null, lines, where) of each subject."""
    if not isinstance(data, dict):
        refuse(file, "", "it is no LJSON", "choose a file that menpo wrote")
    groups = data.get("groups")
    if isinstance(groups, dict):
        for name, one in groups.items():
            yield _subject(file, one, f"groups {shown(name)}")
    elif isinstance(groups, list):
        yield _first_version(file, groups)
    elif "landmarks" in data:
        yield _subject(file, data, "landmarks")
    else:
        refuse(file, "", "it has neither groups nor landmarks", "choose a file that menpo wrote")


def _subject(file: Path, one: Any, where: str) -> Instance:
    held = one.get("landmarks") if isinstance(one, dict) else None
    if not isinstance(held, dict) or not isinstance(held.get("points"), list):
        refuse(file, where, "it has no list of points")
    places = _places(file, held["points"], where)
    return places, _lines(file, held.get("connectivity"), len(places), where), where


def _first_version(file: Path, groups: list[Any]) -> Instance:
    points: list[Any] = []
    lines: list[tuple[int, int]] = []
    for n, group in enumerate(groups):
        where = f"groups[{n}]"
        held = group.get("landmarks") if isinstance(group, dict) else None
        if not isinstance(held, list) or not all(isinstance(one, dict) for one in held):
            refuse(file, where, "it has no list of landmarks")
        start = len(points)
        points += [one.get("point") for one in held]
        lines += [(a + start, b + start) for a, b in _lines(file, group.get("connectivity"), len(held), where)]
    return _places(file, points, "groups"), tuple(lines), "groups"


def _places(file: Path, points: list[Any], where: str) -> np.ndarray:
    made = np.full((len(points), 2), np.nan)
    for n, point in enumerate(points):
        if point is None or point == [None, None]:
            continue
        if not isinstance(point, list) or len(point) != 2:
            refuse(file, f"{where}, point {n + 1}", f"{shown(point)} is no place [y, x]")
        made[n] = [number(value, file, f"{where}, point {n + 1}") for value in point]
    return made


def _lines(file: Path, given: Any, count: int, where: str) -> tuple[tuple[int, int], ...]:
    pairs = []
    for pair in given if isinstance(given, list) else [] if given is None else [given]:
        if not isinstance(pair, list) or len(pair) != 2:
            refuse(file, f"{where}, connectivity", f"{shown(pair)} is no pair")
        a, b = (whole(one, file, f"{where}, connectivity") for one in pair)
        if not (0 <= a < count and 0 <= b < count):
            refuse(file, f"{where}, connectivity", f"{shown(pair)} names no landmark")
        pairs.append((a, b))
    return tuple(dict.fromkeys(pairs))
