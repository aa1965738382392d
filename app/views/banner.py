"""The banner: what went wrong, over the top edge of the region where it did."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QWidget,
)

from app.views.theme import icon, icon_picture, theme
from app.views.words import told

HEIGHT = 40
ICONS = {"error": "alert-circle-outline", "warning": "alert-outline", "success": "check-circle-outline"}
MOVES = frozenset({QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show, QEvent.Type.Hide})


class Banner(QFrame):
    """One sentence over the top edge of the region where something went wrong, with a remedy.

    Over a stack, where the page on screen has a `banner` of its own: in that one's region, below it while it shows.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._kind = "error"
        self._remedy: Callable[[], object] | None = None
        self.sign, self.text = QLabel(), QLabel()
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setWordWrap(True)
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.button, self.cross = QPushButton(), QToolButton()
        self.button.setProperty("flat", True)
        self.cross.setToolTip(self.tr("Close"))
        self.cross.setAccessibleName(self.tr("Close"))
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 8, 0)
        row.setSpacing(8)
        row.addWidget(self.sign)
        row.addWidget(self.text, 1)
        row.addWidget(self.button)
        row.addWidget(self.cross)
        self.button.clicked.connect(self._mend)
        self.cross.clicked.connect(self.dismiss)
        parent.installEventFilter(self)
        if isinstance(parent, QStackedWidget):
            parent.currentChanged.connect(self._follow)
        self._other: Banner | None = None
        theme().changed.connect(self._dress)
        self.hide()

    def show_message(
        self, kind: str, sentence: str, button: str = "", remedy: Callable[[], object] | None = None
    ) -> None:
        """Show a sentence in the user's language; kind: error, warning or success; `remedy`: what the button does."""
        self._kind, self._remedy = kind, remedy
        sentence = told(sentence)
        self.text.setText(sentence)
        self.text.setToolTip(sentence)
        self.button.setText(button)
        self.button.setVisible(bool(button))
        self._dress()
        self._place()
        self.show()
        self.raise_()

    def dismiss(self) -> None:
        """Take the sentence away."""
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep to the top edge of the region."""
        if event.type() in MOVES:
            self._place()
        return False

    def _follow(self) -> None:
        """Another page is on screen: it would lie over the banner, and may have a region for it."""
        other = getattr(self.parentWidget().currentWidget(), "banner", None)
        if other is not self._other:
            for part in (self._other, self._other and self._other.parentWidget()):
                if part is not None:
                    part.removeEventFilter(self)
            self._other = other
            for part in (other, other and other.parentWidget()):
                if part is not None:
                    part.installEventFilter(self)
        self._place()
        self.raise_()

    def _mend(self) -> None:
        self.dismiss()
        if self._remedy is not None:
            self._remedy()

    def _place(self) -> None:
        region, top = self.parentWidget(), 0
        if self._other is not None:
            region = self._other.parentWidget()
            top = self._other.height() if self._other.isVisible() else 0
        at = region.mapTo(self.parentWidget(), QPoint(0, top))
        # A long sentence in a narrow region takes more lines: none of its words may be cut off.
        high = max(theme().tall(HEIGHT), self.layout().totalHeightForWidth(region.width()))
        self.setGeometry(at.x(), at.y(), region.width(), high)

    def _dress(self) -> None:
        self.setProperty("banner", self._kind)
        self.style().unpolish(self)
        self.style().polish(self)
        self.sign.setPixmap(icon_picture(ICONS[self._kind], 18, self._kind))
        self.cross.setIcon(icon("close", 18))
