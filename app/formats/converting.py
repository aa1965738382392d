"""Reading labels of any format, and writing them in another with what is lost told first."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.files import refuse_inputs
from app.formats.layouts import INSIDE
from app.formats.registry import Format, FormatError, ReadOptions, WriteOptions
from app.formats.report import fitting, losses
from app.formats.sniff import recognise
from engine.labels import LabelSet, Problem


@dataclass(frozen=True)
class Converted:
    """What was written, what the format could not hold ({what, count, why}), and what reading met."""

    instances: int
    images: int
    lost: tuple[dict[str, Any], ...]
    problems: tuple[Problem, ...]


def read_labels(path: Path, name: str | None, options: ReadOptions) -> tuple[LabelSet, Format]:
    """Labels of a file or folder, and their format; what is missing altogether is a problem too.

    Raises FormatError, or another UserError of what is opened.
    """
    form, place = recognise(path, name)
    if options.pictures is not None and not os.path.isdir(options.pictures):
        raise FormatError(f"There is no folder {options.pictures} with pictures; check its place.")
    labels = form.read(place, options)
    none = () if labels.instances else (Problem(place.name, "it holds no landmarks"),)
    return replace(labels, problems=(*labels.problems, *none, *missing_pictures(labels))), form


def missing_pictures(labels: LabelSet) -> tuple[Problem, ...]:
    """How many pictures were not found: no fault of the labels themselves."""
    missing = sum(picture.path is None and INSIDE not in picture.attributes for picture in labels.pictures)
    what = f"{missing} of {len(labels.pictures)} pictures were not found"
    return (Problem("pictures", what),) if missing else ()


def write_labels(
    labels: LabelSet, form: Format, out: Path, options: WriteOptions, strict: bool = False
) -> tuple[LabelSet, tuple[dict[str, Any], ...]]:  # fmt: skip
    """Write labels, whole or not at all; returns what was written and what was lost.

    Raises FormatError where the format is only read, or (strict) where anything would be lost; then nothing is
    written. Pictures that the labels name are never replaced.
    """
    lost = losses(labels, form)
    if strict and lost:
        told = ", ".join(f"{one['count']} {one['what']} ({one['why']})" for one in lost)
        raise FormatError(f"Nothing was written, since this would be lost: {told}; leave out --strict to accept that.")
    refuse_inputs(out, (picture.path for picture in labels.pictures if picture.path is not None))
    written = fitting(labels, form)
    form.write(written, out, options)
    return written, lost


def convert(
    source: Path, out: Path, to: Format, name: str | None = None, strict: bool = False,
    reading: ReadOptions = ReadOptions(), writing: WriteOptions = WriteOptions(),  # noqa: B008
) -> Converted:  # fmt: skip
    """Read labels of one format and write them in another; the source is never touched. Raises UserError."""
    if to.holds is None:
        raise FormatError(f"{to.title} can only be read; choose another format to write.")
    _refuse_source(source, out)
    labels, _ = read_labels(source, name, reading)
    written, lost = write_labels(labels, to, out, writing, strict)
    return Converted(written.instances, len(written.pictures), lost, labels.problems)


def _refuse_source(source: Path, out: Path) -> None:
    """Raise UserError where writing `out` would replace what is read, or the folder that holds it."""
    inputs = [source, *source.resolve().parents]
    if os.path.isdir(source):
        inputs += [file for file in source.rglob("*") if os.path.exists(file)]
    refuse_inputs(out, inputs)
