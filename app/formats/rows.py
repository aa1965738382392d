"""What label formats ask of tables, besides `engine.rows`."""

from __future__ import annotations

from collections.abc import Iterator

from engine.labels import LabelSet, Skeleton
from engine.rows import numbered


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
