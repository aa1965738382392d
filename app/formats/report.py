"""What a format cannot hold of some labels: told before anything is written, and taken out in one place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from app.formats.layouts import INSIDE
from app.formats.registry import Format, FormatError, Holds
from app.formats.rows import is_numbered
from engine.labels import ABSENT, OCCLUDED, VISIBLE, LabelSet, Skeleton, Table
from engine.rows import numbered, taken

EDGE = 0.5  # pixels from the centre of the first to the edge of its picture
WHOLE = 1e-6  # pixels by which a coordinate may differ from a whole number


def losses(labels: LabelSet, form: Format) -> tuple[dict[str, Any], ...]:
    """What would be lost by writing `labels` in a format, as {what, count, why}; nothing where all of it fits.

    The counts are of what would be written: an instance that has no room is counted once, not its landmarks too.
    """
    holds = _holds(form)
    kept = _kept(labels, holds)
    found: list[tuple[str, int, str]] = [*_instances(labels, holds, form.title), *_pictures(kept, holds, form.title)]
    for table in kept.tables:
        found += _columns(table, holds, form.title)
        beyond = 0 if holds.outside else int(_outside(table, kept).sum())
        found.append(("landmarks outside their pictures", beyond, f"{form.title} has no room beyond the edge"))
    for what, count in labels.info.get("left_out", {}).items():
        found.append((what, int(count), "Hourbit holds landmarks and boxes, and read nothing else"))
    totals: dict[tuple[str, str], int] = {}
    for what, count, why in found:
        totals[what, why] = totals.get((what, why), 0) + int(count)
    return tuple({"what": w, "count": count, "why": why} for (w, why), count in totals.items() if count)


def fitting(labels: LabelSet, form: Format) -> LabelSet:
    """The labels without what a format cannot hold, as `losses` tells; raises FormatError where nothing is left."""
    holds = _holds(form)
    kept = _kept(labels, holds)
    if not holds.outside:
        inside = [replace(t, visibility=np.where(_outside(t, kept), ABSENT, t.visibility)) for t in kept.tables]
        kept = replace(kept, tables=tuple(inside))
    if labels.instances and not kept.instances:
        why = "; ".join(f"{lost['what']}: {lost['why']}" for lost in losses(labels, form)[:2])
        raise FormatError(f"Nothing of these labels fits into {form.title} ({why}); choose another format.")
    pictures = tuple(
        replace(
            picture, split=picture.split if holds.splits else "", visited=picture.visited and holds.visited,
            attributes=picture.attributes if holds.attributes else {},
        ) for picture in kept.pictures
    )  # fmt: skip
    return replace(kept, pictures=pictures, tables=tuple(_stripped(table, holds) for table in kept.tables))


def _holds(form: Format) -> Holds:
    if form.holds is None:
        raise FormatError(f"{form.title} can only be read; choose another format to write.")
    return form.holds


def _outside(table: Table, labels: LabelSet) -> np.ndarray:
    """Landmarks (M, K) that are there and lie beyond the edge of their picture, as far as its size is known."""
    sizes = np.array([picture.size or (np.inf, np.inf) for picture in labels.pictures], np.float64).reshape(-1, 2)
    last = sizes[table.picture][:, None] - EDGE
    return (table.visibility > ABSENT) & ((table.points < -EDGE) | (table.points > last)).any(2)


def _rows(labels: LabelSet, holds: Holds) -> list[tuple[str, np.ndarray]]:
    """For each table what does not fit into the format, and the rows (bool) that do."""
    fits = [not holds.landmarks or len(table.skeleton) in holds.landmarks for table in labels.tables]
    counts = [len(table) if fit else 0 for table, fit in zip(labels.tables, fits, strict=True)]
    main = int(np.argmax(counts)) if counts else 0
    sized = np.array([picture.size is not None for picture in labels.pictures], bool)
    found = []
    for n, (table, fit) in enumerate(zip(labels.tables, fits, strict=True)):
        what, rows = "", np.ones(len(table), bool)
        if not fit:
            what, rows = "subjects with another number of landmarks", ~rows
        elif n != main and not (holds.several_skeletons and _alike(table, labels.tables[main], holds)):
            what, rows = "subjects of another kind", ~rows
        else:
            rows = _sized(sized, table, holds) & _complete(table, holds)
        found.append((what, rows))
    if not holds.several:
        pictures: set[int] = set()
        for table, (_, rows) in zip(labels.tables, found, strict=True):
            for i in np.flatnonzero(rows):
                rows[i] = int(table.picture[i]) not in pictures
                pictures.add(int(table.picture[i]))
    return found


def _alike(table: Table, main: Table, holds: Holds) -> bool:
    one, other = table.skeleton, main.skeleton
    return holds.any_shape or (len(one) == len(other) and set(one.flip) == set(other.flip))


def _sized(sized: np.ndarray, table: Table, holds: Holds) -> np.ndarray:
    return np.ones(len(table), bool) if holds.without_size else sized[table.picture]


def _complete(table: Table, holds: Holds) -> np.ndarray:
    there = table.visibility > ABSENT
    named = holds.order or there.any()  # else nothing would tell that the instances have landmarks
    return there.any(1) | (holds.bare and named) if holds.absent else there.all(1)


def _kept(labels: LabelSet, holds: Holds) -> LabelSet:
    """The pictures and instances that have room."""
    tables = [
        table if rows.all() else taken(table, rows)
        for table, (what, rows) in zip(labels.tables, _rows(labels, holds), strict=True) if not what
    ]  # fmt: skip
    used = {int(n) for table in tables for n in table.picture}
    wanted = [
        n for n, picture in enumerate(labels.pictures)
        if (holds.empty or n in used) and (holds.without_size or picture.size is not None)
    ]  # fmt: skip
    if len(wanted) == len(labels.pictures):
        return replace(labels, tables=tuple(tables))
    number = np.full(len(labels.pictures), -1)
    number[wanted] = np.arange(len(wanted))
    tables = [replace(table, picture=number[table.picture]) for table in tables]
    return replace(labels, pictures=tuple(labels.pictures[n] for n in wanted), tables=tuple(tables))


def _instances(labels: LabelSet, holds: Holds, title: str) -> Iterator[tuple[str, int, str]]:
    sized = np.array([picture.size is not None for picture in labels.pictures], bool)
    for table, (what, rows) in zip(labels.tables, _rows(labels, holds), strict=True):
        if what:
            room = f"{' or '.join(str(k) for k in holds.landmarks)} landmarks" if "number" in what else "one kind"
            yield what, len(table), f"{title} holds subjects of {room} only"
            continue
        known, complete = _sized(sized, table, holds), _complete(table, holds)
        yield "instances", int((~known).sum()), f"{title} needs the size of their pictures, which are not there"
        unfit = int((known & ~complete).sum())
        what, why = "instances with absent landmarks", f"{title} cannot say that a landmark is absent"
        if holds.absent:
            what, why = "instances without landmarks", f"{title} has no room for them"
        yield what, unfit, why
        yield "further instances", int((known & complete & ~rows).sum()), f"{title} holds one subject a picture"


def _pictures(kept: LabelSet, holds: Holds, title: str) -> Iterator[tuple[str, int, str]]:
    pictures = kept.pictures
    used = {int(n) for table in kept.tables for n in table.picture}
    yield "splits", 0 if holds.splits else sum(bool(p.split) for p in pictures), f"{title} has no room for them"
    seen = [p.visited for n, p in enumerate(pictures) if n not in used]
    unseen = 0 if holds.visited or not any(seen) else seen.count(False)
    yield "pictures that nobody has looked at", unseen, f"{title} cannot tell them from empty ones"
    states = 0 if holds.attributes else sum("state" in p.attributes for p in pictures)
    yield "states", states, f"{title} has no room for them"
    others = 0 if holds.attributes else sum(bool(set(p.attributes) - {"state", INSIDE}) for p in pictures)
    yield "attributes of pictures", others, f"{title} has no room for them"


def _columns(table: Table, holds: Holds, title: str) -> Iterator[tuple[str, int, str]]:
    there = table.visibility > ABSENT
    no_room = f"{title} has no room for them"
    counts = {
        ("occluded landmarks", f"{title} cannot tell them from visible ones"):
            (holds.occluded, table.visibility == OCCLUDED),
        ("sub-pixel places", f"{title} holds whole pixels"):
            (holds.subpixel, there & (np.abs(table.points - np.rint(table.points)) > WHOLE).any(2)),
        ("sub-pixel boxes", f"{title} holds whole pixels"):
            (holds.subpixel or not holds.boxes, (np.abs(table.box - _edges(table.box)) > WHOLE).any(1)),
        ("scores", no_room): (holds.scores, there & np.isfinite(table.score)),
        ("boxes", no_room): (holds.boxes, np.isfinite(table.box).all(1)),
        ("subjects", no_room): (holds.subjects, table.subject != ""),
        ("origins", f"{title} cannot tell what a model found from what a hand placed"): (holds.origins, ~table.hand),
    }  # fmt: skip
    for (what, why), (held, found) in counts.items():
        yield what, 0 if held else int(np.count_nonzero(found)), why
    skeleton = table.skeleton
    named = 0 if holds.names or is_numbered(skeleton) else len(skeleton)
    yield "names of landmarks", named, no_room
    unused = 0 if holds.order or not there.any() else int((~there.any(0)).sum())
    yield "landmarks that no instance has", unused, f"{title} names landmarks only where they are"
    yield "lines between landmarks", 0 if holds.edges else len(skeleton.edges), no_room
    yield "mirror pairs", 0 if holds.flip else len(skeleton.flip), no_room
    for name, column in table.extras.items():
        if name not in holds.extras:
            yield name.replace("_", " "), _said(column), no_room


def _said(column: np.ndarray) -> int:
    """Instances for which an extra column says something."""
    if column.dtype.kind == "f":
        return int(np.isfinite(column.reshape(len(column), -1)).any(1).sum()) if len(column) else 0
    if column.dtype.kind == "b":
        return int(column.reshape(len(column), -1).any(1).sum()) if len(column) else 0
    return sum(value is not None and value != "" for value in column.tolist())


def _edges(box: np.ndarray) -> np.ndarray:
    """Boxes (M, 4) along the edges of whole pixels, at least one wide and high."""
    low = np.rint(box[:, :2] + 0.5) - 0.5
    return np.concatenate([low, np.maximum(np.rint(box[:, 2:] + 0.5) - 0.5, low + 1)], 1)


def _stripped(table: Table, holds: Holds) -> Table:
    """A table of what fits, in which nothing stands that does not."""
    points, seen, score = table.points, table.visibility, table.score
    if not holds.occluded:
        seen = np.where(seen == OCCLUDED, VISIBLE, seen)
    if not holds.subpixel:
        points = np.where((seen > ABSENT)[..., None], np.rint(points), points)
    used = (seen > ABSENT).any(0)
    if not holds.order and used.any():
        names = tuple(name for name, keep in zip(table.skeleton.landmarks, used, strict=True) if keep)
        points, seen, score = points[:, used], seen[:, used], score[:, used]
        skeleton = Skeleton(table.skeleton.name, names)
        table = replace(table, skeleton=skeleton, points=points, visibility=seen, score=score)
    skeleton = Skeleton(
        table.skeleton.name,
        table.skeleton.landmarks if holds.names else numbered(len(table.skeleton)).landmarks,
        table.skeleton.edges if holds.edges else (),
        table.skeleton.flip if holds.flip else (),
    )  # fmt: skip
    return replace(
        table, skeleton=skeleton, points=points, visibility=seen,
        score=score if holds.scores else np.full_like(score, np.nan),
        box=(table.box if holds.subpixel else _edges(table.box)) if holds.boxes else np.full_like(table.box, np.nan),
        hand=table.hand if holds.origins else np.ones_like(table.hand),
        subject=table.subject if holds.subjects else np.full(len(table), "", np.str_),
        extras={name: column for name, column in _extras(table, holds).items() if name in holds.extras},
    )  # fmt: skip


def _extras(table: Table, holds: Holds) -> dict[str, np.ndarray]:
    """Further columns; a score of each instance that a model found where landmarks cannot keep theirs."""
    extras = dict(table.extras)
    known = np.isfinite(table.score) & (table.visibility > ABSENT)
    found = known.any(1) & ~table.hand
    if not holds.scores and found.any():
        mean = np.where(known, table.score, 0.0).sum(1, dtype=np.float64) / np.maximum(known.sum(1), 1)
        own = np.asarray(extras.get("score", np.full(len(table), np.nan)), np.float64)
        extras["score"] = np.where(np.isfinite(own), own, np.where(found, mean.round(4), np.nan))
    return extras
