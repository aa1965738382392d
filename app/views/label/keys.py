"""Keys of the Label workspace that are no window-wide shortcuts: plain letters, silent in text fields."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QWidget

from app.views.actions import ACTIONS

SAME = {Qt.Key.Key_Enter: Qt.Key.Key_Return}
OWN = {Qt.Key.Key_Return, Qt.Key.Key_Space}  # what lists and buttons do with these stays theirs


def key_table() -> dict[int, str]:
    """Key with modifiers -> action, of this workspace's actions that Qt does not dispatch itself."""
    found = {}
    for spec in ACTIONS:
        if spec.scope == "label" and not spec.shortcut:
            for keys in spec.keys:
                found[QKeySequence(keys)[0].toCombined()] = spec.name
    return found


class Keys(QObject):
    """Turns key presses into actions, for the workspace and for lists that would search by letters instead."""

    def __init__(self, trigger: Callable[[str], object], parent: QObject) -> None:
        super().__init__(parent)
        self._trigger = trigger
        self._table = key_table()

    def act(self, event: QKeyEvent) -> bool:
        """Do what a key means; False where it means nothing here."""
        key = SAME.get(Qt.Key(event.key()), Qt.Key(event.key()))
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        name = self._table.get(modifiers.value | key.value)
        if name is None:
            return False
        self._trigger(name)
        return True

    def watch(self, *widgets: QWidget) -> None:
        """Take letters from widgets that have the focus but no use for them."""
        for widget in widgets:
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Letters first; Enter and Space stay the list's own."""
        return event.type() == QEvent.Type.KeyPress and event.key() not in OWN and self.act(event)
