"""What is wrong with the picture on screen, told with what helps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from app.project.edits import Refit
from app.project.values import Image
from app.services.pictures import Picture
from app.views.words import told

AGAIN_MS = 3000  # between two looks for a missing picture

if TYPE_CHECKING:
    from app.views.label.workspace import LabelWorkspace


class Troubles(QObject):
    """Shows the workspace's banner. A missing picture is a state that passes: nothing of it is stored."""

    def __init__(self, workspace: LabelWorkspace) -> None:
        super().__init__(workspace)
        self._workspace, self._browsing, self._banner = workspace, workspace.browsing, workspace.banner
        self._withheld = False  # labels that belong to a picture of another size wait for an answer
        self._away = False  # the picture on screen is missing, its disk perhaps only away
        self._again = QTimer(self, singleShot=True, interval=AGAIN_MS)
        self._again.timeout.connect(self._look_again)
        browsing = self._browsing
        browsing.picture_loaded.connect(self._loaded)
        browsing.picture_failed.connect(self._failed)
        browsing.picture_failed.connect(lambda _: self._workspace.canvas.await_picture(False))
        browsing.picture_missing.connect(lambda _: self._workspace.canvas.await_picture(False))
        browsing.picture_missing.connect(self._missing)
        browsing.size_differs.connect(self._size_differs)

    def clear(self) -> None:
        """Another picture comes on screen."""
        self._away = False
        self._again.stop()
        self._banner.dismiss()
        self._show_labels()
        document, current = self._browsing.document, self._browsing.current
        if document is not None and current is not None and document.is_hurt(current):
            sentence = self.tr("A label of this picture is damaged and is left as it is; a backup may have it.")
            self._warn(sentence, self.tr("Backups\u2026"), lambda: self._workspace.wanted.emit("backups"))

    def _warn(self, sentence: str, button: str = "", remedy: Callable[[], object] | None = None) -> None:
        self._banner.show_message("warning", sentence, button, remedy)

    def _failed(self, sentence: str) -> None:
        self._banner.show_message("error", told(sentence), self.tr("Look again"), self._browsing.look_again)

    def _missing(self, sentence: str) -> None:
        if not self._again.isActive() and not self._away:
            self._warn(told(sentence), self.tr("Find it\u2026"), lambda: self._workspace.wanted.emit("locate"))
        self._away = True
        self._again.start()

    def _look_again(self) -> None:
        if self._away and self._browsing.current is not None:
            self._browsing.load()

    def _back(self) -> None:
        """A disk that was away is there again: go on with what waited for it."""
        self._away = False
        self._banner.dismiss()
        self._browsing.guesses.ask()
        self._browsing.predict_all()

    def _loaded(self, picture: Picture) -> None:
        if self._away:
            self._back()
        if self._withheld:  # whether it is the right picture by now, is seen below
            self._banner.dismiss()
            self._show_labels()
        if picture.damage:
            words = self.tr("{0} What there is of it is shown; it stays out of training.")
            self._warn(words.format(told(picture.damage)), self.tr("Look again"), self._browsing.look_again)
        image = self._browsing.editing.image
        if picture.size == (image.width, image.height) and len(image.digest) == len(picture.digest):
            self._compare(image, picture)

    def _compare(self, image: Image, picture: Picture) -> None:
        """A file that holds other bytes than when it was labelled may show somebody else."""
        if image.digest == picture.digest:
            return
        if not self._browsing.document.instances(image.id):
            self._fit(*picture.size)
            return
        self._withhold()
        sentence = self.tr("The file holds another picture than the one that was labelled: put the old one back or")
        self._warn(sentence, self.tr("Keep the labels"), lambda: self._fit(*picture.size))

    def _withhold(self) -> None:
        self._withheld = True
        self._browsing.editing.set_unseen(True)  # what is on screen is not what was labelled
        self._workspace.canvas.show_labels(False)

    def _size_differs(self, width: int, height: int) -> None:
        """Labels of a picture that had another size are not shown before somebody says what they belong to."""
        image, document = self._browsing.editing.image, self._browsing.document
        if not document.instances(image.id):
            self._fit(width, height)  # nothing to lose
            return
        self._withhold()
        text = self.tr("The picture is {0} \u00d7 {1}, its labels were made at {2} \u00d7 {3}: put the old one back or")
        sentence = text.format(width, height, image.width, image.height)
        self._warn(sentence, self.tr("Fit the labels"), lambda: self._fit(width, height))

    def _fit(self, width: int, height: int) -> None:
        image, picture = self._browsing.editing.image, self._browsing.picture
        if image is None or picture is None:
            return
        if self._browsing.editing.apply(Refit(image.id, width, height, picture.digest)) is not None:
            self._show_labels()

    def _show_labels(self) -> None:
        if self._withheld:
            self._withheld = False
            self._browsing.editing.set_unseen(False)
            self._workspace.canvas.show_labels(self._workspace.tools.switches["labels"].isChecked())
