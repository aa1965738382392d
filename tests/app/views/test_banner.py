"""The window's banner keeps to the region of what it lies over, and leaves tools and other banners free."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QWidget

from app.views.banner import Banner
from app.views.window import MainWindow
from tests.app.views.desk import close_window, no_camera, open_window, opened, picture_folder


@pytest.fixture
def window(qtbot, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    no_camera(monkeypatch)
    made = open_window()
    yield made
    close_window(made)


def place(widget: QWidget) -> QRect:
    """Where a widget lies in its window."""
    return QRect(widget.mapTo(widget.window(), QPoint()), widget.size())


def test_it_covers_neither_tools_nor_another_banner(qtbot, window, tmp_path):
    opened(qtbot, window, picture_folder(tmp_path))
    label = window.workspace("label")
    label.banner.dismiss()
    window.banner.show_message("warning", "Two pictures are missing.")
    assert place(window.banner).topLeft() == place(label.stack).topLeft()
    assert not place(window.banner).intersects(place(label.tools))

    label.banner.show_message("error", "This one too.")
    assert not place(window.banner).intersects(place(label.banner))
    assert not place(window.banner).intersects(place(label.tools))

    label.banner.dismiss()
    label.queue_dock.hide()
    qtbot.waitUntil(lambda: place(window.banner).topLeft() == place(label.stack).topLeft(), timeout=2000)
    assert place(window.banner).width() == label.stack.width()


def test_it_follows_to_other_pages(qtbot, window, tmp_path):
    opened(qtbot, window, picture_folder(tmp_path))
    window.banner.show_message("error", "Something is wrong.")
    window.show_page("models")
    models = window.workspace("models")
    assert place(window.banner).topLeft() == place(models.stack).topLeft()
    window.show_page("")
    assert place(window.banner).topLeft() == place(window.stack).topLeft()
    assert window.banner.isVisible()


def test_a_long_sentence_takes_more_lines_and_loses_no_word(qtbot) -> None:
    region = QWidget()
    qtbot.addWidget(region)
    region.resize(1200, 400)
    banner = Banner(region)
    region.show()
    sentence = "A camera with a long name stopped sending pictures; check that it is connected and that it has power."
    banner.show_message("error", sentence, "Reconnect", lambda: None)
    one = banner.height()
    assert one == 40
    region.resize(420, 400)
    qtbot.waitUntil(lambda: banner.height() > one)
    text = banner.text
    needed = text.fontMetrics().boundingRect(0, 0, text.width(), 1000, int(Qt.TextFlag.TextWordWrap), sentence)
    assert needed.height() <= text.height() and banner.width() == region.width()
