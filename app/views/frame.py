"""The window's frame: menu line, rail and status line (layout.md 0)."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenuBar,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.views.actions import BY_NAME, title
from app.views.keymap import KeyMap, KeyTip
from app.views.theme import icon, icon_picture, theme
from app.views.tokens import MENU_BAR, STATUS_BAR
from app.views.weights import weighted
from app.views.widgets import ElidedLabel, key_cap
from app.views.words import told

RAIL, RAIL_BUTTON = 64, 60
SAID_MS = 8000
WORKSPACES = ("live", "label", "models")


class MenuLine(QWidget):
    """Mark, menus, the project's name in the middle, and the field that opens the command palette."""

    def __init__(self, keys: KeyMap, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keys = keys
        self.setProperty("chrome", True)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.mark, self.menus, self.name = QLabel(), QMenuBar(self), ElidedLabel()
        self.mark.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.name.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.name.setProperty("heading", True)
        self.command = QPushButton(self.tr("Find a command"))
        self.command.setProperty("command", True)
        self.command.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.command.setAccessibleName(self.tr("Find a command"))
        inside = QHBoxLayout(self.command)
        inside.setContentsMargins(0, 0, 6, 0)
        inside.addStretch(1)
        self.cap = key_cap("")
        self.cap.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        inside.addWidget(self.cap)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 12, 0)
        row.setSpacing(0)
        row.addWidget(self.mark)
        row.addWidget(self.menus, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.name, 1)
        row.addWidget(self.command)
        theme().changed.connect(self._dress)
        keys.changed.connect(self._dress)
        self._dress()

    def _dress(self) -> None:
        self.cap.setText(self._keys.cap("palette"))
        self.cap.setVisible(bool(self.cap.text()))
        self.mark.setPixmap(icon_picture("timer-sand-empty", 20, "accent"))
        self.command.setIcon(icon("magnify", 16))
        self.mark.setFixedWidth(theme().room(RAIL))
        self.setFixedHeight(theme().size(MENU_BAR))
        self.command.setFixedSize(theme().size(236), theme().size(26))
        self.cap.setFixedHeight(theme().size(16))


