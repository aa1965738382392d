"""A button that shows its key as a cap beside its text."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton, QStyle, QStyleOptionButton, QStylePainter, QToolButton, QWidget

from app.views import theme
from app.views.keymap import KeyMap
from app.views.weights import weighted

CAP_HEIGHT = 18
CAP_PADDING = 6
EDGE = 10  # from the cap to the button's right edge


class KeyButton(QPushButton):
    """A button of the theme; `primary` is set with `set_face`."""

    def __init__(self, text: str, keys: KeyMap, action: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._keys, self._action = keys, action
        self._key = keys.cap(action)
        keys.changed.connect(self._learn)
        self._capped = True
        self._faces: tuple[str, ...] = ()
        theme.grow(self, icon=18)
        self.setAccessibleName(text)

    def set_face(self, text: str, name: str, primary: bool) -> None:
        """Change text, icon and weight."""
        self.setText(text)
        self.setAccessibleName(text)
        if self.property("primary") != primary:
            self.setProperty("primary", primary)
            self.style().unpolish(self)
            self.style().polish(self)
        self.setIcon(theme.icon(name, 18, "onaccent" if primary else "text"))

    def reserve(self, *texts: str) -> None:
        """Stay as wide as the longest of the texts that it will show, so that nothing beside it moves."""
        self._faces = texts
        self.updateGeometry()

    def _learn(self) -> None:
        self._key = self._keys.cap(self._action)
        self.set_capped(self._capped)
        self.update()

    def set_capped(self, capped: bool) -> None:
        """Show the key, or put it into the tooltip where room is short."""
        self._capped = capped
        self.setToolTip("" if capped else self._keys.tip(self._action, self.accessibleName()))
        self.updateGeometry()

    def set_worded(self, worded: bool) -> None:
        """Show the words, or leave them to the tooltip and show the icon alone."""
        self.setText(self.accessibleName() if worded else "")
        self.set_capped(self._capped and worded)

    @property
    def _cap_room(self) -> int:
        return self._cap_width + EDGE - 4 if self._capped and self._key else 0

    @property
    def _cap_font(self) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(11)
        font.setWeight(QFont.Weight.Normal)
        return font

    @property
    def _cap_width(self) -> int:
        return QFontMetrics(self._cap_font).horizontalAdvance(self._key) + 2 * CAP_PADDING

    def sizeHint(self) -> QSize:
        """Room for icon, text and cap."""
        return super().sizeHint() + QSize(self._cap_room + more_for(self, self._faces), 0)

    def minimumSizeHint(self) -> QSize:
        """Never narrower."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The theme's button with its label in what the cap leaves, then the cap."""
        painter = QStylePainter(self)
        try:
            option = QStyleOptionButton()
            self.initStyleOption(option)
            painter.drawControl(QStyle.ControlElement.CE_PushButtonBevel, option)
            whole = QRectF(option.rect)
            option.rect = option.rect.adjusted(0, 0, -self._cap_room, 0)
            painter.drawControl(QStyle.ControlElement.CE_PushButtonLabel, option)
            if not self._cap_room:
                return
            filled = bool(self.property("primary")) and self.isEnabled()
            colour = theme.theme().color("onaccent" if filled else "muted" if self.isEnabled() else "outline")
            painter.setRenderHint(QStylePainter.RenderHint.Antialiasing)
            painter.setPen(QPen(colour, 1))
            cap = QRectF(whole.right() - EDGE - self._cap_width, whole.center().y() - CAP_HEIGHT / 2,
                         self._cap_width, CAP_HEIGHT).adjusted(0.5, 0.5, -0.5, -0.5)  # fmt: skip
            painter.drawRoundedRect(cap, 3, 3)
            painter.setFont(self._cap_font)
            painter.drawText(cap, Qt.AlignmentFlag.AlignCenter, self._key)
        finally:
            painter.end()


def more_for(button: QPushButton | QToolButton, texts: Sequence[str]) -> int:
    """Pixels that a button's text lacks to the longest of `texts` in the weight of a filled button."""
    if not texts or not button.text():
        return 0
    heavy = QFontMetrics(weighted(button.font(), 600))
    return max(heavy.horizontalAdvance(text) for text in texts) - button.fontMetrics().horizontalAdvance(button.text())
