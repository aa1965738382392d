"""A project's labels as a complete data set: a folder with labels, pictures, splits, schema, and what it is."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.files import atomic_folder
from app.formats import ExportReport, chosen, damage, refuse_nothing, refuse_own
from app.formats.copies import copy_picture, plain_names
from app.formats.describing import LABELS, SUMS, describe, sums
from app.formats.others import subset, unchanged
from app.formats.project import labels_of
from app.formats.registry import Format, FormatError, Progress, WriteOptions
from app.formats.report import fitting, losses
from app.formats.splits import SHORT, group_of, split
from app.project.document import Document
from app.project.values import ACCEPTED, Image, State
from engine.labels import LabelSet

COPY, LINK, REFERENCE = "copy", "link", "reference"
PICTURES = "pictures"
ANNOTATORS = "annotators.csv"


@dataclass(frozen=True)
class Wishes:
    """What goes into a data set. pictures: copy, link or reference (they stay where they are); shares: of the splits,
    none where it is empty; group: as splits.group_of has it; licence: said in its README; names: with who labelled;
    progress: as ReadOptions has it."""

    states: Set[State] = ACCEPTED
    pictures: str = COPY
    shares: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    group: str = "picture"
    licence: str = ""
    names: bool = False
    progress: Progress | None = None


def export_complete(document: Document, form: Format, out: Path, wishes: Wishes) -> ExportReport:
    """Write a folder, whole or not at all; raises UserError, and whatever `progress` raises."""
    if form.holds is None:
        raise FormatError(f"{form.title} can only be read; choose another format to write.")
    if wishes.pictures not in (COPY, LINK, REFERENCE):
        raise FormatError(f"Pictures cannot be put in as {wishes.pictures!r}; choose copy, link or reference.")
    if packs_pictures(form) and wishes.pictures == REFERENCE:
        raise FormatError(f"{form.title} has its pictures in its folder; copy or link them.")
    refuse_own(document, out)
    labels = labels_of(document, wishes.states)
    refuse_nothing(labels.instances, wishes.states)
    labels, images, others = _unchanged(labels, chosen(document, wishes.states), wishes)
    labels = _with_splits(images, labels, wishes)
    names = plain_names([picture.path for picture in labels.pictures])
    labels = replace(labels, pictures=tuple(
        replace(picture, name=name) for picture, name in zip(labels.pictures, names, strict=True)))  # fmt: skip
    with atomic_folder(out) as folder:
        lost = _write(labels, form, folder, wishes)
        hurt = damage(document, chosen(document, wishes.states))
        report = ExportReport(labels.instances, len(labels.pictures), (*hurt, *others, *lost))
        (folder / "schema.json").write_text(json.dumps(document.schema.to_json(), indent=1) + "\n", "utf-8")
        if wishes.names:
            (folder / ANNOTATORS).write_bytes(_annotators(document, labels, images))
        written = sums(folder, wishes.progress)
        (folder / SUMS).write_bytes(written)
        (folder / "README.md").write_text(describe(document, form, labels, report, wishes, written), "utf-8")
    return report


def packs_pictures(form: Format) -> bool:
    """Whether a format's folder has the pictures in it."""
    while hasattr(form, "form"):  # of an exporter, of one that imports its module on first use
        form = form.form
    return bool(getattr(form, "packs_pictures", False))


def _unchanged(
    labels: LabelSet, images: list[Image], wishes: Wishes
) -> tuple[LabelSet, list[Image], tuple[dict, ...]]:  # fmt: skip
    """Labels and images whose files are put in as they were labelled, and what is left out, as a report has it.

    Pictures that stay where they are, are not read. Raises FormatError where none is left.
    """
    kept = [*range(len(images))] if wishes.pictures == REFERENCE else unchanged(labels, wishes.progress)
    there = {*kept}
    names = [picture.path.name for n, picture in enumerate(labels.pictures) if n not in there and picture.path]
    if not names:
        return labels, images, ()
    if not kept:
        raise FormatError("No file holds the picture that was labelled; put the labelled ones back, or find them.")
    why = f"other pictures than those that were labelled: {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}"
    lost = {"what": "images", "count": len(names), "why": why}
    return subset(labels, kept), [images[n] for n in kept], (lost,)


def _with_splits(images: list[Image], labels: LabelSet, wishes: Wishes) -> LabelSet:
    if not wishes.shares:
        return labels
    groups = [group_of(image.path, image.digest, wishes.group) for image in images]
    parts = split(groups, dict(wishes.shares), wishes.seed)
    pictures = (replace(picture, split=part) for picture, part in zip(labels.pictures, parts, strict=True))
    return replace(labels, pictures=tuple(pictures))


def _write(labels: LabelSet, form: Format, folder: Path, wishes: Wishes) -> tuple[dict, ...]:
    """Pictures and label files; returns what the format could not hold."""
    options = WriteOptions(progress=wishes.progress, pictures=wishes.pictures)
    if packs_pictures(form):
        form.write(fitting(labels, form), folder / "made", options)
        for held in sorted((folder / "made").iterdir()):
            os.rename(held, folder / held.name)
        (folder / "made").rmdir()
        return losses(labels, form)
    if wishes.pictures != REFERENCE:
        labels = _with_pictures(labels, folder / PICTURES, wishes)
    parts = {LABELS: labels}
    if wishes.shares and not form.holds.splits:
        parts = {f"{LABELS}-{SHORT[name]}": part for name in wishes.shares if len(
            (part := _part(labels, name)).pictures)}  # fmt: skip
    lost: list[dict] = []
    for name, part in parts.items():
        lost += [one for one in losses(part, form)]
        form.write(fitting(part, form), folder / f"{name}{form.suffix}", options)
    return _added(lost)


def _with_pictures(labels: LabelSet, place: Path, wishes: Wishes) -> LabelSet:
    made = []
    for n, picture in enumerate(labels.pictures):
        if wishes.progress is not None:
            wishes.progress(n, len(labels.pictures))
        copy_picture(picture.path, place / picture.name, wishes.pictures)
        made.append(replace(picture, path=place / picture.name))
    return replace(labels, pictures=tuple(made))


def _part(labels: LabelSet, name: str) -> LabelSet:
    """The pictures of one split with their instances; in a file of their own they need no split."""
    part = subset(labels, [n for n, picture in enumerate(labels.pictures) if picture.split == name])
    return replace(part, pictures=tuple(replace(picture, split="") for picture in part.pictures))


def _added(lost: list[dict]) -> tuple[dict, ...]:
    totals: dict[tuple[str, str], int] = {}
    for one in lost:
        totals[one["what"], one["why"]] = totals.get((one["what"], one["why"]), 0) + one["count"]
    return tuple({"what": what, "count": count, "why": why} for (what, why), count in totals.items())


def _annotators(document: Document, labels: LabelSet, images: list[Image]) -> bytes:
    """Who labelled which instance, as a table."""
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(["image", "instance", "annotator"])
    for picture, image in zip(labels.pictures, images, strict=True):
        for n, instance in enumerate(document.instances(image.id), 1):
            rows.writerow([picture.name, n, instance.annotator])
    return text.getvalue().encode("utf-8", "replace")
