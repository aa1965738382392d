"""Inner layers by name: the bits that a binary convolution reads beside the real values behind them."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QSpinBox,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.services.inspection import Inspection, Layer
from app.services.maps import channels
from app.views.heatmaps import colours
from app.views.heatmaps.colour_bar import ColourBar
from app.views.heatmaps.marking import Marks, paint_marks
from app.views.heatmaps.standing_out import StandingOut
from app.views.label.numbers import number
from app.views.theme import theme
from app.views.widgets import ElidedLabel, label_combo

ORDINAL = Qt.ItemDataRole.UserRole


class Pixels(QWidget):
    """A picture in its exact pixels, as large a square as there is room for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.image = QImage()
        self.marks, self.cells = Marks(), 1  # in cells of the heatmaps, so many across
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumSize(96, 96)

    def set_image(self, image: QImage) -> None:
        """Show a picture."""
        self.image = image
        self.update()

    def sizeHint(self) -> QSize:
        """Half of the column."""
        return QSize(216, 216)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Nearest neighbour: a layer's pixel is a square."""
        painter = QPainter(self)
        side = min(self.width(), self.height())
        room = QRectF(0, 0, side, side)
        if self.image.isNull():
            painter.fillRect(room, theme().color("field"))
        else:
            painter.drawImage(room, self.image)
            paint_marks(painter, self.marks, lambda cells: (np.asarray(cells) + 0.5) * (side / self.cells), room)
        painter.end()


