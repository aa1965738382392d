"""The regions of one annotation of Label Studio, and which of them are one subject."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.formats.labelstudio.places import turned_back
from app.formats.loose import Mark, Shape
from engine.label_reading import number, refuse, shown, whole
from engine.labels import ABSENT, OCCLUDED, VISIBLE, Problems

EDGE = 0.5
HIDDEN = ("occluded", "hidden", "invisible", "not visible", "1")
MISSING = ("absent", "missing", "outside", "not labelled", "not labeled", "0")
POINT, BOX = ("keypointlabels", "keypoint"), ("rectanglelabels", "rectangle")
NO_REGIONS = ("relation", "choices", "labels", "textarea", "taxonomy", "number", "rating")


class Regions:
    """Regions of one annotation as marks and shapes; linked ones have one group."""

    def __init__(self, path: Path, offset: float, problems: Problems, left_out: Counter[str]) -> None:
        self.path, self.offset, self.problems, self.left_out = path, offset, problems, left_out
        self.marks: list[Mark] = []
        self.shapes: list[Shape] = []
        self.size: tuple[int, int] | None = None

    def read(self, result: Any, where: str, size: tuple[int, int] | None, hand: bool) -> None:
        """All regions of a result; `size` is the picture's where a region does not tell it."""
        regions = list(self._objects(result, where))
        groups = _groups(regions)
        seen = {}
        for region, _ in regions:
            value = region.get("value")
            choices = value.get("choices") if isinstance(value, dict) else None
            if isinstance(choices, list):
                word = " ".join(str(one).lower() for one in choices)
                seen[region.get("id")] = ABSENT if word in MISSING else OCCLUDED if word in HIDDEN else VISIBLE
        for region, place in regions:
            value = region.get("value")
            kind = str(region.get("type", "")).lower()
            if not isinstance(value, dict) or kind in NO_REGIONS:
                continue
            group = groups.get(str(region.get("id")))
            if kind not in (*POINT, *BOX):
                self.left_out[f"regions of the kind {shown(kind)}"] += 1
                continue
            turn, known = self._turn(region, place), self._size(region, place) or size
            if known is None:
                self.problems.add(place, "the picture's size is unknown, of which places are percent; left out")
            elif kind in POINT:
                x, y = self._place(value, ("x", "y"), place, turn, known)
                name = _label(value, "keypointlabels")
                state = seen.get(region.get("id"), VISIBLE)
                score = self._score(region, place)
                mark = Mark(name, x + self.offset, y + self.offset, state, score, group, hand)
                self.marks.append(mark)
            else:
                box = self._box(value, place, turn, known)
                self.shapes.append(Shape(_label(value, "rectanglelabels"), box, group, hand))

    def _objects(self, result: Any, where: str) -> Iterator[tuple[dict[str, Any], str]]:
        if not isinstance(result, list):
            refuse(self.path, where, f"{shown(result)} is no list of regions")
        for n, region in enumerate(result):
            if not isinstance(region, dict):
                refuse(self.path, f"{where}[{n}]", f"{shown(region)} is no region")
            yield region, f"{where}[{n}]"

    def _turn(self, region: dict[str, Any], where: str) -> int:
        turn = region.get("image_rotation") or 0
        turn = whole(turn, self.path, f"{where}.image_rotation") % 360
        if turn not in (0, 90, 180, 270):
            refuse(self.path, f"{where}.image_rotation", f"{turn} is no quarter turn")
        return turn

    def _size(self, region: dict[str, Any], where: str) -> tuple[int, int] | None:
        wide, high = region.get("original_width"), region.get("original_height")
        if wide is not None and high is not None:
            found = whole(wide, self.path, f"{where}.original_width"), whole(high, self.path, where)
            if min(found) < 1:
                refuse(self.path, where, f"{found[0]} x {found[1]} is no size of a picture")
            if self.size is not None and self.size != found:
                what = f"it is of a picture of {found[0]} x {found[1]}, others of this task are not"
                self.problems.add(where, what)
            self.size = self.size or found
            return found
        return None

    def _place(
        self, value: dict[str, Any], names: tuple[str, str], where: str, turn: int, size: tuple[int, int]
    ) -> tuple[float, float]:
        """A place in pixels from the picture's edges."""
        x, y = (number(value.get(name), self.path, f"{where}.value.{name}") / 100 for name in names)
        x, y = turned_back(x, y, turn)
        return x * size[0], y * size[1]

    def _box(
        self, value: dict[str, Any], where: str, turn: int, size: tuple[int, int]
    ) -> tuple[float, float, float, float]:
        corners = []
        wide, high = (number(value.get(name), self.path, f"{where}.value.{name}") for name in ("width", "height"))
        if number(value.get("rotation") or 0, self.path, f"{where}.value.rotation"):
            self.problems.add(where, "the box is turned; it was read upright")
        x, y = (number(value.get(name), self.path, f"{where}.value.{name}") for name in ("x", "y"))
        for one in ({"x": x, "y": y}, {"x": x + wide, "y": y + high}):
            corners.append(self._place(one, ("x", "y"), where, turn, size))
        (x0, y0), (x1, y1) = corners
        return min(x0, x1) - EDGE, min(y0, y1) - EDGE, max(x0, x1) - EDGE, max(y0, y1) - EDGE

    def _score(self, region: dict[str, Any], where: str) -> float:
        score = region.get("score")
        return float("nan") if score is None else number(score, self.path, f"{where}.score")


def _label(value: dict[str, Any], name: str) -> str:
    held = value.get(name) or value.get("labels")
    if isinstance(held, list) and held:
        return str(held[0])
    return held if isinstance(held, str) else ""


def _groups(regions: list[tuple[dict[str, Any], str]]) -> dict[str, str]:
    """The group of each region that has a parent, a child or a relation, by id."""
    lead: dict[str, str] = {}

    def first(id: str) -> str:
        while lead.setdefault(id, id) != id:
            lead[id] = lead[lead[id]]
            id = lead[id]
        return id

    ids = {str(region["id"]) for region, _ in regions if region.get("id") is not None}
    for region, _ in regions:
        pairs = [(region.get("id"), region.get("parentID", region.get("parent_id")))]
        if region.get("type") == "relation":
            pairs = [(region.get("from_id"), region.get("to_id"))]
        for a, b in pairs:
            if a is not None and b is not None and str(a) in ids and str(b) in ids:
                lead[first(str(b))] = first(str(a))
    return {id: first(id) for id in list(lead)}
