"""Importing labels in the window: reading and planning in a thread of their own, one step at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from app.formats.converting import read_labels
from app.formats.registry import Format, ReadOptions
from app.formats.sniff import claimants
from app.project.document import Document
from app.project.edits import Outdated
from app.project.imports import ImportPlan, Wishes, apply_import, plan_import, schema_for
from app.project.imports.draft import Draft
from app.project.imports.pictures import Place, place_pictures
from app.services.projects import Cancelled, Told
from engine.labels import LabelSet

TRIES = 5  # where predictions come in between
LABEL_SUFFIXES = (".json", ".jsonl", ".xml", ".csv", ".parquet", ".h5", ".hdf5", ".slp", ".mat", ".sqlite", ".pts",
                  ".txt", ".yaml", ".yml", ".ljson")  # fmt: skip


@dataclass(frozen=True)
class Preview:
    """What a label file says and what importing it would do; `draft` is the project that would be made for it."""

    path: Path
    form: Format
    labels: LabelSet
    places: tuple[Place, ...]
    document: Document
    wishes: Wishes
    plan: ImportPlan
    pictures: Path | None = None
    draft: Draft | None = None


def candidates(path: Path) -> list[Format]:
    """The formats that a file may be of; raises UserError where it cannot be read."""
    return claimants(path)


def look(
    path: Path, form: str | None, document: Document | None, told: Told, place: Path | None = None,
    pictures: Path | None = None, wishes: Wishes = Wishes(),  # noqa: B008
) -> Preview:  # fmt: skip
    """Read a label file and work out its import, into a project to be made at `place` where none is open.

    Raises UserError, and Cancelled.
    """
    progress = telling(told)
    labels, found = read_labels(path, form, ReadOptions(None, pictures, progress))
    draft = Draft(place, schema_for(labels)) if document is None and place is not None else None
    target = document if draft is None else draft.document
    try:
        places = place_pictures(target, labels, progress)
        plan = plan_import(target, labels, wishes, None, places)
    except BaseException:
        if draft is not None:
            draft.close()
        raise
    return Preview(path, found, labels, tuple(places), target, wishes, plan, pictures, draft)


def look_again(preview: Preview, wishes: Wishes, told: Told) -> Preview:
    """The same labels with other wishes; raises UserError where they do not fit."""
    plan = plan_import(preview.document, preview.labels, wishes, telling(told), list(preview.places))
    return replace(preview, wishes=wishes, plan=plan)


def carry_out(preview: Preview, told: Told) -> Preview:
    """Import, as one step that can be undone. Where the project changes meanwhile the plan is worked out again; a
    hand's labels are lost only as far as the preview said. Raises UserError."""
    for _ in range(TRIES):
        try:
            apply_import(preview.document, preview.plan)
            return preview
        except Outdated:
            lost = preview.plan.lost
            places = place_pictures(preview.document, preview.labels, telling(told))
            preview = look_again(replace(preview, places=tuple(places)), preview.wishes, told)
            if preview.plan.lost > lost:
                raise
    raise Outdated("The project keeps changing; import again when the predictions are done.")


def telling(told: Told) -> Callable[[float, float | None], None]:
    """What readers report to, which stops them with Cancelled when a person asks for it."""

    def tell(done: float, total: float | None) -> None:
        if not told(int(done), int(total or 0)):
            raise Cancelled

    return tell
