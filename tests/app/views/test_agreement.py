"""Agreement in the window: from the menu to the figures, beside labels and a model, and from a picture to Label."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QWidget

from app.plugins import load_plugins
from app.project.document import Document
from app.project.edits import Accept, PutInstance
from app.services.agreeing import measured_sigmas
from app.views.agreement.desk import Agreeing
from app.views.agreement.page import AgreementPage
from engine.modelfile import write_model
from tests.app.views.bench import SCHEMA, moved_project
from tests.app.views.small import small_model
from tests.app.views.window_bench import bare_context, close_context


@pytest.fixture
def desk(qtbot, tmp_path: Path) -> Iterator[Agreeing]:
    load_plugins()
    context, window = bare_context(), QWidget()
    qtbot.addWidget(window)
    context.set_document(Document.open(moved_project(tmp_path / "one", 0)))
    made = Agreeing(context, window)
    made.ask()
    yield made
    made.reading.close()
    close_context(context)


def ended(qtbot, desk: Agreeing) -> AgreementPage:
    qtbot.waitUntil(lambda: not desk.reading.busy, timeout=10_000)
    return desk.page


def test_the_open_project_is_compared_with_another_one(qtbot, tmp_path: Path, desk: Agreeing) -> None:
    other, shown, pointed = moved_project(tmp_path / "two", 3), [], []
    desk.shown.connect(shown.append)
    desk.context.pointed.connect(lambda *told: pointed.append(told))
    desk.compare_labels(other)
    page = ended(qtbot, desk)
    row = page.landmarks.topLevelItem(0)
    assert page.landmarks.topLevelItemCount() == len(SCHEMA) and page.worst.count() == 2
    assert "the labels here are a model's, the labels there are a model's" in page.said.text()
    assert row.text(0) == SCHEMA.landmarks[0] and row.text(1) == "2" and row.text(2).replace(",", ".") == "3.00"
    page.worst.itemActivated.emit(page.worst.item(1))
    (image, points, landmark), document = pointed[0], desk.context.document
    (instance,) = document.instances(image)
    assert shown == ["label"] and (instance.points == points).all() and 0 <= landmark < len(SCHEMA)


def test_measured_sigmas_become_the_schemas_and_go_again(qtbot, tmp_path: Path, desk: Agreeing) -> None:
    desk.compare_labels(moved_project(tmp_path / "two", 3))
    page, document = ended(qtbot, desk), desk.context.document
    before, told = document.schema, measured_sigmas(page.agreed, document.schema)
    assert page.sigmas.isVisibleTo(page) and len(told) == len(SCHEMA)
    page.sigmas.click()
    assert document.schema.sigmas == told and desk.page is page  # the same landmarks: its figures still hold
    document.undo()
    assert document.schema == before
    page.export_file(str(tmp_path / "a.csv"))
    lines = (tmp_path / "a.csv").read_text("utf-8").splitlines()
    assert lines[0].startswith("landmark,n,pixels") and lines[1].startswith(f"{SCHEMA.landmarks[0]},2,3.0")


def test_a_model_beside_the_accepted_labels(qtbot, tmp_path: Path, desk: Agreeing) -> None:
    write_model(tmp_path / "m.hourbit", small_model(SCHEMA))
    entry, document = desk.context.library.import_file(tmp_path / "m.hourbit"), desk.context.document
    desk.page.reject()
    desk.page = None
    desk.ask()
    at = desk.page.other.findText(f"Model: {entry.title}")
    assert at > 0
    desk.page.other.setCurrentIndex(at)
    desk.page.start.click()
    page = ended(qtbot, desk)
    assert page.agreed is None and "accepted" in page.banner.text.text()
    document.apply(Accept(document.images()[0].id))
    page.start.click()
    page = ended(qtbot, desk)
    assert page.agreed.figures["against_model"] and page.agreed.figures["instances"] == 1
    assert not page.sigmas.isVisibleTo(page) and page.export.isVisibleTo(page)


def test_what_goes_wrong_is_said_where_the_work_is(qtbot, tmp_path: Path, desk: Agreeing) -> None:
    (tmp_path / "notes.txt").write_text("no labels", "utf-8")
    desk.compare_labels(tmp_path / "notes.txt")
    page = ended(qtbot, desk)
    assert "notes.txt" in page.banner.text.text() and page.start.isEnabled()
    desk.context.set_document(None)
    assert desk.page is None


def test_a_copy_without_labels_is_made_labelled_and_compared(qtbot, tmp_path: Path, desk: Agreeing) -> None:
    document = desk.context.document
    place = document.path.with_name("Second.hourbit-project")
    desk.copy_for_another(str(place))
    page = desk.page
    assert page.banner.isVisibleTo(page) and page.other.currentText() == "Project: Second"
    copy = Document.open(place)
    assert [i.path for i in copy.images()] == [str(document.picture_path(i)) for i in document.images()]
    assert {i.state.value for i in copy.images()} == {"new"} and copy.schema == document.schema
    assert not any(copy.instances(i.id) for i in copy.images())
    page.start.click()  # nothing in it yet: said, not shown
    ended(qtbot, desk)
    assert page.agreed is None and "no labels" in page.banner.text.text()
    for mine, theirs in zip(document.images(), copy.images(), strict=True):
        for instance in document.instances(mine.id):
            copy.apply(PutInstance(replace(instance, id=0, image=theirs.id, points=instance.points + 2.0)))
    copy.close()
    page.start.click()
    ended(qtbot, desk)
    assert page.agreed.figures["pixels"] == pytest.approx(2 * 2**0.5)
    desk.copy_for_another(str(place))
    assert "Second" in page.banner.text.text() and Document.open(place).close() is None  # what is there stays


def test_two_people_of_one_project_are_compared(qtbot, desk: Agreeing) -> None:
    document, page = desk.context.document, desk.page
    page.other.setCurrentIndex(page.other.findText("People who labelled in this project"))
    page.start.click()
    ended(qtbot, desk)
    assert page.agreed is None and "two people" in page.banner.text.text()
    document.annotator = "Ben"
    for image in document.images():
        for instance in document.instances(image.id):
            document.apply(PutInstance(replace(instance, annotator="Anna & co")))
            document.apply(PutInstance(replace(instance, id=0, annotator="", points=instance.points + [3.0, 0.0])))
        document.apply(Accept(image.id))
    found = {i.annotator for image in document.images() for i in document.instances(image.id)}
    assert found == {"Anna & co", "Ben"}
    page.start.click()
    ended(qtbot, desk)
    assert page.agreed.people == ("Anna & co", "Ben") and page.agreed.figures["pixels"] == pytest.approx(3.0)
    assert "Anna &amp; co" in page.legend.text() and "Ben" in page.said.text()
