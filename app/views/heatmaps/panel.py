"""The heatmap dock's content: switches, the large map or a layer, and all maps or all layers beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.services.inspection import Ask, Inspection, Inspector
from app.views.banner import Banner
from app.views.heatmaps.export import save_npz, save_png
from app.views.heatmaps.grid import GAP_X, MapGrid, ordered
from app.views.heatmaps.heading import DockHeading
from app.views.heatmaps.layers import LayerTree, LayerView
from app.views.heatmaps.maps_page import MapsPage
from app.views.heatmaps.switches import Switches
from app.views.heatmaps.target import Target
from app.views.theme import theme
from app.views.widgets import EmptyState, Line, label_combo
from app.views.words import told
from engine.errors import UserError

BESIDE = 690  # width from which the multiples stand beside the map, in two columns
WIDE = 785  # and in three
TWO, THREE = 224, 320
FIRST_LAYER = "head.last.sign"


class HeatmapPanel(QWidget):
    """chosen(landmark); peak_wanted(x, y); previewed(landmark or -1); said(sentence) for the status bar."""

    chosen = Signal(int)
    peak_wanted = Signal(float, float)
    previewed = Signal(int)
    said = Signal(str)

    def __init__(self, service: Inspector, heading: DockHeading, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.service, self.heading = service, heading
        self.target: Target | None = None
        self.inspection: Inspection | None = None
        self._asked: Ask | None = None
        self._broken = False  # what is asked for failed
        self._layer = ""
        self.switches, self.page = Switches(self), MapsPage(self)
        self.layer, self.tree, self.grid = LayerView(self), LayerTree(self), MapGrid(self)
        self.count, self.order = QLabel(), QComboBox()
        self._lay_out()
        self._connect()

    # ---- building
    def _lay_out(self) -> None:
        self.count.setProperty("heading", True)
        for name, text in (("doubt", self.tr("Most doubtful")), ("schema", self.tr("By schema")),
                           ("flip", self.tr("Flip test")), ("label", self.tr("Far from label"))):  # fmt: skip
            self.order.addItem(text, name)
        label_combo(self.order, self.tr("Order of the maps"))
        self.left, self.right = QStackedWidget(), QStackedWidget()
        self.left.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # pages fit themselves
        maps = QWidget()
        column = QVBoxLayout(maps)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        row = QHBoxLayout()
        row.setContentsMargins(GAP_X // 2, 0, 0, 0)
        row.addWidget(self.count)
        row.addStretch(1)
        row.addWidget(self.order)
        column.addLayout(row)
        column.addWidget(self.grid, 1)
        for stack, widgets in ((self.left, (self.page, self.layer)), (self.right, (maps, self.tree))):
            for widget in widgets:
                stack.addWidget(widget)
        inside = QWidget()
        self.body = QBoxLayout(QBoxLayout.Direction.LeftToRight, inside)
        self.body.setContentsMargins(16, 12, 16, 12)
        self.body.setSpacing(16)
        self.body.addWidget(self.left, 1)
        self.between = Line(vertical=True)
        self.body.addWidget(self.between)
        self.body.addWidget(self.right)
        self.scroll = QScrollArea()
        self.scroll.setWidget(inside)
        self.scroll.setWidgetResizable(True)
        self.scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.empty = EmptyState("")
        self.stack = QStackedWidget()
        self.stack.addWidget(self.scroll)
        self.stack.addWidget(self.empty)
        self.banner = Banner(self.stack)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        for widget in (self.switches, Line()):
            outer.addWidget(widget)
        outer.addWidget(self.stack, 1)

    def _connect(self) -> None:
        self.service.ready.connect(self._ready)
        self.service.failed.connect(self._failed)
        self.switches.changed.connect(self._switched)
        self.heading.compared.connect(self._ask)
        self.order.activated.connect(self._show)
        self.grid.chosen.connect(self.chosen)
        self.grid.hovered.connect(self.previewed)
        self.page.peak_wanted.connect(self.peak_wanted)
        self.tree.chosen.connect(self._choose_layer)
        self.heading.layers.connect(self._show_layers)
        self.heading.png.connect(lambda: self._save("PNG", ".png"))
        self.heading.npz.connect(lambda: self._save("NPZ", ".npz"))
        theme().changed.connect(self._show)

    # ---- what is looked at
    def show_target(self, target: Target | None, why: str = "") -> None:
        """Look at another subject, another landmark, or nothing, with a line that says why."""
        if target is None and self.target is None and why == self.empty.text.text():
            return  # Live asks with every frame
        before, self.target = self.target, target
        if target is None:
            self.inspection = self._asked = None
            self.empty.set_text(told(why))
        elif before is None or before.others != target.others:
            self.heading.set_models(list(target.others))
            self.switches.set_comparable(bool(target.others))
        self.stack.setCurrentIndex(1 if target is None else 0)
        self.switches.setEnabled(target is not None and not self.heading.inner.isChecked())
        self.heading.save.setEnabled(target is not None)
        if target is not None:
            self._ask()
        self._show()

    def _ask(self) -> None:
        target = self.target
        if target is None or not self.isVisible():
            return
        comparing = self.switches.kind.current == "other" and self.heading.other.currentData()
        other = Path(self.heading.other.currentData()) if comparing else None
        layer = self._layer if self.heading.inner.isChecked() else ""
        ask = Ask(target.key, target.source, target.box, target.model, other, layer)
        if ask != self._asked:
            if self._asked is not None and self._asked.key != ask.key:
                self.inspection = None  # another picture: nothing of the last one stays on screen
            self._asked, self._broken = ask, False
            self.service.request(ask)

    def _ready(self, inspection: Inspection) -> None:
        if inspection.ask != self._asked:
            return  # late: something else is looked at by now
        self.inspection = inspection
        self.banner.dismiss()
        self.tree.show_layers(inspection.layers)
        if self.heading.inner.isChecked() and not self._layer:
            self._show_layers(True)
        self._show()

    def _failed(self, ask: Ask, sentence: str) -> None:
        if ask == self._asked:
            self._broken = True
            self._show()
            self.banner.show_message("error", sentence, self.tr("Try again"), self._again)

    def _again(self) -> None:
        self._asked = None
        self._ask()
        self._show()

    def _switched(self) -> None:
        inner = self.heading.inner.isChecked()
        self.heading.show_comparing(self.switches.kind.current == "other" and not inner)
        self._ask()
        self._show()

    # ---- showing
    def _show(self, *_: object) -> None:
        target, inspection = self.target, self.inspection
        look = self.switches.look(target.landmark if target is not None else -1)
        made = self.page.show_maps(inspection, target, look)
        self._say_whose()
        self.heading.bar.show_scale(None if self.heading.inner.isChecked() else made)
        self.layer.show_layer(inspection.layer if inspection is not None else None)
        self.layer.show_marks(self.page.marks(), inspection)
        if inspection is None or target is None:
            self.grid.maps.show_maps(None, None, look, np.empty(0, int))
            self.count.setText("")
            return
        order = ordered(inspection, self.order.currentData(), target.label)
        self.grid.maps.show_maps(inspection, target.schema, look, order)
        self.grid.choose(look.landmark)
        self.count.setText(self.tr("All {0}").format(len(order)))
        self._fit()

    def _say_whose(self) -> None:
        """Whose maps these are, or that they are being made: on a busy machine that takes a while."""
        inspection = self.inspection
        inner = self.heading.inner.isChecked() and inspection is not None and bool(inspection.layers)
        waits = self.target is not None and not self._broken and (
            inspection is None or (inner and inspection.layer is None))  # fmt: skip
        words = self.tr("The network is at work\u2026") if waits else ""
        model = inspection.model if inspection is not None else ""
        self.heading.model.set_text(words if self.heading.inner.isChecked() and words else model)
        if waits and inspection is None:
            self.page.name.set_text(words)

    def _show_layers(self, on: bool) -> None:
        for stack in (self.left, self.right):
            stack.setCurrentIndex(int(on))
        layers = self.inspection.layers if self.inspection is not None else ()
        if on and not self._layer and layers:
            self.tree.choose(FIRST_LAYER if FIRST_LAYER in layers else layers[-1])
        if on and self.inspection is not None and not layers:
            self.banner.show_message("warning", self.tr("This network is another maker's and shows no inner layers."))
        self.switches.setEnabled(self.target is not None and not on)
        self._switched()

    def _choose_layer(self, name: str) -> None:
        self._layer = name
        self._switched()

    # ---- room
    def resizeEvent(self, event: QResizeEvent) -> None:
        """Wide: side by side; narrow: one below the other, scrolled."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        wide = self.width() >= BESIDE
        side = THREE if self.width() >= WIDE else TWO
        self.switches.set_wide(self.width() >= self.switches.needed())
        self.body.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
        self.between.setVisible(wide)
        column = self.width() - 32 - (side + 33 if wide else 0)
        self.page.fit(column, self.scroll.height() - 24 if wide else 0)
        self.layer.fit(column)
        if wide:
            self.right.setFixedWidth(side)
            self.right.setMinimumHeight(0)
        else:
            self.right.setMinimumWidth(0)
            self.right.setMaximumWidth(16777215)
            self.right.setMinimumHeight(48 + min(self.grid.rows_height(column), 6000))

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks: nothing is kept, nothing is computed."""
        super().hideEvent(event)
        self.inspection = self._asked = None
        self.service.rest()
        self.previewed.emit(-1)

    # ---- saving
    def _save(self, kind: str, suffix: str) -> None:
        if self.inspection is None:
            return
        name = self.page.name.text().replace("/", "-") or "heatmaps"
        title = self.tr("Save heatmaps as {0}").format(kind)
        path, _ = QFileDialog.getSaveFileName(self, title, f"{name}{suffix}", f"{kind} (*{suffix})")
        if path:
            self.save_to(Path(path) if path.lower().endswith(suffix) else Path(path + suffix))

    def save_to(self, path: Path) -> None:
        """Write what shows as a picture (.png), or everything as arrays (.npz)."""
        if self.inspection is None or self.target is None:
            return
        try:
            if path.suffix.lower() == ".npz":
                save_npz(path, self.inspection, self.target.schema, self.target.label)
            else:
                save_png(path, self.layer.pictures() if self.heading.inner.isChecked() else self.page.map.picture())
        except UserError as error:
            self.banner.show_message("error", str(error))
            return
        self.said.emit(self.tr("Saved {0}").format(path.name))
