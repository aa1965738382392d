"""Importing an ONNX file in the window: asked for what it lacks, or read from the file beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QDialog, QFileDialog

from app.views.context import Context
from app.views.models.description import DescriptionDialog, take_in
from app.views.models.workspace import ModelsWorkspace
from engine.external import read_external
from engine.schema import load_schema
from tests.app.projects import SCHEMA
from tests.app.small import small_schema
from tests.app.views.window_bench import adopt_small, close_context, make_context
from tests.engine.foreign import light, save

THREE = small_schema(3)


@pytest.fixture
def context(qapp, tmp_path: Path) -> Iterator[Context]:
    made = make_context(tmp_path)
    adopt_small(made.library, tmp_path, SCHEMA.name, 1)
    yield made
    close_context(made)


@pytest.fixture
def net(tmp_path: Path) -> Path:
    return save(tmp_path / "net.onnx", light())


def test_the_dialog_answers_with_a_description(qtbot) -> None:
    dialog = DescriptionDialog("net.onnx", THREE)
    qtbot.addWidget(dialog)
    assert dialog.schema.currentText() == THREE.title and dialog.crop.value() == THREE.crop
    assert dialog.description()["schema"] == THREE.to_json()
    dialog.schema.setCurrentIndex(dialog.schema.findText(load_schema("mpii16").title))
    dialog.output.setCurrentIndex(1)
    dialog.colour.setCurrentIndex(1)
    dialog.range.setCurrentIndex(1)
    assert dialog.description() == {
        "schema": "mpii16", "crop": load_schema("mpii16").crop, "output": "logits", "colour": "BGR", "range": 255,
    }  # fmt: skip


def test_an_answer_makes_it_a_model(context, net, monkeypatch) -> None:
    answers = {"schema": THREE.to_json(), "crop": 1.5, "output": "probability", "colour": "RGB", "range": 1}
    monkeypatch.setattr(DescriptionDialog, "exec", lambda self: QDialog.DialogCode.Accepted)
    monkeypatch.setattr(DescriptionDialog, "description", lambda self: answers)
    entry = take_in(context, net)
    assert entry is not None and entry.external and entry.model.crop == 1.5 and entry.schema == THREE.name


def test_without_an_answer_nothing_comes_in(context, net, monkeypatch) -> None:
    monkeypatch.setattr(DescriptionDialog, "exec", lambda self: QDialog.DialogCode.Rejected)
    before = len(context.library.entries())
    assert take_in(context, net) is None and len(context.library.entries()) == before


def test_the_workspace_shows_it_and_cannot_tune_it(qtbot, context, net, monkeypatch) -> None:
    net.with_suffix(".json").write_text(json.dumps({"schema": THREE.to_json(), "name": "Light"}))
    workspace = ModelsWorkspace(context)
    qtbot.addWidget(workspace)
    workspace.show()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (str(net), ""))
    workspace.library.ask_import()
    assert workspace.library.entry.title == "Light" and workspace.library.entry.schema == THREE.name
    assert workspace.card.title.text() == "Light" and not workspace.card.button.isEnabled()
    assert "Hourbit models" in workspace.card.button.toolTip()
    workspace.trigger("fine_tune")
    assert workspace.stack.currentWidget() is workspace.card
    copy = net.with_name("copy.onnx")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(copy), ""))
    workspace.library.export.click()
    assert read_external(copy).name == "Light"


def test_a_network_that_does_not_fit_is_refused_in_place(qtbot, context, net, monkeypatch) -> None:
    net.with_suffix(".json").write_text(json.dumps({"schema": "ibug68"}))
    workspace = ModelsWorkspace(context)
    qtbot.addWidget(workspace)
    workspace.show()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (str(net), ""))
    before = len(context.library.entries())
    workspace.library.ask_import()
    assert "68 landmarks" in workspace.banner.text.text() and len(context.library.entries()) == before
