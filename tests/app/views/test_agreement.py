"""Agreement in the window: from the menu to the two tables."""

from __future__ import annotations

from app.plugins import load_plugins
from app.project.document import Document
from app.views.agreement_page import Agreeing
from tests.app.views.bench import SCHEMA, moved_project
from tests.app.views.window_bench import bare_context, close_context


def test_the_open_project_is_compared_with_another_one(qtbot, tmp_path):
    from PySide6.QtWidgets import QWidget

    load_plugins()
    one, other = moved_project(tmp_path / "one", 0), moved_project(tmp_path / "two", 3)
    context, window = bare_context(), QWidget()
    qtbot.addWidget(window)
    context.set_document(Document.open(one))
    agreeing, said = Agreeing(context, window), []
    agreeing.failed.connect(said.append)
    agreeing.ask(other)
    qtbot.waitUntil(lambda: agreeing.page is not None or bool(said), timeout=10_000)
    page = agreeing.page
    assert not said
    assert page.landmarks.topLevelItemCount() == len(SCHEMA) and page.worst.topLevelItemCount() == 2
    row = page.landmarks.topLevelItem(0)
    assert row.text(0) == SCHEMA.landmarks[0] and row.text(1) == "2" and row.text(2).replace(",", ".") == "3.00"
    page.reject()
    qtbot.waitUntil(lambda: not agreeing.reading.busy, timeout=10_000)
    (tmp_path / "notes.txt").write_text("no labels", "utf-8")
    agreeing.ask(tmp_path / "notes.txt")
    qtbot.waitUntil(lambda: bool(said), timeout=10_000)
    assert "notes.txt" in said[0]
    agreeing.reading.close()
    close_context(context)
