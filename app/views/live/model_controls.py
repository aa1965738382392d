"""The side panel's section about models: which runs, which beside it, on what runtime."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.views.theme import icon_picture, theme
from app.views.words import tr

RUNTIMES = ("packed", "reference", "onnx")


class ModelControls(QWidget):
    """Which model runs, and one line of truth about how.

    chosen(str): a model's path; second(str): of the one beside it, "" for none; runtime(str): what computes both.
    """

    chosen = Signal(str)
    second = Signal(str)
    runtime = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.models, self.seconds, self.runtimes = QComboBox(), QComboBox(), QComboBox()
        for box, name in ((self.models, tr("Model")), (self.seconds, tr("Model beside it")),
                          (self.runtimes, tr("Runtime"))):  # fmt: skip
            box.setAccessibleName(name)
            box.setToolTip(name)
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        words = {"packed": tr("Packed"), "reference": tr("NumPy"), "onnx": tr("ONNX")}
        for name in RUNTIMES:
            self.runtimes.addItem(words[name], name)
        self._sign, self.truth = QLabel(), QLabel()
        self.truth.setWordWrap(True)
        self.truth.setProperty("muted", True)
        self.truth.setProperty("small", True)
        self._sign.setAlignment(Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.models)
        two = QHBoxLayout()
        two.setSpacing(8)
        two.addWidget(self.seconds, 3)
        two.addWidget(self.runtimes, 2)
        layout.addLayout(two)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self._sign)
        row.addWidget(self.truth, 1)
        layout.addLayout(row)
        self._good: bool | None = True
        self.models.activated.connect(lambda index: self.chosen.emit(self.models.itemData(index)))
        self.seconds.activated.connect(lambda index: self.second.emit(self.seconds.itemData(index)))
        self.runtimes.activated.connect(lambda index: self.runtime.emit(self.runtimes.itemData(index)))
        theme().changed.connect(self._dress)

    def _dress(self) -> None:
        self.set_truth(self.truth.text(), self._good)

    def set_models(self, entries: list[tuple[str, str]], current: str) -> None:
        """Offer models as pairs of path and title."""
        with QSignalBlocker(self.models):
            self.models.clear()
            for path, title in entries:
                self.models.addItem(title, path)
            self.models.setCurrentIndex(self.models.findData(current))

    def choose(self, path: str) -> None:
        """Show which model runs."""
        with QSignalBlocker(self.models):
            self.models.setCurrentIndex(self.models.findData(path))

    def set_seconds(self, entries: list[tuple[str, str]], current: str) -> None:
        """Offer models to run beside the first, as pairs of path and title; none with \"\"."""
        with QSignalBlocker(self.seconds):
            self.seconds.clear()
            self.seconds.addItem(tr("None beside it"), "")
            for path, title in entries:
                self.seconds.addItem(tr("beside {0}").format(title), path)
            self.seconds.setCurrentIndex(max(0, self.seconds.findData(current)))

    def set_runtime(self, name: str) -> None:
        """Show which runtime is asked for."""
        with QSignalBlocker(self.runtimes):
            self.runtimes.setCurrentIndex(max(0, self.runtimes.findData(name)))

    def set_truth(self, text: str, good: bool | None) -> None:
        """Say which runtime runs on what, and whether it was checked; None while that is not known yet."""
        self._good = good
        self.truth.setText(text)
        signs = {True: ("check-circle", "success"), False: ("alert-circle-outline", "warning")}
        name, role = signs.get(good, ("timer-sand", "muted"))
        self._sign.setPixmap(icon_picture(name, 14, role))
        self._sign.setFixedWidth(theme().tall(14))
