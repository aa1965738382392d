"""What people do to the landmarks of a labelled project: each change keeps whose label is whose, and goes back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.project import rows
from app.project.document import Document
from app.project.edits import Accept, Migrate
from app.project.schema_draft import MOST_LANDMARKS, SchemaDraft
from app.project.values import State, Visibility
from engine.errors import UserError
from engine.schema import Schema, schema_from_json
from tests.app.projects import SCHEMA, K, new_document, put

Change = Callable[[SchemaDraft], object]


def landmarks(document: Document, image: int) -> dict[str, tuple]:
    """What is known of each landmark by its name."""
    (held,) = document.instances(image)
    values = (held.points, held.visibility, held.origin, held.score, held.guess, held.when)
    return {
        name: tuple(value[k].tobytes() for value in values) for k, name in enumerate(document.schema.landmarks)
    }  # fmt: skip


def labelled(folder: Path) -> tuple[Document, int]:
    document = new_document(folder, 2)
    image = document.images()[0].id
    put(document, image, 5)
    document.apply(Accept(image))
    return document, image


def rename_all(draft: SchemaDraft) -> None:
    for n, landmark in enumerate(draft.landmarks):
        draft.rename(landmark, f"\u043d\u043e\u0441 \U0001f43b \u05d0 {n}")


def exchange_names(draft: SchemaDraft) -> None:
    one, other = draft.landmarks[:2]
    names = one.name, other.name
    draft.rename(one, "between")
    draft.rename(other, names[0])
    draft.rename(one, names[1])


def split(draft: SchemaDraft) -> None:
    draft.rename(draft.landmarks[3], "upper half")
    draft.add("lower half", draft.landmarks[3])


def merge(draft: SchemaDraft) -> None:
    draft.remove(draft.landmarks[6])
    draft.rename(draft.landmarks[5], "both")


def wrong_pairs(draft: SchemaDraft) -> None:
    for a, b in zip(draft.landmarks[::2], draft.landmarks[1::2], strict=False):
        draft.pair(a, b)
        draft.set_side(a, "right")


def five_hundred(draft: SchemaDraft) -> None:
    for _ in range(500 - len(draft.landmarks)):
        draft.add("more")


def two_alone(draft: SchemaDraft) -> None:
    for landmark in draft.landmarks[2:]:
        draft.remove(landmark)


CHANGES: dict[str, Change] = {
    "rename": rename_all, "exchange names": exchange_names, "reverse": lambda draft: draft.landmarks.reverse(),
    "split": split, "merge": merge, "wrong pairs": wrong_pairs, "500": five_hundred, "two alone": two_alone,
    "no lines": lambda draft: draft.lines.clear(),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_keeps_whose_label_is_whose_and_goes_back(tmp_path: Path, name: str) -> None:
    document, image = labelled(tmp_path)
    before, was, state = document.schema, landmarks(document, image), document.image(image).state
    draft = SchemaDraft(before)
    CHANGES[name](draft)
    edit = Migrate(draft.schema(), draft.source())
    told = document.migration_preview(edit)
    assert document.schema == before and landmarks(document, image) == was  # looking changes nothing
    document.apply(edit)
    now = landmarks(document, image)
    for landmark in draft.landmarks:
        if landmark.source is not None:
            assert now[landmark.name] == was[before.landmarks[landmark.source]]
    (held,) = document.instances(image)
    new = [k for k, source in enumerate(draft.source()) if source is None]
    assert (held.visibility[new] == Visibility.ABSENT).all() and len(told.added) == len(new)
    assert len(told.dropped) == K - (len(draft.landmarks) - len(new))
    assert document.image(image).state is (State.IN_WORK if new else state) and told.reopened == bool(new)
    document.undo()
    assert (document.schema, landmarks(document, image), document.image(image).state) == (before, was, state)
    document.redo()
    assert landmarks(document, image) == now
    document.close()
    again = Document.open(document.path)
    assert again.schema == edit.schema and landmarks(again, image) == now
    again.undo()
    assert (again.schema, landmarks(again, image)) == (before, was)
    again.close()


def step(draft: SchemaDraft, what: int, i: int, j: int) -> None:
    """One of eight things that the editor can do to landmark i, and j."""
    a, b = (draft.landmarks[n % len(draft.landmarks)] for n in (i, j))
    side = ("left", "right", "centre")[j % 3]
    name = b.name if i % 2 else f"n{j}"
    steps = (
        partial(draft.add, "x", a), partial(draft.remove, a), partial(draft.move, a, j), partial(draft.pair, a, b),
        partial(draft.set_side, a, side), partial(draft.toggle_line, a, b), partial(draft.rename, a, name),
        partial(draft.set_lines, a, [b]),
    )  # fmt: skip
    steps[what]()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 40), st.integers(0, 40)), max_size=30))
def test_any_order_of_steps_makes_a_schema_that_is_whole(steps: list[tuple[int, int, int]]) -> None:
    draft = SchemaDraft(SCHEMA)
    for what, i, j in steps:
        with suppress(UserError):
            step(draft, what, i, j)
    made = draft.schema()
    assert schema_from_json(made.to_json()) == made
    sources = [k for k in draft.source() if k is not None]
    assert len(set(sources)) == len(sources)
    mirror = made.permutation
    assert (mirror[mirror] == np.arange(len(made))).all()


@pytest.mark.parametrize(("change", "word"), [
    (lambda d: d.rename(d.landmarks[0], d.landmarks[1].name), "already"),
    (lambda d: d.rename(d.landmarks[0], " "), "name"),
    (lambda d: d.rename(d.landmarks[0], "x" * 65), "64"), (lambda d: [d.add() for _ in range(MOST_LANDMARKS)], "1000"),
    (lambda d: [d.remove(one) for one in list(d.landmarks)], "two landmarks"),
])  # fmt: skip
def test_what_cannot_be_is_refused(change: Change, word: str) -> None:
    draft = SchemaDraft(SCHEMA)
    with pytest.raises(UserError, match=word):
        change(draft)
    assert isinstance(draft.schema(), Schema)


def test_one_landmark_twice_or_none_is_refused_by_the_document(tmp_path: Path) -> None:
    document, image = labelled(tmp_path)
    was = landmarks(document, image)
    for source in ((0,) * K, tuple(range(K - 1)), (*range(K - 1), K), (*range(K - 1), -1)):
        for ask in (document.migration_preview, document.apply):
            with pytest.raises(UserError):
                ask(Migrate(SCHEMA, source))
    assert landmarks(document, image) == was
    document.close()


def test_undoing_new_names_as_an_older_version_wrote_them_loses_no_label(tmp_path: Path, monkeypatch) -> None:
    document, image = labelled(tmp_path)
    was, draft = landmarks(document, image), SchemaDraft(document.schema)
    rename_all(draft)
    with monkeypatch.context() as older:
        older.setattr(rows, "SAME_LANDMARKS", 0)
        document.apply(Migrate(draft.schema(), draft.source()))
    document.undo()
    assert landmarks(document, image) == was
    document.close()
