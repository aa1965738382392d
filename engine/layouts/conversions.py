"""From one set of landmarks to another: by which landmarks, or means of them, a place is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.label_files import FormatError
from engine.labels import ABSENT, LabelSet, Table
from engine.layouts.values import skeleton

Sources = tuple[tuple[int, ...], ...]  # for each target its sources, from 0; none where it stays absent


def _from_one(text: str) -> Sources:
    """Sources counted from 1: a number, a range a-b (its mean), several joined by +, or . for none."""
    found = []
    for word in text.split():
        parts = [part.split("-") for part in word.split("+")] if word != "." else []
        found.append(tuple(i - 1 for part in parts for i in range(int(part[0]), int(part[-1]) + 1)))
    return tuple(found)


# 3DDFA's list: the ears, 13 and 17 of AFLW's 21, are the jaw's 3 and 15.
_68_TO_21 = _from_one("18 20 22 23 25 27 37 37-42 40 43 43-48 46 3 32 31 36 15 49 61-68 55 9")
_EARS = (12, 16)
_21_TO_19: Sources = tuple((i,) for i in range(21) if i not in _EARS)
# LSP's neck stands for MPII's upper neck; pelvis and thorax are the middles of hips and shoulders.
_LSP_TO_MPII = _from_one("1 2 3 4 5 6 3+4 9+10 13 14 7 8 9 10 11 12")
_MPII_TO_LSP = _from_one("1 2 3 4 5 6 11 12 13 14 15 16 9 10")
_COCO_TO_MPII = _from_one("17 15 13 12 14 16 12+13 6+7 . . 11 9 7 6 8 10")
# WFLW marks the jaw twice as densely, brows on both edges, and eyes with eight places: the nearest of iBUG's.
_98_TO_68: Sources = tuple(
    (i,) for i in (*range(0, 33, 2), *range(33, 38), *range(42, 47), *range(51, 60), 60, 61, 63, 64, 65, 67, 68, 69,
                   71, 72, 73, 75, *range(76, 96))
)  # fmt: skip

CONVERSIONS: dict[tuple[str, str], Sources] = {
    ("ibug68", "aflw21"): _68_TO_21,
    ("ibug68", "aflw19"): tuple(sources for i, sources in enumerate(_68_TO_21) if i not in _EARS),
    ("aflw21", "aflw19"): _21_TO_19,
    ("lsp14", "mpii16"): _LSP_TO_MPII,
    ("mpii16", "lsp14"): _MPII_TO_LSP,
    ("coco17", "mpii16"): _COCO_TO_MPII,
    ("wflw98", "ibug68"): _98_TO_68,
}


def convert_table(held: Table, target: str) -> Table:
    """A table in another schema's landmarks; raises FormatError where no conversion is known.

    A mean needs all of its sources, and is occluded where any of them is; scores are the lowest of them.
    """
    sources = CONVERSIONS.get((held.skeleton.name, target))
    if sources is None:
        raise FormatError(f"There is no way from the landmarks of {held.skeleton.name} to {target}; choose others.")
    m, k = len(held), len(sources)
    points, seen, score = np.zeros((m, k, 2)), np.zeros((m, k), np.uint8), np.full((m, k), np.nan, np.float32)
    for slot, of in enumerate(sources):
        if of:
            part = list(of)
            seen[:, slot] = held.visibility[:, part].min(1)
            score[:, slot] = held.score[:, part].min(1)
            points[:, slot] = np.where((seen[:, slot] > ABSENT)[:, None], held.points[:, part].mean(1), 0)
    extras = {name: column for name, column in held.extras.items() if name != "outside"}
    return replace(held, skeleton=skeleton(target), points=points, visibility=seen, score=score, extras=extras)


def in_schema(labels: LabelSet, target: str) -> LabelSet:
    """The label set with tables of one schema alone, converted where a way is known; unchanged where none fits.

    A table in the schema's own landmarks goes before converted ones.
    """
    own = tuple(held for held in labels.tables if held.skeleton.name == target)
    if not own:
        known = (held for held in labels.tables if (held.skeleton.name, target) in CONVERSIONS)
        own = tuple(convert_table(held, target) for held in known)[:1]
    return replace(labels, tables=own) if own else labels
