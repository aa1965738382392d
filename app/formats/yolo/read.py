"""Reading YOLO-pose."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from app.formats.registry import FormatError, ReadOptions
from app.formats.yolo.description import Description, read_description
from app.formats.yolo.places import label_place, listed, picture_place, root_of
from engine.label_pictures import Finder, size_of
from engine.label_reading import number, read_text, refuse, shown, whole
from engine.labels import ABSENT, OCCLUDED, VISIBLE, LabelSet, Picture, Problems
from engine.rows import Rows

EDGE = 0.5  # boxes count from the corner of the top-left pixel, landmarks from its centre
SIZES = "sizes.txt"  # of pictures that are not in the folder, as Hourbit writes it: width, height, split/name
FAR = 2.0  # shares beyond this are pixels


def read_yolo(path: Path, options: ReadOptions) -> LabelSet:
    """All splits of a data set; raises FormatError with file and line."""
    return _Reading(path, options).run()


class _Reading:
    def __init__(self, path: Path, options: ReadOptions) -> None:
        self.options, self.problems = options, Problems(path.name)
        self.made: Description = read_description(path, self.problems)
        self.rows = {n: Rows(skeleton) for n, skeleton in self.made.classes.items()}
        self.pictures: list[Picture] = []
        self.odd = {"outside": 0, "dropped": 0, "corner": 0}
        self.sizes: dict[str, tuple[str, tuple[int, int]]] = {}  # split/stem -> name, size
        self.used: set[Path] = set()  # label files

    def run(self) -> LabelSet:
        root = root_of(self.made, self.problems)
        finder = Finder(self.made.file, self.options, self.problems)
        self._read_sizes(root)
        seen: dict[Path, str] = {}
        for split, folder, file in listed(self.made, root, self.problems):
            is_label = file.suffix.lower() == ".txt"
            if is_label and file in self.used:
                continue
            place = picture_place(file) if is_label else file
            name = _name(place, folder)
            found = file if not is_label and os.path.isfile(file) else finder.find(name)
            label = file if is_label else label_place(file)
            if place in seen or (found is not None and found in seen):
                before = seen.get(place, seen.get(found or place))
                self.problems.add(f"picture {shown(name)}", f"it is in {split or 'images'} too; {before} was taken")
                continue
            seen[found or place] = split
            self._picture(name, found, split, label)
        return self._finished()

    def _read_sizes(self, root: Path) -> None:
        file = root / SIZES
        if not os.path.isfile(file):
            return
        for n, line in enumerate(read_text(file, self.problems).splitlines(), 1):
            parts = line.split(" ", 2)
            if len(parts) == 3:
                wide, high = (whole(one, file, f"line {n}") for one in parts[:2])
                self.sizes[parts[2].rpartition(".")[0]] = parts[2].partition("/")[2], (wide, high)

    def _picture(self, name: str, path: Path | None, split: str, label: Path) -> None:
        size = size_of(path) if path is not None else None
        if path is None:  # called as the writer called it, with its suffix
            key = label.as_posix().rpartition("/labels/")[2].removesuffix(".txt")
            name, size = self.sizes.get(key, (name, None))
        elif size is None:
            self.problems.add(f"picture {shown(name)}", "it cannot be read as a picture")
        there = os.path.isfile(label)
        self.pictures.append(Picture(name, path, size, split, there))
        if not there:
            return
        self.used.add(label)
        if size is None:
            why = "its picture is not there" if path is None else "its picture's size is unknown"
            self.problems.add(f"label file {shown(label.name)}", f"{why}, without which its shares mean nothing")
            return
        for n, line in enumerate(read_text(label, self.problems).splitlines(), 1):
            if fields := line.split():
                self._row(fields, label, n, size)

    def _row(self, fields: list[str], label: Path, line: int, size: tuple[int, int]) -> None:
        where, count, values = f"line {line}", self.made.count, self.made.values
        expected = 5 + count * values
        outline = len(fields) >= 7 and len(fields) % 2 == 1
        if len(fields) not in (5, expected) and not outline:
            refuse(label, where, f"{len(fields)} values where {expected} are expected")
        given = np.array([number(one, label, where) for one in fields])
        kind = whole(fields[0], label, where)
        if kind not in self.rows:
            refuse(label, where, f"class {kind} has no name in {self.made.file.name}", "add it there")
        shares = given[1:]
        if len(fields) == expected:  # all but the visibilities
            shares = np.concatenate([given[1:5], given[5:].reshape(count, values)[:, :2].ravel()])
        if np.abs(shares).max() > FAR:
            far = shares[np.abs(shares).argmax()]
            refuse(label, where, f"{far:g} is no share of the picture's size", "divide by width and height")
        if len(fields) != expected and len(fields) > 5:
            self.problems.add(f"{label.name}, {where}", f"{len(fields)} values are an outline; it was left out")
            return
        x, y, wide, high = given[1:5] * (size * 2)
        box = (x - wide / 2 - EDGE, y - high / 2 - EDGE, x + wide / 2 - EDGE, y + high / 2 - EDGE)
        if len(fields) == 5:
            self.problems.add(f"{label.name}, {where}", "a box without landmarks; they count as absent")
            marks = np.zeros((count, values))
        else:
            marks = given[5:].reshape(count, values)
        seen, score = self._seen(marks, label, where)
        points = marks[:, :2] * size + (self.options.offset or 0.0)
        self.odd["outside"] += int(((marks[:, :2] < -0.01) | (marks[:, :2] > 1)).any(1)[seen > ABSENT].sum())
        self.rows[kind].add(len(self.pictures) - 1, points, seen, score=score,
                            box=box if wide > 0 and high > 0 else None)  # fmt: skip

    def _seen(self, marks: np.ndarray, label: Path, where: str) -> tuple[np.ndarray, np.ndarray]:
        """Visibility (K,) and score (K,) of one row."""
        if marks.shape[1] == 2:
            corner = (marks == 0).all(1)
            self.odd["corner"] += int(corner.sum())
            return np.where(corner | (marks < 0).any(1), ABSENT, VISIBLE), np.full(len(marks), np.nan)
        v = marks[:, 2]
        if (v < 0).any() or (v > VISIBLE).any():
            refuse(label, where, f"visibility {v[(v < 0) | (v > VISIBLE)][0]:g} is neither 0, 1 nor 2")
        self.odd["dropped"] += int(((v == 0) & (marks[:, :2] != 0).any(1)).sum())
        seen = np.select([v == ABSENT, v == OCCLUDED], [ABSENT, OCCLUDED], VISIBLE)
        return seen, np.where((v > 0) & (v < 1), v, np.nan)

    def _finished(self) -> LabelSet:
        for key, what in (
            ("corner", "landmarks at 0 0 count as absent, since kpt_shape has no visibility: one in the picture's "
             "corner cannot be told from them"),
            ("dropped", "landmarks with v = 0 have places, which were dropped"),
            ("outside", "landmarks lie outside their pictures"),
        ):  # fmt: skip
            if self.odd[key]:
                self.problems.add("", f"{self.odd[key]} {what}")
        tables = tuple(rows.table() for n, rows in self.rows.items() if len(rows) or n == min(self.rows))
        if not self.pictures:
            raise FormatError(f"{self.made.file.name} leads to no picture; choose the folder that holds images.")
        return LabelSet(tuple(self.pictures), tables, self.problems.values())


def _name(place: Path, folder: Path) -> str:
    return place.relative_to(folder).as_posix() if place.is_relative_to(folder) else place.as_posix()
