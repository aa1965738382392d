"""Keys of a workspace that are no window-wide shortcuts: plain letters, silent in text fields."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from app.views.actions import REPEATS
from app.views.keymap import KeyMap

SAME = {Qt.Key.Key_Enter: Qt.Key.Key_Return}
OWN = {Qt.Key.Key_Return, Qt.Key.Key_Space}  # what lists and buttons do with these stays theirs


def is_symbol(key: Qt.Key) -> bool:
    """Whether a key is a sign, such as "?", for which some keyboards need Shift and others do not."""
    return Qt.Key.Key_Space.value < key.value < 0xFFFF and not chr(key.value).isalnum()


class Keys(QObject):
    """Turns key presses into actions, for a workspace and for lists that would search by letters instead."""

    def __init__(self, keys: KeyMap, scope: str, trigger: Callable[[str], object], parent: QObject) -> None:
        super().__init__(parent)
        self._map, self._scope, self._trigger = keys, scope, trigger
        keys.changed.connect(self._learn)
        self._learn()

    def _learn(self) -> None:
        self._table = self._map.table(self._scope)

    def act(self, event: QKeyEvent) -> bool:
        """Do what a key means, while it is held only what repeats; False where it means nothing here."""
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        return self.press(Qt.Key(event.key()), modifiers, event.isAutoRepeat())

    def press(
        self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier, again: bool = False
    ) -> bool:
        """Do what a key with modifiers means; False where it means nothing here. again: it is held down."""
        key, shift = SAME.get(key, key), Qt.KeyboardModifier.ShiftModifier
        name = self._table.get(modifiers.value | key.value)
        if name is None and modifiers & shift and is_symbol(key):
            name = self._table.get((modifiers & ~shift).value | key.value)
        if name is None:
            return False
        if not again or name in REPEATS:
            self._trigger(name)
        return True

    def watch(self, *widgets: QWidget) -> None:
        """Take letters from widgets that have the focus but no use for them."""
        for widget in widgets:
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Letters first; Enter and Space stay the list's own."""
        return event.type() == QEvent.Type.KeyPress and event.key() not in OWN and self.act(event)
