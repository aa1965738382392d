"""Equalised pictures made off the GUI thread: the one asked for last is the one that comes."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.services.own_thread import OwnThread
from app.services.pictures import Picture, equalised


class Equaliser(OwnThread, QObject):
    """made(asked, equalised): two Pictures."""

    made = Signal(object, object)

    _thread_name = "equalising"

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._prepare_thread()
        self._wanted: Picture | None = None

    def ask(self, picture: Picture | None) -> None:
        """Ask for a picture in place of what was asked before; None takes that back."""
        with self._ready:
            self._wanted = picture
        if picture is not None:
            self._wake()

    def _next(self) -> Picture | None:
        picture, self._wanted = self._wanted, None
        return picture

    def _work(self, picture: Picture) -> None:
        found = equalised(picture)
        if not self._closed:
            self.made.emit(picture, found)
