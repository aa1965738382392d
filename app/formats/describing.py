"""What a data set says of itself: its README, and the sums by which a change is seen."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.formats.registry import Format, Progress
from app.project.document import Document
from engine.labels import ABSENT, OCCLUDED, VISIBLE, LabelSet
from engine.regular import open_regular

if TYPE_CHECKING:
    from app.formats import ExportReport
    from app.formats.complete import Wishes

LABELS = "labels"
SUMS = "SHA256SUMS"


def sums(folder: Path, progress: Progress | None = None) -> bytes:
    """SHA-256 of every file below a folder, by name, as `sha256sum -c` reads it."""
    found = sorted(
        Path(base, name).relative_to(folder).as_posix() for base, _, names in os.walk(folder) for name in names
    )
    lines = []
    for n, name in enumerate(found):
        if progress is not None:
            progress(n, len(found))
        with open_regular(folder / name) as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {name}\n")
    return "".join(lines).encode("utf-8", "surrogateescape")


def describe(
    document: Document, form: Format, labels: LabelSet, report: ExportReport, wishes: Wishes, written: bytes
) -> str:  # fmt: skip
    """The README of a data set: what is in it, under which terms, and its hash. No names but those asked for."""
    schema = document.schema
    seen = [table.visibility for table in labels.tables]
    counts = {v: sum(int((part == v).sum()) for part in seen) for v in (VISIBLE, OCCLUDED, ABSENT)}
    lines = [
        f"# {document.name}", "",
        f"Landmarks labelled with Hourbit, as {form.title}.", "",
        "| what | count |", "|---|---|",
        f"| pictures | {report.images} |", f"| instances | {report.instances} |",
        f"| visible landmarks | {counts[VISIBLE]} |", f"| occluded | {counts[OCCLUDED]} |",
        f"| absent | {counts[ABSENT]} |", "",
        f"Licence: {wishes.licence or 'not stated; ask who made this before using or passing it on'}", "",
        f"Pictures: {_PICTURES[wishes.pictures]}", "",
        f"Hash: {hashlib.sha256(written).hexdigest()} (SHA-256 of {SUMS}, which lists every file; "
        f"check with `sha256sum -c {SUMS}`)",
    ]  # fmt: skip
    lines += _splits(labels, wishes)
    lines += ["", f"## Schema {schema.name}", "", f"{schema.title}, {len(schema)} landmarks; in full in schema.json.",
              "", "| number | landmark | mirror partner | labelled |", "|---|---|---|---|"]  # fmt: skip
    partner = schema.permutation
    labelled = sum(((part > ABSENT).sum(0) for part in seen), np.zeros(len(schema), int))
    for n, name in enumerate(schema.landmarks):
        other = schema.landmarks[partner[n]] if partner[n] != n else ""
        lines.append(f"| {n} | {_cell(name)} | {_cell(other)} | {labelled[n]} |")
    if report.lost:
        lines += ["", "## What the format could not hold", ""]
        lines += [f"- {one['what']}, {one['count']}: {one['why']}" for one in report.lost]
    if wishes.names:
        lines += ["", "Who labelled which instance is in annotators.csv."]
    return "\n".join(lines) + "\n"


_PICTURES = {
    "copy": "copies in this folder", "link": "links in this folder to where they are",
    "reference": "not in this folder; the labels say where they are",
}  # fmt: skip


def _splits(labels: LabelSet, wishes: Wishes) -> list[str]:
    if not wishes.shares:
        return []
    held = Counter(picture.split for picture in labels.pictures)
    asked = ", ".join(f"{name} {share:g}" for name, share in wishes.shares.items())
    found = ", ".join(f"{name} {held[name]} pictures" for name in wishes.shares)
    what = {"picture": "pictures of the same bytes stay together", "folder": "each folder stays together"}
    told = what.get(wishes.group, f"pictures that share what {wishes.group!r} finds stay together")
    return ["", f"Split by seed {wishes.seed} ({asked}): {found}; {told}."]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
