"""Reading folders in the background: progress, cancel, and nothing left behind by what did not come to an end."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from app.project.document import Document
from app.services.projects import SUFFIX, Cancelled, open_folder, project_of, read_new
from app.services.reading import Reading
from engine.errors import UserError
from tests.app.projects import new_document
from tests.app.views.small import write_pictures

FACES = "ibug68"
WAIT = 5_000  # ms


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_pictures(tmp_path / "faces", 4)
    return tmp_path / "faces"


def test_a_folder_that_was_cancelled_leaves_no_project(folder):
    with pytest.raises(Cancelled):
        open_folder(folder, FACES, lambda done, total: done < 2)
    assert not project_of(folder, FACES).exists()


def test_progress_counts_up_to_all(folder):
    told = []
    document = open_folder(folder, FACES, lambda done, total: told.append((done, total)) or True)
    document.close()
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4)]


def test_cancelling_new_pictures_leaves_the_project_as_it_was_and_unlocked(folder):
    open_folder(folder, FACES).close()
    write_pictures(folder, 6)
    with pytest.raises(Cancelled):
        open_folder(folder, FACES, lambda done, total: False)
    again = Document.open(project_of(folder, FACES))
    assert len(again.images()) == 4
    again.close()


def test_only_what_is_unknown_is_read(folder):
    known = {str(folder / "picture1.png")}
    new = read_new(sorted(folder.iterdir()), known)
    assert [Path(image.path).name for image in new] == ["picture2.png", "picture3.png", "picture4.png"]
    assert all(image.digest and image.width > 1 for image in new)


def test_a_picture_that_cannot_be_read_is_still_listed(folder):
    (folder / "broken.png").write_bytes(b"no picture")
    document = open_folder(folder, FACES)
    assert len(document.images()) == 5
    document.close()


def test_faces_and_bodies_of_one_folder_have_projects_of_their_own(folder):
    assert project_of(folder, FACES) != project_of(folder, "mpii16")
    assert project_of(folder, FACES).name == f"faces{SUFFIX}"


def test_made_failed_and_cancelled_are_told_apart(qtbot, tmp_path):
    reading, document = Reading(), new_document(tmp_path)
    with qtbot.waitSignal(reading.made, timeout=WAIT) as made:
        reading.start(lambda told: document)
    assert made.args == [document] and not reading.busy

    def fail(told):
        raise UserError("There is nothing to read; choose another folder.")

    with qtbot.waitSignal(reading.failed, timeout=WAIT) as failed:
        reading.start(fail)
    assert "nothing to read" in failed.args[0]

    inside, made_again = threading.Event(), []

    def wait(told):
        inside.set()
        while told(0, 1):
            pass
        raise Cancelled

    reading.made.connect(made_again.append)
    reading.start(wait)
    assert inside.wait(5)
    with qtbot.waitSignal(reading.ended, timeout=WAIT):
        reading.cancel()
    assert not made_again and not reading.busy
    document.close()


def test_closing_ends_the_thread(tmp_path):
    reading, inside = Reading(), threading.Event()

    def wait(told):
        inside.set()
        while told(0, 1):
            pass
        raise Cancelled

    reading.start(wait)
    assert inside.wait(5)
    assert reading.close()


def test_a_project_that_was_cancelled_late_is_closed(qtbot, tmp_path):
    reading, document = Reading(), new_document(tmp_path)
    inside, go = threading.Event(), threading.Event()

    def slow(told):
        inside.set()
        go.wait(5)
        return document

    reading.start(slow)
    assert inside.wait(5)
    reading.cancel()
    with qtbot.waitSignal(reading.ended, timeout=WAIT):
        go.set()
    qtbot.waitUntil(lambda: not reading.busy, timeout=WAIT)
    Document.open(document.path).close()  # it is locked no more
