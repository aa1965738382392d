"""Landmarks that tools write one by one, each by its name: which belong together, and the tables that they make."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from engine.label_reading import shown
from engine.labels import ABSENT, VISIBLE, Problems, Skeleton, Table
from engine.rows import Rows

SUBJECT = "subject"  # the kind of what no shape gives a kind


class Mark(NamedTuple):
    """One landmark of a picture; group: what says to which subject it belongs, None where nothing does."""

    name: str
    x: float
    y: float
    seen: int = VISIBLE
    score: float = float("nan")
    group: str | None = None
    hand: bool = True


class Shape(NamedTuple):
    """A shape around a subject: its label and its box (x0, y0, x1, y1)."""

    label: str
    box: tuple[float, float, float, float]
    group: str | None = None
    hand: bool = True


@dataclass
class Subject:
    """Marks with different names, and the shape around them."""

    marks: list[Mark] = field(default_factory=list)
    shape: Shape | None = None
    group: str | None = None


def together(
    marks: Sequence[Mark], shapes: Sequence[Shape], where: str, problems: Problems, groups: Iterable[str] = ()
) -> list[Subject]:
    """The subjects of one picture; groups: in the order in which their subjects shall be.

    What has one group is one subject. A mark without a group belongs to the smallest shape around it that has no
    landmark of this name yet. What is left is of the only subject that there is, where it lacks these names, else one
    subject, or several where names come again, which is noted.
    """
    held: dict[str, Subject] = {group: Subject(group=group) for group in groups}
    extra: list[Subject] = []
    free_shapes = []
    for shape in shapes:
        if shape.group is None:
            free_shapes.append(Subject(shape=shape))
        elif held.setdefault(shape.group, Subject(group=shape.group)).shape is None:
            held[shape.group].shape = shape
        else:
            problems.add(where, f"group {shown(shape.group)} has two boxes; the first was taken")
    free = []
    for mark in marks:
        if mark.group is None:
            free.append(mark)
        else:
            held.setdefault(mark.group, Subject(group=mark.group)).marks.append(mark)
    for group in held.values():
        first, *others = _apart(group.marks)
        group.marks = first
        if others:
            problems.add(where, f"group {shown(group.group)} has {_twice(first, others)} more than once; it was split")
            extra += [Subject(part) for part in others]
    alone = [group for group in held.values() if group.shape is not None and not group.marks]
    rest = _enclosed(free, [*free_shapes, *alone])
    filled = [one for one in (*free_shapes, *alone) if one.marks]
    if len(filled) == 1 and len(held) == len(alone) and _fits(rest, filled[0].marks):
        filled[0].marks += rest  # a landmark beyond the edge of the only box
        rest = []
    parts = _apart(rest)
    if len(parts) > 1:
        what = f"{_twice(parts[0], parts[1:])} stands more than once and nothing groups them; a repeated name began"
        problems.add(where, f"{what} another subject, in the order of the file")
    loose = [Subject(part) for part in parts if part]
    grouped = [group for group in held.values() if group.marks or group.shape is not None]
    return [*grouped, *extra, *free_shapes, *loose]


def _fits(marks: Sequence[Mark], held: Sequence[Mark]) -> bool:
    names = [mark.name for mark in (*marks, *held)]
    return len(set(names)) == len(names)


def _apart(marks: Iterable[Mark]) -> list[list[Mark]]:
    """Marks in parts that have each name once: the first of all names and so on where all come equally often, else
    runs in which none comes again."""
    marks = list(marks)
    times = Counter(mark.name for mark in marks)
    if len(set(times.values())) == 1 and max(times.values()) > 1:
        parts: list[list[Mark]] = [[] for _ in range(max(times.values()))]
        met: Counter[str] = Counter()
        for mark in marks:
            parts[met[mark.name]].append(mark)
            met[mark.name] += 1
        return parts
    runs: list[list[Mark]] = [[]]
    names: set[str] = set()
    for mark in marks:
        if mark.name in names:
            runs.append([])
            names = set()
        names.add(mark.name)
        runs[-1].append(mark)
    return runs


def _twice(first: Sequence[Mark], others: Sequence[Sequence[Mark]]) -> str:
    known = {mark.name for mark in first}
    return shown(next((mark.name for run in others for mark in run if mark.name in known), others[0][0].name))


def _enclosed(free: Sequence[Mark], subjects: Sequence[Subject]) -> list[Mark]:
    """Give marks to the smallest shape around them; returns those that lie in none."""
    if not subjects:
        return list(free)
    boxes = np.array([subject.shape.box for subject in subjects if subject.shape is not None])
    order = np.argsort((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), kind="stable")
    names: list[set[str]] = [set() for _ in subjects]
    rest = []
    for mark in free:
        inside = (boxes[order, 0] <= mark.x) & (mark.x <= boxes[order, 2])
        inside &= (boxes[order, 1] <= mark.y) & (mark.y <= boxes[order, 3])
        for n in order[inside]:
            if mark.name not in names[n]:
                names[n].add(mark.name)
                subjects[n].marks.append(mark)
                break
        else:
            rest.append(mark)
    return rest


class _Kind:
    def __init__(self) -> None:
        self.names: dict[str, None] = {}  # in the order of the skeleton
        self.edges: tuple[tuple[str, str], ...] = ()
        self.index: dict[str, int] = {}  # by the time of the first appearance
        self.number, self.x, self.y = array("l"), array("d"), array("d")
        self.seen, self.score, self.counts = array("B"), array("f"), array("l")
        self.rows: list[tuple[int, Any, bool, str, Mapping[str, Any]]] = []

    def learn(self, names: Sequence[str]) -> None:
        """New names get the place after the one before them in this subject, the first ones before the one after."""
        new = [name for name in names if name not in self.names]
        if not new:
            return
        self.index |= {name: len(self.index) + n for n, name in enumerate(new)}
        order = list(self.names)
        known = next((name for name in names if name in self.names), None)
        at = len(order) if known is None else order.index(known)
        for name in names:
            if name in self.names:
                at = order.index(name) + 1
            else:
                order.insert(at, name)
                at += 1
        self.names = dict.fromkeys(order)


class Loose:
    """Subjects of all pictures by kind; landmarks are known by the names that occur, or declared before."""

    def __init__(self, *, in_text_order: bool = False) -> None:
        self._kinds: dict[str, _Kind] = {}
        self._in_text_order = in_text_order
        self.left_out: Counter[str] = Counter()

    def know(self, kind: str, names: Iterable[str], edges: Iterable[tuple[str, str]] = ()) -> None:
        """Landmarks of a kind in their order, also those that no subject has; lines by name."""
        held = self._kinds.setdefault(kind, _Kind())
        held.learn(list(dict.fromkeys(names)))
        held.edges = tuple(edges)

    def add(
        self, picture: int, kind: str, marks: Sequence[Mark], box: Sequence[float] | None = None, hand: bool = True,
        subject: str = "", **extras: Any,
    ) -> None:  # fmt: skip
        """One subject; its marks have names that differ. kind "" where nothing says it."""
        held = self._kinds.setdefault(kind, _Kind())
        held.learn([mark.name for mark in marks])
        for mark in marks:
            held.number.append(held.index[mark.name])
            held.x.append(mark.x)
            held.y.append(mark.y)
            held.seen.append(mark.seen)
            held.score.append(mark.score)
        held.counts.append(len(marks))
        held.rows.append((picture, box, hand, subject, extras))

    def add_subjects(
        self, picture: int, subjects: Iterable[Subject], named: bool = True, names: Mapping[str, str] | None = None,
        kinds: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """What `together` found. named: groups name the subject, as they are or by `names`; kinds: those of groups,
        where no shape tells them."""
        for one in subjects:
            shape = one.shape
            hand = all(mark.hand for mark in one.marks) if one.marks else shape is None or shape.hand
            called = (names or {}).get(one.group, one.group) if named and one.group is not None else ""
            kind = (shape.label if shape else "") or (kinds or {}).get(one.group or "", "")
            self.add(picture, kind, one.marks, shape and shape.box, hand, called)

    def kinds(self) -> tuple[str, ...]:
        """The kinds that have landmarks so far."""
        return tuple(name for name, kind in self._kinds.items() if kind.names)

    def tables(self) -> tuple[Table, ...]:
        """A table for each kind that has landmarks; boxes of other kinds are counted in `left_out`."""
        self._adopt()
        made = []
        for name, kind in self._kinds.items():
            if kind.names and (kind.rows or len(self._kinds) == 1):
                made.append(self._table(name, kind))
            elif kind.rows:
                self.left_out["boxes without landmarks"] += len(kind.rows)
        return tuple(made)

    def _adopt(self) -> None:
        """Subjects of no kind are of the only kind that has names, or of a kind of their own."""
        named = [name for name, kind in self._kinds.items() if name and kind.names]
        held = self._kinds.pop("", None)
        if held is None:
            return
        if len(named) != 1 or not (set(held.names) & set(self._kinds[named[0]].names)):
            self._kinds[SUBJECT if SUBJECT not in self._kinds else f"{SUBJECT} without a kind"] = held
            return
        into = self._kinds[named[0]]
        into.learn(list(held.names))
        renumber = {n: into.index[name] for name, n in held.index.items()}
        into.number.extend(renumber[n] for n in held.number)
        for part in ("x", "y", "seen", "score", "counts"):
            getattr(into, part).extend(getattr(held, part))
        into.rows += held.rows

    def _table(self, name: str, kind: _Kind) -> Table:
        names = list(kind.names)
        if self._in_text_order:
            names.sort()
        elif all(one.isascii() and one.isdigit() and len(one) < 10 for one in names):
            names.sort(key=int)
        place = {one: n for n, one in enumerate(names)}
        edges = tuple((place[a], place[b]) for a, b in kind.edges if a in place and b in place)
        column = np.zeros(len(names), np.int64)
        for one, n in kind.index.items():
            column[n] = place[one]
        m, k = len(kind.rows), len(names)
        at = np.repeat(np.arange(m), np.array(kind.counts, np.int64)), column[np.array(kind.number, np.int64)]
        points, seen, score = np.zeros((m, k, 2)), np.zeros((m, k), np.uint8), np.full((m, k), np.nan, np.float32)
        points[at] = np.column_stack([np.array(kind.x), np.array(kind.y)])
        seen[at], score[at] = np.array(kind.seen), np.array(kind.score)
        rows = Rows(Skeleton(name, tuple(names), edges))
        for n, (picture, box, hand, subject, extras) in enumerate(kind.rows):
            rows.add(picture, points[n], seen[n], score=score[n], box=box, hand=hand, subject=subject, **extras)
        return rows.table()


def hull(points: np.ndarray, seen: np.ndarray) -> tuple[float, float, float, float] | None:
    """x0, y0, x1, y1 around the pixels of all landmarks that are there; None where there is none."""
    there = points[seen > ABSENT]
    if not len(there):
        return None
    (x0, y0), (x1, y1) = there.min(0) - 0.5, there.max(0) + 0.5
    return float(x0), float(y0), float(x1), float(y1)


def box_of(table: Table, row: int) -> tuple[float, float, float, float] | None:
    """The box of an instance, else the one around its landmarks."""
    box = table.box[row]
    return tuple(box.tolist()) if np.isfinite(box).all() else hull(table.points[row], table.visibility[row])
