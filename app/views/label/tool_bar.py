"""The bar over the canvas: tools, undo and redo, what is shown, the model, predict again."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QComboBox, QHBoxLayout, QPushButton, QToolButton, QWidget

from app.views import theme
from app.views.actions import BY_NAME
from app.views.fitting import give_way
from app.views.key_button import KeyButton
from app.views.keymap import KeyMap, KeyTip
from app.views.widgets import Line, label_combo
from app.views.words import mark, told

HEIGHT = 40
NARROWEST = 480
TOOLS = (  # tool, icon, text, action that chooses it
    ("select", "cursor-default-outline", mark("Select and move landmarks"), "select_tool"),
    ("move", "cursor-move", mark("Move, scale or turn the shape"), "move_shape"),
    ("place", "map-marker-plus-outline", mark("Place landmarks one by one"), "place"),
    ("box", "vector-square", mark("Draw the box"), "box"),
    ("new", "account-plus-outline", mark("New instance"), "new_instance"),
)
SWITCHES = (  # command, icon, text, on at the start
    ("labels", "eye-outline", mark("Labels"), True),
    ("heatmap", "fire", mark("Heatmap of the selected landmark"), True),
    ("onion", "layers-outline", mark("Labels of the last image"), False),
    ("snap", "magnet", mark("Snap to peaks while dragging"), False),
    ("equalise", "brightness-6", mark("Equalise, for the eye only"), False),
)


class ToolBar(QWidget):
    """Buttons only. tool_chosen(name); triggered(command); model_chosen(name)."""

    tool_chosen = Signal(str)
    triggered = Signal(str)
    model_chosen = Signal(str)

    def __init__(self, keys: KeyMap, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.keys = keys
        self.setObjectName("toolBar")
        self.setProperty("bar", True)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        theme.grow(self, height=HEIGHT)
        self.tips: dict[str, KeyTip] = {}
        self._icons: list[tuple[QToolButton | QPushButton, str]] = []
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 12, 0)
        row.setSpacing(4)
        self.queue = self._command("queue", "dock-left", self.tr("Queue"))
        self.queue.setToolTip(self.tr("Show or hide the queue"))
        self.queue.hide()  # only where the heatmap dock has taken its place
        row.addWidget(self.queue)
        self.tools: dict[str, QToolButton] = {}
        group = QButtonGroup(self)
        for tool, icon, text, action in TOOLS:
            button = self._button(icon, self.tr(text), action, checkable=True)
            button.clicked.connect(lambda _=False, t=tool: self.tool_chosen.emit(t))
            group.addButton(button)
            self.tools[tool] = button
            row.addWidget(button)
        self.tools["select"].setChecked(True)
        row.addWidget(self._line())
        self.undo = self._command("undo", "undo", self.tr("Undo"))
        self.redo = self._command("redo", "redo", self.tr("Redo"))
        row.addWidget(self.undo)
        row.addWidget(self.redo)
        row.addWidget(self._line())
        self.switches: dict[str, QToolButton] = {}
        for command, icon, text, on in SWITCHES:
            button = self._command(command, icon, self.tr(text), checkable=True)
            button.setChecked(on)
            self.switches[command] = button
            row.addWidget(button)
        self.adjust = self._command("adjust", "tune-variant", self.tr("Brightness and contrast"))
        row.addWidget(self.adjust)
        self.maps = self._command("heatmaps", "view-grid-outline", self.tr("Heatmaps"), checkable=True)
        row.addWidget(self.maps)
        row.addStretch(1)
        self.model = QComboBox(self)
        label_combo(self.model, self.tr("Model"))
        self.model.setMinimumWidth(110)
        self.model.activated.connect(lambda n: self.model_chosen.emit(self.model.itemData(n)))
        row.addWidget(self.model)
        self.again = KeyButton(self.tr("Predict again"), keys, "predict_again", self)
        self.again.setProperty("flat", True)
        self.again.clicked.connect(lambda: self.triggered.emit("predict_again"))
        self._icons.append((self.again, "refresh"))
        row.addWidget(self.again)
        self.setMinimumWidth(NARROWEST)
        theme.theme().changed.connect(self._recolour)
        self._recolour()

    def _button(self, icon: str, text: str, action: str, checkable: bool = False) -> QToolButton:
        button = QToolButton(self)
        button.setCheckable(checkable)
        theme.grow(button, icon=18)
        if action in BY_NAME:
            self.tips[action] = KeyTip(button, self.keys, action, text)
        else:
            button.setToolTip(text)
        button.setAccessibleName(text)
        self._icons.append((button, icon))
        return button

    def _command(self, command: str, icon: str, text: str, checkable: bool = False) -> QToolButton:
        button = self._button(icon, text, command, checkable)
        button.clicked.connect(lambda: self.triggered.emit(command))
        return button

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow bar leaves the key to the tooltip, then the model, some switches, the words."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        extras = (self.switches["onion"], self.switches["snap"], self.adjust)
        give_way(self, (
            self.again.set_capped, lambda room: self.model.setVisible(room and self.model.count() > 0),
            lambda room: [button.setVisible(room) for button in extras], self.again.set_worded,
        ))  # fmt: skip

    def _line(self) -> QWidget:
        holder = QWidget(self)
        row = QHBoxLayout(holder)
        row.setContentsMargins(8, 10, 8, 10)
        row.addWidget(Line(vertical=True))
        return holder

    def _recolour(self) -> None:
        for button, icon in self._icons:
            button.setIcon(theme.icon(icon))

    def set_tool(self, tool: str) -> None:
        """Mark the tool in force."""
        self.tools[tool].setChecked(True)

    def set_history(self, undo: str | None, redo: str | None) -> None:
        """What undo and redo would do; None where there is nothing."""
        for name, button, title, text in (
            ("undo", self.undo, undo, self.tr("Undo")), ("redo", self.redo, redo, self.tr("Redo")),
        ):  # fmt: skip
            button.setEnabled(title is not None)
            self.tips[name].set_words(f"{text}: {told(title)}" if title else text)

    def set_models(self, entries: list[tuple[str, str]], current: str) -> None:
        """Models of this schema as (name, title), and the one in use."""
        self.model.clear()
        for name, title in entries:
            self.model.addItem(title, name)
        self.model.setCurrentIndex(self.model.findData(current))
        self._fit()
