"""What is to be found in the live picture: the detectors on offer for the model's subject, and the one in force."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog

from app.services.live import Live
from app.services.seeing import DRAWN
from app.views.context import Context
from app.views.live.controls import SourceControls
from engine.detect import DEFAULTS, make_detector
from engine.errors import UserError
from engine.schema import Schema
from engine.squares import NAME

KEY = "live/detector"
FILE = "another file"  # the entry that asks for one
OFFERED = {"face": ("detect", "face", "whole"), "person": ("detect", "person", "whole")}
SUFFIXES = ("*.hourbit", "*.onnx")


class DetectorChoice(QObject):
    """Keeps the panel's list of detectors and the live service in step; each subject's choice is remembered.

    failed(sentence): a detector's file cannot be used; drawing: a box is to be drawn by hand.
    """

    failed = Signal(str)
    drawing = Signal()

    def __init__(self, context: Context, live: Live, controls: SourceControls, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.context, self.live, self.controls = context, live, controls
        self._subject: str | None = None
        controls.detector.connect(self.choose)

    def offer(self, schema: Schema) -> None:
        """Offer what finds a model's subject, and look with the one chosen last."""
        if schema.subject != self._subject:
            self._subject = schema.subject
            self._show(str(self.context.settings.get(self._key, "")))

    def choose(self, name: str) -> None:
        """Look with another detector; `FILE` asks for one."""
        if name == FILE:
            name = self._ask()
        if name == DRAWN and self.live.options.box is None:
            self._show(self.live.options.detector)  # once it is drawn
            self.drawing.emit()
            return
        if name and name != DRAWN:
            self.context.settings.set(self._key, name)
        self._show(name or self.live.options.detector)

    @property
    def _key(self) -> str:
        return f"{KEY}/{self._subject}"

    def _show(self, wanted: str) -> None:
        subject = self._subject or ""
        texts = {
            "detect": self.tr("People") if subject == "person" else self.tr("Faces"),
            "face": self.tr("OpenCV faces"), "person": self.tr("One person"),
            "whole": self.tr("Whole picture"), DRAWN: self.tr("Drawn box"),
        }  # fmt: skip
        rows = [(name, texts[name]) for name in (*OFFERED.get(subject, ("whole",)), DRAWN)]
        rows += [(str(entry.path), entry.title) for entry in self.context.library.entries(NAME)
                 if entry.origin != "shipped" and not entry.problem]  # fmt: skip
        if wanted not in [name for name, _ in rows] and os.path.isfile(wanted):
            rows.append((wanted, Path(wanted).name))
        names = [name for name, _ in rows]
        current = wanted if wanted in names else DEFAULTS.get(subject, "whole")
        self.live.change(detector=current)
        self.controls.set_detectors([*rows, (FILE, self.tr("Detector file\u2026"))], current)

    def _ask(self) -> str:
        """A detector's file that can be used, "" for none."""
        words = f"{self.tr('Detectors')} ({' '.join(SUFFIXES)})"
        path = QFileDialog.getOpenFileName(self.controls, self.tr("Detector file"), "", words)[0]
        try:
            if path:
                make_detector(path)
        except (UserError, OSError) as error:
            self.failed.emit(str(error))
            return ""
        return path
