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
from engine.detect import default_detector
from engine.schema import Schema
from engine.squares import NAME

KEY = "live/detector"
FILE = "another file"  # the entry that asks for one
OFFERED = {"face": ("detect", "face", "whole"), "person": ("person", "detect", "whole")}
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
        self._chosen = ""  # by a person, and not ready yet
        controls.detector.connect(self.choose)
        live.detector_ready.connect(self._ready)
        live.detector_failed.connect(self._refused)

    def offer(self, schema: Schema) -> None:
        """Offer what finds a model's subject, and look with the one chosen last."""
        if schema.subject != self._subject:
            wanted = self.name_for(schema)
            self._subject = schema.subject
            self._look_with(wanted)

    def name_for(self, schema: Schema) -> str:
        """The detector for a model's subjects: the one in force, or the one last chosen for them. From any thread."""
        subject = schema.subject
        if subject == self._subject:
            return self.live.detector
        wanted = str(self.context.settings.get(f"{KEY}/{subject}", ""))
        usable = wanted in OFFERED.get(subject, ("whole",)) or os.path.isfile(wanted)
        return wanted if usable else default_detector(schema)

    def choose(self, name: str) -> None:
        """Look with another detector; `FILE` asks for one."""
        if name == FILE:
            name = self._ask()
        if name == DRAWN and self.live.options.box is None:
            self._list(self.live.detector)  # once it is drawn
            self.drawing.emit()
        elif name:
            self._chosen = name
            self._look_with(name)
        else:
            self._list(self.live.detector)

    @property
    def _key(self) -> str:
        return f"{KEY}/{self._subject}"

    def _look_with(self, name: str) -> None:
        self._list(name)
        self.live.change(detector=name)

    def _ready(self, name: str) -> None:
        """What a person chose is remembered once it has proved to work."""
        if name == self._chosen != DRAWN:
            self.context.settings.set(self._key, name)
        self._chosen = ""

    def _refused(self, sentence: str) -> None:
        self._chosen = ""
        self._list(self.live.options.detector)
        self.failed.emit(sentence)

    def _list(self, current: str) -> None:
        subject = self._subject or ""
        texts = {
            "detect": self.tr("Faces") if subject == "face" else self.tr("People, fast"),
            "face": self.tr("OpenCV faces"), "person": self.tr("People"),
            "whole": self.tr("Whole picture"), DRAWN: self.tr("Drawn box"),
        }  # fmt: skip
        rows = [(name, texts[name]) for name in (*OFFERED.get(subject, ("whole",)), DRAWN)]
        rows += [(str(entry.path), entry.title) for entry in self.context.library.entries(NAME)
                 if entry.origin != "shipped" and not entry.problem]  # fmt: skip
        if current not in [name for name, _ in rows] and os.path.isfile(current):
            rows.append((current, Path(current).name))
        self.controls.set_detectors([*rows, (FILE, self.tr("Detector file\u2026"))], current)

    def _ask(self) -> str:
        """A detector's file, "" for none."""
        words = f"{self.tr('Detectors')} ({' '.join(SUFFIXES)})"
        return QFileDialog.getOpenFileName(self.controls, self.tr("Detector file"), "", words)[0]
