"""The window's frame: menu line, rail and status line (layout.md 0)."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenuBar,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.views.actions import BY_NAME, title, tooltip
from app.views.theme import icon, theme
from app.views.tokens import MENU_BAR, STATUS_BAR
from app.views.widgets import ElidedLabel, key_cap

RAIL = 64
WORKSPACES = ("live", "label", "models")


class MenuLine(QWidget):
    """Mark, menus, the project's name in the middle, and the field that opens the command palette."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("chrome", True)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(MENU_BAR)
        self.mark, self.menus, self.name = QLabel(), QMenuBar(self), ElidedLabel()
        self.mark.setFixedWidth(RAIL)
        self.mark.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.name.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.name.setProperty("heading", True)
        self.command = QPushButton(self.tr("Find a command"))
        self.command.setProperty("command", True)
        self.command.setFixedSize(236, 26)
        self.command.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.command.setAccessibleName(self.tr("Find a command"))
        inside = QHBoxLayout(self.command)
        inside.setContentsMargins(0, 0, 6, 0)
        inside.addStretch(1)
        cap = key_cap("Ctrl+Shift+P")
        cap.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        cap.setFixedHeight(16)
        inside.addWidget(cap)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 12, 0)
        row.setSpacing(0)
        row.addWidget(self.mark)
        row.addWidget(self.menus)
        row.addWidget(self.name, 1)
        row.addWidget(self.command)
        theme().changed.connect(self._dress)
        self._dress()

    def _dress(self) -> None:
        self.mark.setPixmap(icon("timer-sand-empty", 20, "accent").pixmap(20, 20))
        self.command.setIcon(icon("magnify", 16))


class Rail(QWidget):
    """The three workspaces, and settings at the bottom."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("chrome", True)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(RAIL)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 8)
        column.setSpacing(0)
        self.buttons = {name: self._button(name) for name in WORKSPACES}
        for name in WORKSPACES:
            self.buttons[name].setCheckable(True)
            column.addWidget(self.buttons[name])
        column.addStretch(1)
        self.buttons["settings"] = self._button("settings")
        column.addWidget(self.buttons["settings"])
        theme().changed.connect(self._dress)
        self._dress()

    def _button(self, name: str) -> QToolButton:
        spec, button = BY_NAME[name], QToolButton()
        button.setProperty("rail", True)
        button.setText(title(spec))
        button.setToolTip(tooltip(spec))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.setIconSize(QSize(22, 22))
        button.clicked.connect(lambda: self.chosen.emit(name))
        return button

    def show_current(self, name: str) -> None:
        """Check the workspace that shows; "" for none."""
        for key in WORKSPACES:
            self.buttons[key].setChecked(key == name)

    def _dress(self) -> None:
        for name, button in self.buttons.items():
            button.setIcon(icon(BY_NAME[name].icon, 22))


class StatusLine(QWidget):
    """Saved state and facts at the left, long work or a legend at the right."""

    undo_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("status")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(STATUS_BAR)
        self.sign, self.saved, self.facts, self.right = QLabel(), QLabel(), ElidedLabel(), QLabel()
        self.work, self.bar, self.left = QLabel(), QProgressBar(), QLabel()
        self.bar.setFixedWidth(96)
        self.bar.setTextVisible(False)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(8)
        row.addWidget(self.sign)
        row.addWidget(self.saved)
        row.addSpacing(8)
        row.addWidget(self.facts, 1)
        row.addWidget(self.right)
        for widget in (self.work, self.bar, self.left):
            row.addWidget(widget)
        self._ok, self._open = True, False
        self.set_work("", 0.0)
        theme().changed.connect(self._dress)
        self.set_saved(True, False)

    def set_saved(self, ok: bool, project: bool) -> None:
        """Whether every edit is on the disk; without a project there is nothing to save."""
        self._ok, self._open = ok, project
        words = self.tr("All edits saved") if ok else self.tr("Not saved: the disk refused the last edit")
        self.saved.setText(words if project else self.tr("No project open"))
        self._dress()

    def set_work(self, text: str, done: float, left: str = "") -> None:
        """Long work that runs, or "" for none; it takes the legend's place."""
        self.work.setText(text)
        self.left.setText(left)
        self.bar.setRange(0, 1000)
        self.bar.setValue(round(1000 * done))
        for widget in (self.work, self.bar, self.left):
            widget.setVisible(bool(text))
        self.right.setVisible(not text)

    def _dress(self) -> None:
        name, role = ("check", "success") if self._ok else ("alert-circle-outline", "error")
        self.sign.setVisible(self._open)
        self.sign.setPixmap(icon(name, 14, role).pixmap(14, 14))


def menu_action(parent: QWidget, name: str) -> QAction:
    """The action of the table as Qt has it."""
    spec = BY_NAME[name]
    action = QAction(title(spec), parent)
    action.setObjectName(name)
    if spec.shortcut and spec.keys:
        action.setShortcuts(list(spec.keys))
    elif spec.keys:
        action.setText(f"{title(spec)}\t{spec.keys[0]}")
    return action
