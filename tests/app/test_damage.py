"""What is damaged in a project's file: told, left as it is, never taken for empty, and no reason to lose a backup."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from app.project import opening
from app.project.backups import KEPT, KEPT_DAMAGED, backups
from app.project.document import Document
from app.project.edits import Accept, Predicted, PutInstance, RemoveInstance, SetTags
from app.project.records import DamagedError, RowChange, journal_bytes, journal_from
from app.project.values import State
from engine.errors import UserError
from tests.app.projects import change_file, instance, new_document, put


def test_damaged_rows_are_listed_and_never_written_over(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    first, second, third = (i.id for i in document.images())
    held, fine = put(document, first), put(document, first, 1)
    document.close()
    change_file(
        document.path,
        f"UPDATE instances SET data = zeroblob(length(data)) WHERE id = {held.id}",
        f"UPDATE images SET data = substr(data, 1, 20) WHERE id = {second}",
    )
    document = Document.open(document.path)
    assert document.instances(first) == (fine,)
    assert document.image(second).state is State.BROKEN
    assert document.damaged == [f"image {second}", f"instance {held.id} of image {first}"] == document.check()
    for edit in (PutInstance(held), Accept(second)):
        with pytest.raises(UserError, match="damaged"):
            document.apply(edit)
    document.apply(PutInstance(fine.with_point(0, 1, 1)))  # the rest can be worked with
    document.apply(Predicted(third, (instance(third),)))
    document.close()
    with closing(sqlite3.connect(document.path)) as connection:
        (data,) = connection.execute("SELECT data FROM instances WHERE id = ?", (held.id,)).fetchone()
        (size,) = connection.execute("SELECT length(data) FROM images WHERE id = ?", (second,)).fetchone()
    assert set(data) == {0} and size == 20


def test_an_image_that_only_seems_empty_is_not_accepted_as_such(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    image = document.images()[0].id
    held, other = put(document, image), put(document, image, 1)
    document.apply(Accept(image))
    document.close()
    change_file(document.path, f"UPDATE instances SET crc = crc + 1 WHERE id = {held.id}")
    document = Document.open(document.path)
    document.apply(RemoveInstance(other.id))
    assert document.image(image).state is State.IN_WORK
    with pytest.raises(UserError, match="it is not empty"):
        document.apply(Accept(image))
    put(document, image, 2)
    document.apply(Accept(image))
    assert document.image(image).state is State.DONE
    document.close()


def test_copies_of_damage_push_no_whole_copy_out(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    image = document.images()[0].id
    held = put(document, image)
    document.close()
    Document.open(document.path).close()
    (whole,) = backups(document.path)
    change_file(document.path, f"UPDATE instances SET data = zeroblob(length(data)) WHERE id = {held.id}")
    for n in range(KEPT + 3):
        document = Document.open(document.path)
        document.apply(SetTags(image, (str(n),)))
        document.close()
    found = backups(document.path)
    assert found[-1] == whole and not whole.damaged
    assert [backup.damaged for backup in found[:-1]] == [True] * KEPT_DAMAGED
    assert found[0].number > found[1].number > whole.number


def test_neither_undo_nor_a_prediction_touches_an_image_with_a_damaged_label(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    image = document.images()[0].id
    document.apply(Predicted(image, (instance(image),)))
    held = document.instances(image)[0]
    document.close()
    change_file(document.path, f"UPDATE instances SET crc = crc + 1 WHERE id = {held.id}")
    document = Document.open(document.path)
    assert document.apply(Predicted(image, (instance(image, 2),))).images == frozenset()
    with pytest.raises(UserError, match="damaged"):
        document.undo()  # the adding of the images
    assert len(document.images()) == 3 and document.undo_title == "Add 3 images"
    document.close()


def test_a_row_that_was_moved_to_another_image_is_noticed(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    first, second = (i.id for i in document.images()[:2])
    held, lost = put(document, first), put(document, first, 1)
    document.close()
    change_file(
        document.path, f"UPDATE instances SET owner = {second} WHERE id = {held.id}",
        f"UPDATE instances SET owner = 99 WHERE id = {lost.id}",
    )  # fmt: skip
    document = Document.open(document.path)
    assert document.instances(second) == ()
    assert document.check() == [f"instance {held.id} of image {second}", f"instance {lost.id}"]
    document.close()


def test_a_damaged_journal_entry_is_refused_and_work_goes_on(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    image = document.images()[0].id
    held = put(document, image)
    document.close()
    change_file(document.path, "UPDATE journal SET data = zeroblob(length(data)) WHERE title = 'Edit landmarks'")
    document = Document.open(document.path)
    with pytest.raises(DamagedError, match="Edit landmarks"):
        document.undo()
    assert document.instances(image) == (held,)
    document.apply(Accept(image))
    assert document.undo().images == {image}
    document.close()


def test_damaged_properties_stop_the_opening(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    document.close()
    change_file(document.path, "UPDATE meta SET value = replace(value, 'left', 'lift') WHERE key = 'schema'")
    with pytest.raises(UserError, match="damaged"):
        Document.open(document.path)
    change_file(document.path, "DELETE FROM meta")
    with pytest.raises(UserError, match="damaged"):
        Document.open(document.path)
    assert not opening.holder(document.path).exists()


def test_flipped_bytes_are_noticed_or_without_effect(tmp_path: Path) -> None:
    """Any 16 bytes of the file overwritten: refused, listed, or all labels are as they were; never others."""
    document = new_document(tmp_path, 2)
    images = [i.id for i in document.images()]
    for n in range(12):
        put(document, images[n % 2], n)
    truth = {i: document.instances(i) for i in images}
    facts = {i: document.image(i) for i in images}
    document.close()
    whole, rng, noticed = document.path.read_bytes(), np.random.default_rng(0), 0
    for _ in range(60):
        at = int(rng.integers(0, len(whole) - 16))
        document.path.write_bytes(whole[:at] + rng.bytes(16) + whole[at + 16 :])
        try:
            document = Document.open(document.path)
        except UserError:
            noticed += 1
            continue
        try:
            if document.check():
                noticed += 1
            for image in images:
                assert set(document.instances(image)) <= set(truth[image])
                if not document.damaged:
                    assert document.instances(image) == truth[image] and document.image(image) == facts[image]
        finally:
            document.close()
    assert noticed > 10


def test_unknown_tables_are_refused(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    with pytest.raises(ValueError, match="journal"):
        document._store.row("journal", 1)
    document.close()


def test_journal_entries_that_are_no_such_thing_raise() -> None:
    row = RowChange("images", 1, 1, None, b"x\ny")
    assert journal_from(journal_bytes([row, row])) == [row, row]
    for data in (b"", b"[]\nrest", b'[["meta",1,1,-1,-1]]\n', b'[["images",1,1,-1]]\n', b"5\n", b"\xff\n"):
        with pytest.raises(DamagedError):
            journal_from(data)
