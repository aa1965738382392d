"""The picture that was on screen before: its labels to copy from, and as an onion skin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject

from app.project.values import Image
from app.services.pictures import PictureCache
from app.views.label import shapes
from app.views.label.labelled_view import LabelledView
from app.views.label.transfer import Transfer, transplanted


class LastPicture(QObject):
    """Remembers the last labelled picture. before(image id): the picture before one in the list, or None."""

    def __init__(
        self, view: LabelledView, transfer: Transfer, cache: PictureCache, before: Callable[[int], int | None]
    ) -> None:
        super().__init__(view)
        self._view, self._transfer, self._cache, self._before = view, transfer, cache, before
        self._editing = view.editing
        self._on_screen: int | None = None
        self._labelled = False
        self._last: int | None = None
        self._document: object | None = None
        self.shown = False
        self._moved()
        self._editing.image_changed.connect(self._moved)
        self._editing.changed.connect(self._heard)

    def _moved(self) -> None:
        editing = self._editing
        if editing.document is not self._document:
            self._document, self._last = editing.document, None
        elif self._labelled:
            self._last = self._on_screen
        self._on_screen = editing.image.id if editing.image else None
        self._heard()
        self.refresh()

    def _heard(self) -> None:
        self._labelled = bool(self._editing.instances)

    def image(self) -> Image | None:
        """The labelled picture that was on screen last, at the start the one before this in the list."""
        editing = self._editing
        if editing.image is None:
            return None
        for id in (self._last, self._before(editing.image.id)):
            found = shapes.find(editing.document, id)
            if found is not None and found.id != editing.image.id and editing.document.instances(found.id):
                return found
        return None

    def copy(self) -> None:
        """Copy its labels into the picture on screen."""
        self._transfer.from_image(self.image())

    def show(self, on: bool) -> None:
        """Show or hide the onion skin."""
        self.shown = on
        self.refresh()

    def fade(self, opacity: float) -> None:
        """How much of the last picture's pixels shines through, 0 to 1."""
        self._view.onion.opacity_of_picture = opacity
        self.refresh()

    def refresh(self) -> None:
        """Take over what the onion skin shows."""
        editing, onion, source = self._editing, self._view.onion, self.image()
        if not self.shown or source is None:
            onion.set_onion(())
            return
        held = editing.document.instances(source.id)
        made = tuple(transplanted(i, source, editing.image, "", inside=False) for i in held)
        picture = None
        if onion.opacity_of_picture > 0:
            picture = self._cache.peek(Path(editing.document.picture_path(source)))
        onion.set_onion(made, picture)
