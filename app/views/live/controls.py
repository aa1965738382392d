"""The side panel's sections that are operated: source, model and overlay."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from app.services.pipeline import Options
from app.sources.camera import CameraInfo
from app.views.live.look import Look
from app.views.live.segments import Segments
from app.views.theme import icon, theme

MOST = (1, 2, 3, 4, 6, 8)  # subjects at once that one can choose
SIZES = ((640, 480), (1280, 720), (1920, 1080))
VALUE = 44  # width of a number at a slider's right
WIDE_TEXT = 120  # per cent over which the switches need fewer columns
CAPTION = 72  # width of a caption at a row's left


class SourceControls(QWidget):
    """Which source, at which size, and what to find in it.

    camera(CameraInfo), place("video", "folder" or "stream"), size((width, height)), detector(str), limit(int).
    """

    camera = Signal(object)
    place = Signal(str)
    size = Signal(object)
    detector = Signal(str)
    limit = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown = -1
        self.sources, self.sizes, self.detectors, self.limits = QComboBox(), QComboBox(), QComboBox(), QComboBox()
        for box, name in ((self.sources, self.tr("Source")), (self.sizes, self.tr("Picture size")),
                          (self.detectors, self.tr("What to find")), (self.limits, self.tr("How many"))):  # fmt: skip
            box.setAccessibleName(name)
            box.setToolTip(name)
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for wide, high in SIZES:
            self.sizes.addItem(f"{wide} \u00d7 {high}", (wide, high))
        self.sizes.setCurrentIndex(1)
        self.detectors.setPlaceholderText(self.tr("What to find"))
        for most in MOST:
            self.limits.addItem(self.tr("Only one") if most == 1 else self.tr("Up to {0}").format(most), most)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.sources)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.detectors, 3)
        row.addWidget(self.limits, 2)
        layout.addWidget(self.sizes)
        layout.addLayout(row)
        self.sources.activated.connect(self._activated)
        self.sizes.activated.connect(lambda index: self.size.emit(self.sizes.itemData(index)))
        self.detectors.activated.connect(lambda index: self.detector.emit(self.detectors.itemData(index)))
        self.limits.activated.connect(lambda index: self.limit.emit(self.limits.itemData(index)))
        self._listed: tuple[list[CameraInfo], str, bool] = ([], "", False)
        self.set_cameras([])
        theme().changed.connect(self._dress)

    def _dress(self) -> None:
        self.set_cameras(*self._listed)

    def set_cameras(self, cameras: list[CameraInfo], title: str = "", camera: bool = False) -> None:
        """List the cameras and the other kinds of source; `title` is what runs, "" for nothing."""
        self._listed = (cameras, title, camera)
        with QSignalBlocker(self.sources):
            self.sources.clear()
            if title and not camera:
                self.sources.addItem(icon("file-video-outline"), title, None)
            for found in cameras:
                self.sources.addItem(icon("webcam"), found.name, found)
            if not self.sources.count():
                self.sources.addItem(icon("webcam-off"), self.tr("No camera"), None)
            self.sources.insertSeparator(self.sources.count())
            for kind, name, text in (
                ("video", "movie-open-outline", self.tr("Open video\u2026")),
                ("folder", "folder-outline", self.tr("Open folder\u2026")),
                ("stream", "access-point-network", self.tr("Open stream\u2026")),
                ("again", "refresh", self.tr("Look for cameras")),
            ):
                self.sources.addItem(icon(name), text, kind)
            index = self.sources.findText(title) if title else 0
            self.sources.setCurrentIndex(max(index, 0))
            self._shown = self.sources.currentIndex()
        self.sizes.setEnabled(camera)

    def set_detectors(self, names: list[tuple[str, str]], current: str) -> None:
        """Offer detectors as pairs of name and text."""
        with QSignalBlocker(self.detectors):
            self.detectors.clear()
            for name, text in names:
                self.detectors.addItem(text, name)
            self.detectors.setCurrentIndex(max(0, self.detectors.findData(current)))

    def set_frame_size(self, width: int, height: int) -> None:
        """Say what the source really gives, where it is not ours to choose."""
        text = f"{width} \u00d7 {height}"
        if self.sizes.currentText() != text:
            with QSignalBlocker(self.sizes):
                if self.sizes.findText(text) < 0:
                    self.sizes.addItem(text, (width, height))
                self.sizes.setCurrentIndex(self.sizes.findText(text))

    def _activated(self, index: int) -> None:
        data = self.sources.itemData(index)
        if isinstance(data, str):
            with QSignalBlocker(self.sources):
                self.sources.setCurrentIndex(self._shown)  # an action, not a state
            self.place.emit(data)
        elif data is not None:
            self._shown = index
            self.camera.emit(data)


class OverlayControls(QWidget):
    """What is drawn over the picture, and how much it is smoothed.

    look(dict): fields of Look that changed; smoothing(float) 0 to 1.
    """

    look = Signal(dict)
    smoothing = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(self._boxes())
        modes = [("off", self.tr("Off")), ("one", self.tr("One")), ("max", self.tr("Max")), ("sum", self.tr("Sum"))]
        self.heatmap = Segments(modes)
        self.heatmap.setAccessibleName(self.tr("Heatmap"))
        self.heatmap.chosen.connect(self._heatmap_chosen)
        row = QHBoxLayout()
        row.addWidget(self._caption(self.tr("Heatmap")))
        row.addWidget(self.heatmap, 1)
        layout.addLayout(row)
        self.opacity, self._opacity_row, _ = self._slider(self.tr("Opacity"), int(Look().opacity * 100))
        self.opacity.valueChanged.connect(lambda value: self.look.emit({"opacity": value / 100}))
        layout.addWidget(self._opacity_row)
        self._opacity_row.setVisible(False)
        keep = self._opacity_row.sizePolicy()
        keep.setRetainSizeWhenHidden(True)  # its line is reserved: nothing below may jump
        self._opacity_row.setSizePolicy(keep)
        strength, row_widget, _ = self._slider(self.tr("Smoothing"), int(Options().smoothing * 100))
        self.strength = strength
        strength.valueChanged.connect(lambda value: self.smoothing.emit(value / 100))
        layout.addWidget(row_widget)

    def _boxes(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        columns = 3 if theme().scale <= WIDE_TEXT else 2
        grid.setHorizontalSpacing(0 if columns == 3 else 12)
        grid.setVerticalSpacing(8)
        for column, width in enumerate((112, 88)[: columns - 1]):
            grid.setColumnMinimumWidth(column, theme().room(width))
        grid.setColumnStretch(columns - 1, 1)
        texts = (
            ("landmarks", self.tr("Landmarks")), ("box", self.tr("Box")), ("mirror", self.tr("Mirror")),
            ("lines", self.tr("Lines")), ("names", self.tr("Names")), ("scores", self.tr("Scores")),
            ("by_score", self.tr("Colour by score")),
        )  # fmt: skip
        self.boxes: dict[str, QCheckBox] = {}
        for place, (name, text) in enumerate(texts):
            box = self.boxes[name] = QCheckBox(text)
            box.setChecked(getattr(Look(), name))
            box.toggled.connect(lambda on, name=name: self.look.emit({name: on}))
            # The last one has a line for itself: its words are long.
            grid.addWidget(box, place // columns, place % columns, 1, columns if name == "by_score" else 1)
        return grid

    def _caption(self, text: str) -> QLabel:
        label = QLabel(text)
        label.setProperty("muted", True)
        label.setMinimumWidth(CAPTION)
        return label

    def _slider(self, text: str, value: int) -> tuple[QSlider, QWidget, QLabel]:
        """A caption, a slider in per cent, and its value."""
        holder, slider, number = QWidget(), QSlider(Qt.Orientation.Horizontal), QLabel()
        slider.setRange(0, 100)
        slider.setAccessibleName(text)
        number.setMinimumWidth(VALUE)
        number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        slider.valueChanged.connect(lambda now: number.setText(f"{self.locale().toString(now)} %"))
        slider.setValue(value)
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._caption(text))
        row.addWidget(slider, 1)
        row.addWidget(number)
        return slider, holder, number

    def next_heatmap(self) -> None:
        """Off, one, max, sum, and off again."""
        names = list(self.heatmap.buttons)
        name = names[(names.index(self.heatmap.current) + 1) % len(names)]
        self.heatmap.choose(name)
        self._heatmap_chosen(name)

    def smooth_by(self, percent: int) -> None:
        """More smoothing, or less."""
        self.strength.setValue(self.strength.value() + percent)

    def _heatmap_chosen(self, mode: str) -> None:
        self._opacity_row.setVisible(mode != "off")
        self.look.emit({"heatmap": mode})
