"""Pictures whose files are not what was labelled any more: labels are not measured, or given away, with others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from app.formats.registry import FormatError, Progress
from engine.labels import LabelSet, Problem
from engine.regular import holds_other
from engine.rows import taken

OTHER = "it holds another picture than the one that was labelled; left out"


def unchanged(labels: LabelSet, progress: Progress | None = None) -> list[int]:
    """Numbers of the pictures whose files are not known to be others, by their bytes; raises what `progress` does."""
    kept = []
    for n, picture in enumerate(labels.pictures):
        if progress is not None:
            progress(n, len(labels.pictures))
        if picture.path is None or not holds_other(picture.path, picture.digest):
            kept.append(n)
    return kept


def without_others(labels: LabelSet) -> LabelSet:
    """Labels whose pictures are what was labelled, the rest named as problems; raises FormatError where none is."""
    kept = unchanged(labels)
    if labels.pictures and not kept:
        raise FormatError("No file holds the picture that was labelled; put the labelled ones back, or find them.")
    left = {*range(len(labels.pictures))} - {*kept}
    said = (Problem(labels.pictures[n].name, OTHER) for n in sorted(left))
    return replace(subset(labels, kept), problems=(*labels.problems, *said)) if left else labels


def subset(labels: LabelSet, kept: Sequence[int]) -> LabelSet:
    """Some of the pictures, by number, with their instances."""
    number = np.full(len(labels.pictures), -1)
    number[[*kept]] = np.arange(len(kept))
    tables = []
    for table in labels.tables:
        part = taken(table, number[table.picture] >= 0)
        tables.append(replace(part, picture=number[part.picture]))
    return replace(labels, pictures=tuple(labels.pictures[n] for n in kept), tables=tuple(tables))
