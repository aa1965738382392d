"""Garbage ends in the window's thread, whoever makes it."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.services import garbage


@pytest.fixture
def owner(qapp) -> Iterator[QObject]:
    held = QObject()
    timer = garbage.keep_to_this_thread(held)
    yield held
    timer.stop()


class Circle(QWidget):
    """A widget that only a collection of garbage can end."""

    def __init__(self, ended: list[threading.Thread]) -> None:
        super().__init__()
        self.me, self.ended = self, ended

    def __del__(self) -> None:
        self.ended.append(threading.current_thread())


def allocate() -> None:
    """Far more than makes Python collect in the thread that does this."""
    kept = [{"number": [number]} for number in range(50_000)]
    assert len(kept) == 50_000


def test_another_thread_never_ends_a_widget(qtbot, owner):
    ended: list[threading.Thread] = []
    Circle(ended)
    worker = threading.Thread(target=allocate)
    worker.start()
    worker.join()
    assert ended == []
    gc.collect()
    assert ended == [threading.main_thread()]


def test_the_timer_collects(qtbot, owner, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(garbage, "EVERY_MS", 10)
    timer = garbage.keep_to_this_thread(owner)
    ended: list[threading.Thread] = []
    Circle(ended)
    allocated: list[list[int]] = []

    def ended_by_now() -> bool:
        allocated.extend([number] for number in range(800))  # again and again: what others free is taken off the count
        return bool(ended)

    qtbot.waitUntil(ended_by_now, timeout=10_000)
    assert ended == [threading.main_thread()]
    timer.stop()


def test_little_is_not_collected(qapp, owner):
    gc.collect()
    ended: list[threading.Thread] = []
    Circle(ended)
    garbage.collect()
    assert ended == []
    gc.collect()
    assert len(ended) == 1
