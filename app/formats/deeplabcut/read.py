"""Reading DeepLabCut's and Lightning Pose's tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from app.formats.deeplabcut.sheets import Sheet, load_sheet
from app.formats.registry import ReadOptions
from engine.label_pictures import Finder
from engine.label_reading import shown
from engine.labels import ABSENT, OCCLUDED, VISIBLE, LabelSet, Picture, Problems, Skeleton
from engine.rows import Rows

UNNAMED = "unnamed"  # with a number: individuals who have no names, as Hourbit calls them
SINGLE = "single"  # the individual that holds landmarks of which there is only one in a picture
FOLDERS = ("../..", "../../..")  # a project, from the folder of one of its tables


def read_sheet(path: Path, options: ReadOptions) -> LabelSet:
    """One table; raises FormatError."""
    problems = Problems(path.name)
    reading = Reading(path, options, problems)
    reading.add(load_sheet(path, problems), path)
    return reading.finished()


class Reading:
    """Tables one after the other; `order` and `edges` by name, as config.yaml has them."""

    def __init__(
        self, home: Path, options: ReadOptions, problems: Problems, name: str = "animal",
        order: Sequence[str] = (), edges: Sequence[tuple[str, str]] = (),
    ) -> None:  # fmt: skip
        self.problems, self.name, self.order, self.edges = problems, name, order, edges
        self.offset = options.offset or 0.0
        self.finder = Finder(home, options, problems, FOLDERS)
        self.pictures: list[Picture] = []
        self.numbers: dict[str, int] = {}
        self.rows: dict[tuple[bool, tuple[str, ...]], Rows] = {}
        self.scorer = ""

    def add(self, sheet: Sheet, file: Path) -> None:
        """All rows of a table."""
        self.scorer = self.scorer or sheet.scorer
        pictures = [self._picture(name, place, file) for name, place in zip(sheet.names, sheet.places, strict=True)]
        if any(not Path(name).suffix for name in sheet.names):
            self.problems.add("", "rows are numbers of frames in a video, whose pictures are not there")
        people: dict[str, dict[str, dict[str, int]]] = {}
        for n, (person, landmark, axis) in enumerate(sheet.columns):
            people.setdefault(person, {}).setdefault(landmark, {})[axis] = n
        blocks = [self._person(person, columns, sheet) for person, columns in people.items()]
        for n, picture in enumerate(pictures):
            if picture is None:
                continue
            for person, key, points, seen, score in blocks:
                if (seen[n] > ABSENT).any():
                    self.rows[key].add(
                        picture, points[n], seen[n], score=score[n], hand=not np.isfinite(score[n]).any(),
                        subject="" if key[0] or re.fullmatch(rf"{UNNAMED}\d+", person) else person,
                    )  # fmt: skip

    def _picture(self, name: str, place: str, file: Path) -> int | None:
        """The picture of a row, None where another row had it."""
        if name in self.numbers:
            self.problems.add(f"{file.name}, {place}", f"{shown(name)} has a row before, which was taken")
            return None
        picture = self.finder.picture(name)
        if picture.path is None and (path := self.finder.find(name.replace("\\", "/").rpartition("/")[2])) is not None:
            picture = self.finder.picture(str(path))
            picture = Picture(name, picture.path, picture.size)
        self.numbers[name] = len(self.pictures)
        self.pictures.append(picture)
        return self.numbers[name]

    def _person(
        self, person: str, columns: dict[str, dict[str, int]], sheet: Sheet
    ) -> tuple[str, tuple[bool, tuple[str, ...]], np.ndarray, np.ndarray, np.ndarray]:
        """Name, key of its rows, points (rows, K, 2), visibility (rows, K) and score (rows, K) of an individual."""
        names = tuple(sorted(columns, key=lambda n: self.order.index(n) if n in self.order else len(self.order)))
        key = person == SINGLE, names
        if key not in self.rows:
            edges = [(names.index(a), names.index(b)) for a, b in self.edges if a in names and b in names]
            self.rows[key] = Rows(Skeleton(SINGLE if person == SINGLE else self.name, names, tuple(edges)))
        at = [[columns[name][axis] for axis in "xy"] for name in names]
        points = sheet.values[:, at]
        known = np.isfinite(points)
        half = known.any(2) & ~known.all(2)
        for n, k in np.argwhere(half)[:100]:
            self.problems.add(sheet.places[n], f"{shown(names[k])} has only one of x and y; it counts as absent")
        seen = np.where(known.all(2), VISIBLE, ABSENT)
        score = self._column(sheet, columns, names, "likelihood")
        visible = self._column(sheet, columns, names, "visible")
        if np.isfinite(visible).any():
            wrong = np.isfinite(visible) & ~np.isin(visible, (0, 1, 2))
            for n, k in np.argwhere(wrong)[:100]:
                what = f"visible of {shown(names[k])} is {visible[n, k]:g}, not 0, 1 or 2, and was left out"
                self.problems.add(sheet.places[n], what)
            lost = ((visible == 1) | (visible == 2)) & (seen == ABSENT)
            for n, k in np.argwhere(lost)[:100]:
                self.problems.add(sheet.places[n], f"{shown(names[k])} has no coordinates; it counts as absent")
            seen = np.where(seen == ABSENT, ABSENT, np.select([visible == 0, visible == 1], [ABSENT, OCCLUDED], seen))
        score[seen == ABSENT] = np.nan
        return person, key, points + self.offset, seen, score

    def _column(
        self, sheet: Sheet, columns: dict[str, dict[str, int]], names: tuple[str, ...], axis: str
    ) -> np.ndarray:
        made = np.full((len(sheet.names), len(names)), np.nan)
        for k, name in enumerate(names):
            if axis in columns[name]:
                made[:, k] = sheet.values[:, columns[name][axis]]
        return made

    def finished(self) -> LabelSet:
        """All that was added."""
        info = {"scorer": self.scorer} if self.scorer else {}
        tables = tuple(rows.table() for rows in self.rows.values())
        return LabelSet(tuple(self.pictures), tables, self.problems.values(), info)
