"""COCO's categories: what the landmarks of each are called, however carelessly a tool wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.label_reading import shown
from engine.labels import ABSENT, Problems, Skeleton, Table
from engine.rows import Rows


@dataclass(frozen=True)
class Category:
    """Name, landmarks (none where the file names none), lines and mirror pairs by index."""

    name: str
    landmarks: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    flip: tuple[tuple[int, int], ...]


def category_of(one: dict[str, Any], id: Any, where: str, problems: Problems) -> Category:
    """A category from its entry; what does not fit is left out and listed."""
    given = one.get("keypoints") or []
    if not isinstance(given, list) or not all(isinstance(name, (str, int, float)) for name in given):
        problems.add(f"{where}.keypoints", "they are no names; landmarks are numbered")
        given = []
    names: dict[str, int] = {}  # what number the next of the same name gets
    for name in map(str, given):
        unique, n = name, names.get(name, 2)
        while unique in names:
            unique, n = f"{name} {n}", n + 1
        if unique != name:
            problems.add(f"{where}.keypoints", f"{shown(name)} stands twice; the later one is called {shown(unique)}")
            names[name] = n
        names[unique] = 2
    name = one.get("name")
    called = name if isinstance(name, str) and name else f"category {id}"
    edges = _edges(one.get("skeleton"), len(names), where, problems)
    return Category(called, tuple(names), edges, _flip(one.get("flip_idx"), len(names), where, problems))


def _whole_numbers(values: Any) -> bool:
    return isinstance(values, list) and all(type(v) is int or (type(v) is float and v.is_integer()) for v in values)


def _edges(given: Any, count: int, where: str, problems: Problems) -> tuple[tuple[int, int], ...]:
    """Pairs that count from 1; where a 0 stands among them, they count from 0."""
    pairs = given or []
    if not isinstance(pairs, list) or not all(_whole_numbers(pair) and len(pair) == 2 for pair in pairs):
        problems.add(f"{where}.skeleton", "these are no pairs of landmarks; left out")
        return ()
    first = 0 if any(0 in pair for pair in pairs) else 1
    found = [(int(a) - first, int(b) - first) for a, b in pairs]
    fits = [pair for pair in found if all(0 <= i < count for i in pair)]
    if len(fits) != len(found):
        problems.add(f"{where}.skeleton", f"{len(found) - len(fits)} lines lead to landmarks that it lacks; left out")
    return tuple(fits)


def _flip(given: Any, count: int, where: str, problems: Problems) -> tuple[tuple[int, int], ...]:
    if not given:
        return ()
    fits = _whole_numbers(given) and len(given) == count and sorted(given) == list(range(count))
    if not fits or any(given[int(given[n])] != n for n in range(count)):
        problems.add(f"{where}.flip_idx", "the mirror of the mirror is another landmark; left out")
        return ()
    return tuple((n, int(m)) for n, m in enumerate(given) if n < m)


def join_single_landmarks(
    tables: list[Table], categories: Mapping[Any, Category], problems: Problems
) -> list[Table]:  # fmt: skip
    """Tables as they are, or one where each category is one landmark, as CVAT writes loose ones; said in any case.

    They belong to one subject where no picture has two of the same category.
    """
    single = len(categories) > 1 and all(len(each.landmarks) <= 1 for each in categories.values())
    if not single or any(len(table.skeleton) > 1 for table in tables):
        return tables
    if not tables:
        problems.add("", f"each of its {len(categories)} categories is one landmark, and no annotation has one, as "
                     "CVAT writes loose points; label skeletons and export again")  # fmt: skip
        return tables
    pictures = [table.picture[table.visibility[:, 0] > ABSENT] for table in tables]
    if len(tables) < 2 or any(len(np.unique(each)) != len(each) for each in pictures):
        problems.add("", "each category is one landmark, and which belong together is not said; each was read alone")
        return tables
    names = tuple(table.skeleton.name for table in tables)
    rows = Rows(Skeleton("subject", names))
    for picture in np.unique(np.concatenate(pictures)):
        points, seen = np.zeros((len(names), 2)), np.zeros(len(names), np.uint8)
        for k, table in enumerate(tables):
            for i in np.flatnonzero((table.picture == picture) & (table.visibility[:, 0] > ABSENT)):
                points[k], seen[k] = table.points[i, 0], table.visibility[i, 0]
        rows.add(int(picture), points, seen)
    problems.add("", f"each of its {len(names)} categories is one landmark; those of a picture became one subject")
    return [rows.table()]
