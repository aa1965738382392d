"""Which detectors Live offers for a subject, which one looks, and what is remembered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog

from app.library import Library
from app.services.live import Live
from app.services.seeing import DRAWN
from app.settings import Settings
from app.views.live.controls import SourceControls
from app.views.live.detectors import FILE, DetectorChoice
from engine.detect import DEFAULTS
from engine.modelfile import write_model
from engine.schema import Schema
from tests.engine.blobs import schema_of
from tests.engine.test_scene_detector import small_detector


class Around(QObject):
    """What the choice needs of the window."""

    model_changed = Signal()

    def __init__(self, home: Path) -> None:
        super().__init__()
        self.library, self.settings = Library(home), Settings(home / "settings.json")


@pytest.fixture
def around(data_folder) -> Around:
    return Around(data_folder)


@pytest.fixture
def made(qtbot, around) -> Any:
    """(choice, live, controls)"""
    live, controls = Live(), SourceControls()
    qtbot.addWidget(controls)
    yield DetectorChoice(around, live, controls), live, controls
    assert live.close()


def schema(subject: str) -> Schema:
    return schema_of(3, subject=subject)


def names(controls: SourceControls) -> list[str]:
    return [controls.detectors.itemData(n) for n in range(controls.detectors.count())]


def test_each_subject_has_its_detectors(made) -> None:
    choice, live, controls = made
    choice.offer(schema("face"))
    assert names(controls) == ["detect", "face", "whole", DRAWN, FILE]
    assert live.options.detector == controls.detectors.currentData() == DEFAULTS["face"]
    choice.offer(schema("person"))
    assert names(controls) == ["person", "detect", "whole", DRAWN, FILE] and live.options.detector == DEFAULTS["person"]
    choice.offer(schema("object"))
    assert names(controls) == ["whole", DRAWN, FILE] and live.options.detector == "whole"


def test_the_choice_is_remembered_for_each_subject(made, around, qtbot) -> None:
    choice, live, controls = made
    choice.offer(schema("face"))
    controls.detectors.activated.emit(names(controls).index("whole"))
    assert live.options.detector == "whole"
    choice.offer(schema("person"))
    assert live.options.detector == DEFAULTS["person"]
    other = SourceControls()
    qtbot.addWidget(other)
    DetectorChoice(around, live, other).offer(schema("face"))
    assert live.options.detector == other.detectors.currentData() == "whole"


def test_own_detectors_of_the_library_are_offered(made, around, qtbot) -> None:
    choice, live, controls = made
    path = around.library.folder / "mine.hourbit"
    path.parent.mkdir(parents=True)
    write_model(path, small_detector())
    choice.offer(schema("face"))
    assert str(path) in names(controls)
    with qtbot.waitSignal(live.detector_ready):
        controls.detectors.activated.emit(names(controls).index(str(path)))
    assert live.options.detector == str(path) and controls.detectors.currentText() == "small detector"


def test_a_file_is_asked_for(made, tmp_path: Path, monkeypatch, qtbot) -> None:
    choice, live, controls = made
    choice.offer(schema("face"))
    path = tmp_path / "sent.hourbit"
    write_model(path, small_detector())
    answers = iter([str(path), "", str(tmp_path / "notes.onnx")])
    (tmp_path / "notes.onnx").write_bytes(b"no network")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (next(answers), ""))

    def ask() -> None:
        controls.detectors.activated.emit(names(controls).index(FILE))

    with qtbot.waitSignal(live.detector_ready):
        ask()
    assert live.options.detector == str(path) and controls.detectors.currentText() == "sent.hourbit"
    ask()  # cancelled: nothing changes
    assert live.options.detector == controls.detectors.currentData() == str(path)
    with qtbot.waitSignal(choice.failed) as told:
        ask()
    assert "notes.onnx is no detector" in told.args[0] and controls.detectors.currentData() == str(path)
