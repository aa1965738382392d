"""From a plan, or an entry of the journal, to the rows that are to be written."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from app.project.contents import Contents
from app.project.plan import Plan
from app.project.records import SCHEMA, DamagedError, RowChange, image_bytes, image_from, instance_bytes, instance_from
from app.project.store import Store
from app.project.values import ACCEPTED, State
from engine.schema import Schema

SAME_LANDMARKS = -1  # owner of a change of the schema that leaves all labels as they are


class Rows:
    """Looks up what rows hold before they change; raises DamagedError for those that are damaged."""

    def __init__(self, store: Store, contents: Contents) -> None:
        self._store, self._contents = store, contents

    def of_plan(self, plan: Plan) -> list[RowChange]:
        """What an edit changes; rows that would be written as they are left out."""
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
        return [row for row in rows if row.after != _as_written_now(row)]

    def _before(self, table: str, id: int, plan: Plan) -> bytes | None:
        return None if id >= plan.first_new else self._store.row(table, id)

    def of_journal(self, changes: list[RowChange]) -> list[RowChange]:
        """What brings every row of an entry from `before` to `after`, in the entry's order."""
        return list({(r.table, r.id): r for c in changes for r in self._restoring(c, changes)}.values())

    def _restoring(self, change: RowChange, changes: list[RowChange]) -> Iterable[RowChange]:
        """The rows to write so that one is as it was; an image goes with what models have found in it since."""
        if change.table == SCHEMA and change.owner != SAME_LANDMARKS:
            yield from self._found_since(changes)
        elif change.table == "images" and change.after is None:
            if self._contents.is_hurt(change.id):
                raise DamagedError("A label of this image is damaged and is left as it is; restore a backup.")
            for row in self._store.instances(change.id):
                yield RowChange("instances", row.id, change.id, row.data, None)
        now = self._store.row(change.table, change.id)
        if now != change.after:
            yield replace(change, before=now)

    def _found_since(self, changes: list[RowChange]) -> Iterable[RowChange]:
        """Rows without what models have found since under a schema that ends: an image is new again there."""
        known = {change.id for change in changes if change.table == "instances"}
        owners = {change.owner for change in changes}
        for image in self._contents.images.ordered():
            held = self._contents.instances(image.id)
            for instance in held:
                if instance.id not in known and not (instance.touched or image.state in ACCEPTED):
                    yield RowChange("instances", instance.id, image.id, instance_bytes(instance), None)
            if held and image.state is State.PREDICTED and image.id not in owners:
                new = image.but(state=State.NEW, doubt=None)
                yield RowChange("images", image.id, image.id, image_bytes(image), image_bytes(new))


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