class LayerView(QWidget):
    """Signs at the left, real values at the right, a channel or the mean of all; facts in words below."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layer: Layer | None = None
        self.signs, self.real = Pixels(self), Pixels(self)
        self.signs_name, self.real_name, self.facts = ElidedLabel(), ElidedLabel(), QLabel()
        self.bar = ColourBar(self)
        self.how = QComboBox(self)
        for name, text in (("absolute", self.tr("Mean of |x|")), ("mean", self.tr("Mean")),
                           ("one", self.tr("One channel"))):  # fmt: skip
            self.how.addItem(text, name)
        label_combo(self.how, self.tr("Channels together"))
        self.channel = QSpinBox(self)
        self.channel.setAccessibleName(self.tr("Channel"))
        self.channel.setEnabled(False)
        self.how.currentIndexChanged.connect(self._refresh)
        self.channel.valueChanged.connect(self._refresh)
        self.best = StandingOut(self)
        self.best.chosen.connect(self.show_channel)
        self._lay_out()
        theme().changed.connect(self._refresh)

    def _lay_out(self) -> None:
        choices = QHBoxLayout()
        choices.setSpacing(8)
        choices.addWidget(self.how)
        choices.addWidget(self.channel)
        choices.addStretch(1)
        choices.addWidget(self.bar)
        pictures = QHBoxLayout()
        pictures.setSpacing(16)
        for name, picture in ((self.signs_name, self.signs), (self.real_name, self.real)):
            name.setProperty("small", True)
            column = QVBoxLayout()
            column.setSpacing(4)
            column.addWidget(name)
            column.addWidget(picture)
            pictures.addLayout(column, 1)
        self.facts.setProperty("muted", True)
        self.facts.setProperty("small", True)
        self.facts.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(choices)
        column.addLayout(pictures)
        column.addWidget(self.facts)
        column.addWidget(self.best)
        column.addStretch(1)

    def show_layer(self, layer: Layer | None) -> None:
        """Show a layer, or none yet."""
        self._layer = layer
        counts = [v.shape[2] for v in (layer.bits, layer.real) if v is not None] if layer is not None else []
        self.channel.blockSignals(True)
        self.channel.setRange(0, max(counts, default=1) - 1)
        self.channel.blockSignals(False)
        self._refresh()

    def show_marks(self, marks: Marks, inspection: Inspection | None) -> None:
        """Where the landmark's peaks and its label lie, over both pictures."""
        for picture in (self.signs, self.real):
            picture.marks = marks
            picture.cells = inspection.maps.logits.shape[2] if inspection is not None else 1
            picture.update()
        layer = self._layer
        self.best.show_layer(layer.real if layer is not None else None, marks, self.signs.cells)

    def show_channel(self, channel: int) -> None:
        """Look at one channel alone."""
        self.how.setCurrentIndex(self.how.findData("one"))
        self.channel.setValue(channel)

    def fit(self, width: int) -> None:
        """Two squares side by side in a width."""
        for picture in (self.signs, self.real):
            picture.setFixedHeight(max((width - 16) // 2, 96))

    def pictures(self) -> QImage:
        """Signs and real values beside each other, each pixel enlarged."""
        side = 512
        image = QImage(2 * side + 32, side, QImage.Format.Format_RGB888)
        image.fill(theme().color("panel"))
        painter = QPainter(image)
        for n, part in enumerate((self.signs.image, self.real.image)):
            if not part.isNull():
                painter.drawImage(QRectF(n * (side + 32), 0, side, side), part)
        painter.end()
        return image

    def _refresh(self, *_: object) -> None:
        layer, how = self._layer, self.how.currentData()
        self.channel.setEnabled(how == "one")
        channel = self.channel.value() if how == "one" else how
        self._show_signs(layer, channel)
        self._show_real(layer, channel)

    def _show_signs(self, layer: Layer | None, channel: int | str) -> None:
        if layer is None or layer.bits is None:
            self.signs.set_image(QImage())
            self.signs_name.set_text(self.tr("No signs are taken of it") if layer is not None else "")
            self.facts.setText("")
            return
        # Every sign is +1 or -1, so their mean absolute value says nothing: the share of +1 does.
        values = channels(layer.bits, "mean" if channel == "absolute" else channel)
        low, high = float(values.min()), float(values.max())
        one = isinstance(channel, int)
        self.signs.set_image(colours.signs(values if one else (values - low) / max(high - low, 1e-9)))
        self._name(self.signs_name, self.signs, self.tr("Signs"), layer.bits_name, layer.bits)
        share = layer.bits.mean((0, 1))
        stuck = int(((share < 0.01) | (share > 0.99)).sum())
        words = self.tr("{0} of {1} channels hardly ever change sign in this crop.").format(stuck, len(share))
        if not one:
            ends = self.tr("Share of +1 among the channels: {0} % (dark) to {1} % (light).")
            words = f"{ends.format(number(100 * low, 0), number(100 * high, 0))} {words}"
        height, width, count = layer.bits.shape
        self.facts.setText(f"{width} \u00d7 {height} \u00d7 {count}. {words}")

    def _show_real(self, layer: Layer | None, channel: int | str) -> None:
        if layer is None or layer.real is None:
            self.real.set_image(QImage())
            self.real_name.set_text("")
            self.bar.show_scale(None)
            return
        values = channels(layer.real, channel)
        low, high = float(values.min()), float(values.max())
        self.real.set_image(colours.residual(values, low, high))
        self._name(self.real_name, self.real, self.tr("Real"), layer.real_name, layer.real)
        self.bar.show_residual(low, high)

    def _name(self, label: ElidedLabel, picture: Pixels, what: str, name: str, values: np.ndarray) -> None:
        height, width, count = values.shape
        text = f"{what}  {name}"
        label.set_text(text)
        label.setToolTip(f"{text}  {width} \u00d7 {height} \u00d7 {count}")
        picture.setAccessibleName(text)


class LayerTree(QWidget):
    """The network's layers by the parts of their names, with a field that finds one. chosen(name)."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.find = QLineEdit(self)
        self.find.setPlaceholderText(self.tr("Find a layer"))
        self.find.setAccessibleName(self.tr("Find a layer"))
        self.tree = QTreeWidget(self)
        self.tree.setHeaderHidden(True)
        self.tree.setIndentation(14)
        self.tree.setAccessibleName(self.tr("Layers of the network"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.find)
        column.addWidget(self.tree, 1)
        self._names: tuple[str, ...] = ()
        self._items: dict[str, QTreeWidgetItem] = {}
        self.find.textChanged.connect(self._filter)
        self.tree.currentItemChanged.connect(self._current)

    def show_layers(self, names: tuple[str, ...]) -> None:
        """Fill the tree, unless it holds these layers already."""
        if names == self._names:
            return
        self._names, self._items = names, {}
        self.tree.blockSignals(True)
        self.tree.clear()
        for name in names:
            parent, path = self.tree.invisibleRootItem(), ""
            for part in name.split("."):
                path = f"{path}.{part}" if path else part
                if path not in self._items:
                    self._items[path] = QTreeWidgetItem(parent, [part])
                parent = self._items[path]
            parent.setData(0, ORDINAL, name)
        self.tree.blockSignals(False)

    def choose(self, name: str) -> None:
        """Go to a layer, or to nothing."""
        self.tree.setCurrentItem(self._items.get(name))

    def _current(self, item: QTreeWidgetItem | None, _: object = None) -> None:
        name = item.data(0, ORDINAL) if item is not None else None
        if name:
            self.chosen.emit(name)

    def _filter(self, text: str) -> None:
        wanted = text.strip().lower()
        for item in self._items.values():
            item.setHidden(bool(wanted))
        for path, item in self._items.items():
            if wanted and wanted in path.lower():
                while item is not None:
                    item.setHidden(False)
                    item.setExpanded(True)
                    item = item.parent()
