"""From a plan, or an entry of the journal, to the rows that are to be written."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from app.project.contents import Contents
from app.project.plan import Plan
from app.project.records import SCHEMA, DamagedError, RowChange, image_bytes, image_from, instance_bytes, instance_from
from app.project.store import Store
from app.project.values import ACCEPTED, Image, State
from engine.schema import Schema

SAME_LANDMARKS = -1  # owner of a change of the schema that leaves all labels as they are
STANDING = frozenset({"state", "reason", "doubt", "doubts"})  # how far an image has come, and what a model said of it
FITTING = STANDING | {"width", "height", "digest"}  # what an image's labels belong to
Known = dict[int, set[int]]  # image -> its instances that an entry of the journal is about


class Rows:
    """Looks up what rows hold before they change; raises DamagedError for those that are damaged."""

    def __init__(self, store: Store, contents: Contents) -> None:
        self._store, self._contents = store, contents

    def of_plan(self, plan: Plan) -> list[RowChange]:
        """What an edit changes; rows that would be written as they are left out.

        Not so the image of labels that go: if they come back, it is with the size of the picture that they were on.
        """
        rows = []
        if plan.schema != plan.schema_before:
            texts = (schema_text(plan.schema_before).encode(), schema_text(plan.schema).encode())
            rows.append(RowChange(SCHEMA, 0, SAME_LANDMARKS if plan.same_landmarks else 0, *texts))
        for id, image in plan.images.items():
            after = None if image is None else image_bytes(image)
            rows.append(RowChange("images", id, id, self._before("images", id, plan), after))
        for id, instance in plan.instances.items():
            before = self._before("instances", id, plan)
            owner = instance.image if instance is not None else instance_from(before).image if before else 0
            after = None if instance is None else instance_bytes(instance)
            rows.append(RowChange("instances", id, owner, before, after))
        bereft = {row.owner for row in rows if row.table == "instances" and row.before and row.after is None}
        return [
            row for row in rows
            if row.after != _as_written_now(row) or (row.table == "images" and row.id in bereft)
        ]  # fmt: skip

    def _before(self, table: str, id: int, plan: Plan) -> bytes | None:
        return None if id >= plan.first_new else self._store.row(table, id)

    def of_journal(self, changes: list[RowChange]) -> list[RowChange]:
        """What brings every row of an entry from `before` to `after`, in the entry's order.

        Of an image only what the entry changes: what was found out about it since (predictions, its size) stays.
        """
        known: Known = {change.owner: set() for change in changes}
        for change in changes:
            if change.table == "instances":
                known[change.owner].add(change.id)
        return list({(r.table, r.id): r for c in changes for r in self._restoring(c, known)}.values())

    def _restoring(self, change: RowChange, known: Known) -> Iterable[RowChange]:
        """The rows to write so that one is as it was; an image goes with what models have found in it since."""
        if change.table == SCHEMA and change.owner != SAME_LANDMARKS:
            yield from self._found_since(known)
        elif change.table == "images" and change.after is None:
            if self._contents.is_hurt(change.id):
                raise DamagedError("A label of this image is damaged and is left as it is; restore a backup.")
            for row in self._store.instances(change.id):
                yield RowChange("instances", row.id, change.id, row.data, None)
        now = self._store.row(change.table, change.id)
        if change.table == "instances" and change.before is not None and now is None:  # a model has put others there
            yield from self._found_in(self._contents.image(change.owner), known)
        if change.table == "images" and None not in (change.before, change.after, now):
            change = replace(change, after=_carried_over(change, now, bool(known[change.id])))
        if now != change.after or change.before == change.after:  # kept in the entry for what `of_plan` says
            yield replace(change, before=now)

    def _found_since(self, known: Known) -> Iterable[RowChange]:
        """Rows without what models have found since under a schema that ends: an image is new again there."""
        for image in self._contents.images.ordered():
            yield from self._found_in(image, known)
            if image.state is State.PREDICTED and image.id not in known and self._contents.instances(image.id):
                new = image.but(state=State.NEW, doubt=None)
                yield RowChange("images", image.id, image.id, image_bytes(image), image_bytes(new))

    def _found_in(self, image: Image, known: Known) -> Iterable[RowChange]:
        """Rows without an image's labels that only models made and an entry does not know."""
        for instance in self._contents.instances(image.id):
            if instance.id not in known.get(image.id, ()) and not (instance.touched or image.state in ACCEPTED):
                yield RowChange("instances", instance.id, image.id, instance_bytes(instance), None)


def _carried_over(change: RowChange, now: bytes, labels: bool) -> bytes:
    """An image as it is now with what a change makes of it; where its labels change too, with what belongs to them."""
    if now == change.before:
        return change.after
    before, after = image_from(change.before), image_from(change.after)
    names = {name for name in Image.__struct_fields__ if getattr(before, name) != getattr(after, name)}
    if labels:
        names |= FITTING
    elif names & STANDING:
        names |= STANDING
    return image_bytes(image_from(now).but(**{name: getattr(after, name) for name in names}))


def schema_text(schema: Schema) -> str:
    """A schema as the project's file holds it."""
    return json.dumps(schema.to_json())


def _as_written_now(row: RowChange) -> bytes | None:
    """What a row holds already, as this version writes it, so that an older way of writing is no change."""
    if row.before is None or row.table == SCHEMA:
        return row.before
    if row.table == "images":
        return image_bytes(image_from(row.before))
    return instance_bytes(instance_from(row.before))
