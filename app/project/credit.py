"""Who made a label, and when each of its landmarks became as it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.project.values import Instance

PER_LANDMARK = ("points", "visibility", "origin", "score", "guess")


def credited(old: Instance | None, new: Instance, annotator: str, now: int) -> Instance:
    """An instance that an edit puts in place of `old`, with its times and the name of who changed it last.

    What only a model has made is nobody's; a new one keeps the name that it comes with. An empty `annotator` changes
    no name. now: seconds since 1970.
    """
    held = old is not None and len(old.points) == len(new.points)
    differs = _differs(old, new) if held else np.ones(len(new.points), bool)
    when = np.where(differs, now, old.when) if held else np.full(len(new.points), now, np.int64)
    changed = not new.annotator if old is None else differs.any() or old.box != new.box
    mine = annotator and changed and (new.touched or new.box.origin == "hand")
    return replace(new, when=when, annotator=annotator if mine else new.annotator)


def _differs(old: Instance, new: Instance) -> np.ndarray:
    """(K,) bool: which landmarks are others."""
    differs = np.zeros(len(new.points), bool)
    for name in PER_LANDMARK:
        one, other = getattr(old, name), getattr(new, name)
        differs |= ((one != other) & ~((one != one) & (other != other))).reshape(len(differs), -1).any(1)
    return differs
