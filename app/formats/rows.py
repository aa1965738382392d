"""What label formats ask of tables, besides `engine.rows`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.labels import LabelSet, Skeleton, Table
from engine.rows import join, numbered


def is_numbered(skeleton: Skeleton) -> bool:
    """Whether the landmarks' names are only their numbers."""
    return skeleton.landmarks == numbered(len(skeleton)).landmarks


def by_picture(labels: LabelSet) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """(picture, its instances as (table, row)) for every picture in order, also those without any."""
    held: list[list[tuple[int, int]]] = [[] for _ in labels.pictures]
    for n, each in enumerate(labels.tables):
        for row, picture in enumerate(each.picture.tolist()):
            held[picture].append((n, row))
    return iter(enumerate(held))


def joined(tables: Sequence[Table]) -> list[Table]:
    """Tables of which those with one skeleton are one, in the order of the first of each."""
    parts: dict[Skeleton, list[Table]] = {}
    for each in tables:
        parts.setdefault(each.skeleton, []).append(each)
    return [of[0] if len(of) == 1 else join(of) for of in parts.values()]
