"""Which image of which project a draft belongs to, and which of the programs that run."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.project.document import Document
from app.services import drafts as drafts_module
from app.services import keep
from app.services.drafts import Drafts
from tests.app.small import small_model
from tests.app.views import drafts_bench, live_bench
from tests.app.views.drafts_bench import closed, corrected, files, next_start, work_in

run, live_context, workspace = live_bench.run, live_bench.live_context, live_bench.workspace
another = drafts_bench.another


@pytest.mark.parametrize("opened", ["before", "after"])
def test_what_was_added_and_corrected_further_changes_its_image(
    opened: str, workspace, qtbot, live_context, tmp_path
) -> None:
    """At the next start too, whether the project is open when Live shows or opened then."""
    document = Document.create(tmp_path / "a.hourbit-project", small_model(5).schema, "A")
    work_in(workspace, live_context, document)
    run(workspace, qtbot)
    corrected(workspace, qtbot)
    workspace.trigger("add_to_project")
    QTest.keyClick(workspace.view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    points = workspace.view.points()[0].copy()
    closed(workspace)
    if opened == "after":
        live_context.set_document(None)
    again = next_start(live_context, qtbot)
    if opened == "after":
        live_context.set_document(document)
    assert again.view.frozen.image and not again.view.frozen.added
    again.trigger("add_to_project")
    (image,) = document.images()
    np.testing.assert_array_equal(document.instances(image.id)[0].points, points)
    assert files(again) == []
    again.trigger("undo")  # the second adding, and it can be added anew
    assert len(document.images()) == 1 and not again.view.frozen.added
    again.trigger("add_to_project")
    assert len(document.images()) == 1 and again.view.frozen.added


def test_an_image_of_another_project_is_not_changed(workspace, qtbot, live_context, tmp_path, monkeypatch) -> None:
    """Though its id, and the picture itself, may be the same: what was added at another time is another's."""

    class Later(datetime):
        @classmethod
        def now(cls, tz=None) -> datetime:
            return datetime(2031, 1, 1)

    one, other = (
        Document.create(tmp_path / f"{name}.hourbit-project", small_model(5).schema, name) for name in ("a", "b")
    )
    work_in(workspace, live_context, other)
    run(workspace, qtbot)
    corrected(workspace, qtbot)
    workspace.trigger("add_to_project")
    stays = other.instances(other.images()[0].id)
    work_in(workspace, live_context, one)
    run(workspace, qtbot)
    monkeypatch.setattr(keep, "datetime", Later)
    corrected(workspace, qtbot)
    workspace.trigger("add_to_project")
    QTest.keyClick(workspace.view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    closed(workspace)
    assert one.images()[0].id == other.images()[0].id
    live_context.set_document(other)
    again = next_start(live_context, qtbot)
    again.trigger("add_to_project")
    assert len(other.images()) == 2 and other.instances(other.images()[0].id) == stays
    one.close()


def test_a_draft_that_is_in_the_project_as_it_stands_is_offered_no_more(
    workspace, qtbot, live_context, tmp_path
) -> None:
    """As where the program ended between the adding and the removing of the draft."""
    work_in(workspace, live_context, Document.create(tmp_path / "a.hourbit-project", small_model(5).schema, "A"))
    run(workspace, qtbot)
    corrected(workspace, qtbot)
    workspace.trigger("add_to_project")
    closed(workspace)
    workspace.freezing.drafts.write(workspace.view.frozen.draft)
    again = next_start(live_context, qtbot)
    assert again.view.frozen is None and files(again) == []


def test_another_running_program_keeps_its_drafts(workspace, another, qtbot, monkeypatch) -> None:
    """The second neither shows nor removes them; when the first has ended, they are had back."""
    run(workspace, qtbot)
    points = corrected(workspace, qtbot)
    workspace.freezing.keep()
    (first,) = files(workspace)
    monkeypatch.setattr(drafts_module, "OWNER", "0123abcd")
    another.activate()
    assert another.view.frozen is None and not another.freezing._gone
    run(another, qtbot)
    corrected(another, qtbot)
    another.freezing.keep()
    assert len(files(another)) == 2
    another.trigger("freeze")
    assert files(another) == [first]
    workspace.freezing.drafts._lock.unlock()  # as the system does for a program that has ended
    (draft,) = another.freezing.drafts.read()
    np.testing.assert_array_equal(draft.instances[0].points, points)
    (taken,) = files(another)
    assert taken.stem.endswith("0123abcd")
    another.freezing.drafts.remove(draft)
    assert files(another) == []


def test_the_lock_of_a_program_that_crashed_holds_nothing_back(tmp_path: Path, workspace, qtbot) -> None:
    run(workspace, qtbot)
    corrected(workspace, qtbot)
    drafts, whole = Drafts(tmp_path), workspace.view.frozen.draft
    drafts.write(whole)
    crash = (
        "import os, sys; from PySide6.QtCore import QLockFile\n"
        "lock = QLockFile(sys.argv[1]); os._exit(3 if lock.tryLock(0) else 1)"
    )
    lock = tmp_path / "89abcdef.lock"
    assert subprocess.run([sys.executable, "-c", crash, str(lock)], timeout=120).returncode == 3 and lock.exists()
    (tmp_path / whole.name).rename(tmp_path / "2026-01-01 00.00.00.000000 89abcdef.draft")
    assert [draft.moment for draft in drafts.read()] == [whole.moment]
    assert not lock.exists() and [path.name for path in tmp_path.glob("*.draft")] == [whole.name]
