"""Which landmark of one list is which of another, by their names: the only place where names are compared."""

from __future__ import annotations

import re
from collections.abc import Sequence

NONE = -1  # of a landmark that has no counterpart
SAME = {"l": "left", "r": "right", "lt": "left", "rt": "right", "eyebrow": "brow", "headtop": "head top"}


def words_of(name: str) -> tuple[str, ...]:
    """What names are compared by: their words, whatever their order, case and marks; l and r are left and right."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = [SAME.get(word, word) for word in re.findall(r"[^\W\d_]+|\d+", parted.casefold())]
    return tuple(sorted(" ".join(words).split()))


def counterparts(names: Sequence[str], known: Sequence[str]) -> list[int]:
    """For each name its place in `known`, or NONE: equal names first, then equal words where they say one only.

    No place is given twice.
    """
    target = [known.index(name) if name in known else NONE for name in names]
    ours, theirs = [words_of(name) for name in known], [words_of(name) for name in names]
    for n, words in enumerate(theirs):
        if target[n] == NONE and words and ours.count(words) == 1 and theirs.count(words) == 1:
            at = ours.index(words)
            target[n] = at if at not in target else NONE
    return target


def numbered_alike(names: Sequence[str], known: Sequence[str]) -> bool:
    """Whether one list has no names but numbers from 1, and as many as the other: then their order is all there is."""
    return len(names) == len(known) and list(names) == [str(n + 1) for n in range(len(names))]