class RailButton(QToolButton):
    """A workspace: icon, word, an accent bar at the left when it shows, a dot when something goes on in it."""

    def __init__(self, keys: KeyMap, name: str) -> None:
        super().__init__()
        self._spec = BY_NAME[name]
        self._dot = ""
        self.setProperty("rail", True)
        KeyTip(self, keys, name)
        self.setAccessibleName(title(self._spec))
        self._fit()
        theme().changed.connect(self._fit)

    def sizeHint(self) -> QSize:
        """As wide as the rail."""
        return QSize(theme().room(RAIL), theme().room(RAIL_BUTTON))

    def _fit(self) -> None:
        self.setFixedSize(self.sizeHint())
        self.updateGeometry()
        self.update()

    def set_dot(self, token: str) -> None:
        """A dot in a token's colour, or "" for none."""
        if token != self._dot:
            self._dot = token
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Painted by hand: the style sheet has no way to put the word this near to the icon."""
        painter, colours = QPainter(self), theme().color
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.underMouse() or self.isDown():
            painter.fillRect(self.rect(), colours("hover"))
        if self.isChecked():
            painter.fillRect(0, 0, 3, self.height(), colours("accent"))
        if self.hasFocus():
            painter.setPen(QPen(colours("focus"), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(4, 2, -4, -2), 5, 5)
        role = "text" if self.isChecked() else "muted"
        side = min(theme().tall(22), theme().room(22))
        icon(self._spec.icon, 22, role).paint(painter, (self.width() - side) // 2, theme().room(33) - side, side, side)
        font = weighted(self.font(), 500) if self.isChecked() else QFont(self.font())
        font.setPixelSize(theme().size(11))
        while QFontMetrics(font).horizontalAdvance(title(self._spec)) > self.width() - 4 and font.pixelSize() > 9:
            font.setPixelSize(font.pixelSize() - 1)
        painter.setFont(font)
        painter.setPen(colours(role))
        line = QRectF(0, theme().room(35), self.width(), theme().size(18))
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, title(self._spec))
        if self._dot:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colours(self._dot))
            painter.drawEllipse(self.width() // 2 + 11, 8, 6, 6)
        painter.end()


class Rail(QWidget):
    """The three workspaces, and settings at the bottom."""

    chosen = Signal(str)

    def __init__(self, keys: KeyMap, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("chrome", True)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(theme().room(RAIL))
        self.buttons = {name: RailButton(keys, name) for name in (*WORKSPACES, "settings")}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for name, button in self.buttons.items():
            button.setCheckable(name in WORKSPACES)
            button.clicked.connect(lambda _=False, n=name: self.chosen.emit(n))
            if name == "settings":
                column.addStretch(1)
            column.addWidget(button)
        theme().changed.connect(self._fit)

    def _fit(self) -> None:
        self.setFixedWidth(theme().room(RAIL))

    def show_current(self, name: str) -> None:
        """Check the workspace that shows; "" for none."""
        for key in WORKSPACES:
            self.buttons[key].setChecked(key == name)


class Work(QWidget):
    """One piece of long work: what it is, a bar, the time left, and a cross where it can be cancelled."""

    def __init__(self, cancel: Callable[[], object] | None) -> None:
        super().__init__()
        self.text, self.bar, self.left = QLabel(), QProgressBar(), QLabel()
        self.bar.setFixedWidth(96)
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for widget in (self.text, self.bar, self.left):
            row.addWidget(widget)
        self.left.hide()
        if cancel is not None:
            self.cross = QToolButton()
            self.cross.setProperty("small", True)
            self.cross.setToolTip(self.tr("Cancel"))
            self.cross.setAccessibleName(self.tr("Cancel"))
            self.cross.clicked.connect(cancel)
            row.addWidget(self.cross)
            theme().changed.connect(self._dress)
            self._dress()

    def _dress(self) -> None:
        self.cross.setIcon(icon("close", 14))

    def show_state(self, text: str, done: float, left: str) -> None:
        """Words, share done 0..1, time left."""
        self.text.setText(text)
        self.bar.setValue(round(1000 * done))
        self.left.setText(left)
        self.left.setVisible(bool(left))


class StatusLine(QWidget):
    """Saved state and facts at the left, long work or a legend at the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("status")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.sign, self.saved, self.facts, self.right = QLabel(), QLabel(), ElidedLabel(), ElidedLabel()
        self.said, self.undo = QLabel(), QPushButton(self.tr("Undo"))
        self.undo.setProperty("link", True)
        self._undo: Callable[[], object] | None = None
        self.undo.clicked.connect(self._take_back)
        self._quiet = QTimer(self)
        self._quiet.setSingleShot(True)
        self._quiet.setInterval(SAID_MS)
        self._quiet.timeout.connect(self.unsay)
        self.works: dict[str, Work] = {}
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(8)
        row.addWidget(self.sign)
        row.addWidget(self.saved)
        row.addSpacing(8)
        row.addWidget(self.facts, 1000)
        row.addWidget(self.said)
        row.addWidget(self.undo)
        row.addStretch(1)
        self.right.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        row.addWidget(self.right)
        self.unsay()
        self._ok, self._open = True, False
        theme().changed.connect(self._dress)
        self.set_saved(True, False)

    def set_saved(self, ok: bool, project: bool, read_only: bool = False) -> None:
        """Whether every edit is on the disk; without a project, or in one to read, there is nothing to save."""
        self._ok, self._open = ok, project
        words = self.tr("All edits saved") if ok else self.tr("Not saved: the disk refused the last edit")
        words = self.tr("Open to read") if read_only else words
        self.saved.setText(words if project else self.tr("No project open"))
        self._dress()

    def say(self, sentence: str, undo: Callable[[], object] | None = None) -> None:
        """A line in place of the facts for a while, with a way back where there is one."""
        self._undo = undo
        self.said.setText(told(sentence))
        self.facts.hide()
        self.said.show()
        self.undo.setVisible(undo is not None)
        self._quiet.start()

    def unsay(self) -> None:
        """The facts again."""
        self._quiet.stop()
        self.said.hide()
        self.undo.hide()
        self.facts.show()

    def _take_back(self) -> None:
        undo, self._undo = self._undo, None
        self.unsay()
        if undo is not None:
            undo()

    def set_work(
        self, name: str, text: str, done: float = 0.0, left: str = "", cancel: Callable[[], object] | None = None
    ) -> None:
        """Long work that runs, or text "" when it has ended; it takes the legend's place."""
        if not text:
            ended = self.works.pop(name, None)
            if ended is not None:
                ended.hide()
                ended.deleteLater()
        else:
            if name not in self.works:
                self.works[name] = Work(cancel)
                self._row.addWidget(self.works[name])
            self.works[name].show_state(text, done, left)
        self.right.setVisible(not self.works)

    def _dress(self) -> None:
        self.setFixedHeight(theme().size(STATUS_BAR))
        name, role = ("check", "success") if self._ok else ("alert-circle-outline", "error")
        self.sign.setVisible(self._open)
        self.sign.setPixmap(icon_picture(name, 14, role))
