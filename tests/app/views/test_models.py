"""The Models workspace: library, card, set-up, a real training to the model in use, failures and roll back."""

from __future__ import annotations

from importlib import util
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QInputDialog, QLabel, QPushButton

from app.project.edits import Accept
from app.views.context import Context
from app.views.models.listing import lineage
from app.views.models.workspace import ModelsWorkspace
from engine.modelfile import make_model, read_model, write_model
from engine.schema import load_schema
from tests.app.projects import SCHEMA, new_document, put
from tests.app.views.models_bench import models_context, models_workspace
from tests.app.views.small import small_model
from tests.app.views.window_bench import adopt_small

needs_torch = pytest.mark.skipif(util.find_spec("torch") is None, reason="training needs PyTorch")


context = pytest.fixture(models_context, name="context")
workspace = pytest.fixture(models_workspace, name="workspace")


def labelled(context: Context, folder: Path, accepted: int = 4) -> None:
    """Open a project for bodies with some accepted images."""
    document = new_document(folder, 4)
    for image in document.images()[:accepted]:
        put(document, image.id, image.id)
        document.apply(Accept(image.id))
    context.set_document(document)


def choose(workspace: ModelsWorkspace, schema: str) -> None:
    pane = workspace.library
    pane.filter.setCurrentIndex(pane.filter.findData(schema))
    pane.fill()


def titles(workspace: ModelsWorkspace) -> list[str]:
    return [entry.title for entry in workspace.library.model.entries]


def filled(workspace: ModelsWorkspace) -> list[str]:
    """Texts of the accent-filled buttons on screen."""
    buttons = workspace.findChildren(QPushButton)
    return [b.text() for b in buttons if b.property("primary") and b.isVisible() and b.isEnabled()]


def click(button: QPushButton) -> None:
    assert button.isVisible() and button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


# ---- library and card


def test_the_list_holds_the_models_of_one_schema_with_the_one_in_use(workspace, context, tmp_path) -> None:
    choose(workspace, "ibug68")
    pane = workspace.library
    assert "small 0" in titles(workspace) and "small 1" not in titles(workspace)
    assert pane.entry.title == "small 0" and pane.used
    adopt_small(context.library, tmp_path, "ibug68", 2)
    context.model_changed.emit()
    assert [e.title for e in pane.model.entries if pane.model.in_use(e)] == ["small 2"]
    assert pane.entry.title == "small 0"  # the selection stays
    choose(workspace, SCHEMA.name)
    assert "small 1" in titles(workspace) and "small 0" not in titles(workspace)


def test_the_open_projects_schema_leads(workspace, context, tmp_path, qtbot) -> None:
    labelled(context, tmp_path)
    again = ModelsWorkspace(context)
    assert again.library.schema == SCHEMA.name
    again.deleteLater()


def test_the_card_tells_the_network(workspace) -> None:
    choose(workspace, "ibug68")
    assert workspace.stack.currentWidget() is workspace.card and workspace.card.title.text() == "small 0"
    shown = workspace.card.facts.shown
    assert shown["Landmarks"] == "68" and shown["Width"] == "32" and shown["Input"] == "64 \u00d7 64"
    assert workspace.card.known.shown and not workspace.card.none.isVisible()
    assert not workspace.card.groups_card.isVisible()
    assert filled(workspace) == ["Fine-tune"] and not workspace.side.isVisible()


def test_a_long_text_of_a_card_is_shown_whole(workspace, context, tmp_path) -> None:
    """Under the one name that cards have for it now, also from a file that has the older one."""
    fails = ["brows are too thick and meet above the nose", "skin spills over ears, hands and hair", "far sides " * 20]
    held = small_model(load_schema("ibug68"))
    card = {"failures": fails}
    write_model(tmp_path / "old.hourbit", make_model("old", held.architecture, held.schema, held.tensors, card))
    entry = context.library.import_file(tmp_path / "old.hourbit")
    workspace.card.show_entry(entry)
    whole = "; ".join(fails)
    assert workspace.card.known.shown["Fails"] == whole
    label = next(one for one in workspace.card.known.findChildren(QLabel) if one.text() == whole)
    assert label.wordWrap() and not label.toolTip()


def test_a_broken_file_is_listed_with_its_reason(workspace, context) -> None:
    (context.library.folder / "torn.hourbit").write_bytes(b"not a model")
    workspace.refresh()
    pane = workspace.library
    broken = next(e for e in pane.model.entries if e.title == "torn")
    pane.select(broken)
    assert workspace.card.facts.shown["Problem"] and lineage(broken) == broken.problem
    assert not workspace.card.button.isEnabled() and not pane.export.isEnabled() and pane.remove.isEnabled()
    click(pane.remove)
    assert "torn" not in titles(workspace) and not broken.path.exists()


def test_another_model_is_used_and_rolled_back(workspace, context, tmp_path, qtbot) -> None:
    path = adopt_small(context.library, tmp_path, "ibug68", 2).path
    context.library.roll_back("ibug68")
    workspace.refresh()
    choose(workspace, "ibug68")
    pane = workspace.library
    pane.select(next(e for e in pane.model.entries if e.path == path))
    with qtbot.waitSignal(context.model_changed):
        click(workspace.card.use)
    assert context.library.in_use("ibug68").path == path and not workspace.card.use.isVisible()
    with qtbot.waitSignal(context.model_changed):
        click(workspace.card.back)
    assert context.library.in_use("ibug68").title == "small 0" == pane.entry.title


def test_import_export_rename_and_remove(workspace, context, tmp_path, monkeypatch) -> None:
    choose(workspace, "ibug68")
    pane = workspace.library
    source = context.library.in_use("ibug68").path
    copy = tmp_path / "copy.hourbit"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(copy), ""))
    click(pane.export)
    assert copy.read_bytes() == source.read_bytes()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (str(copy), ""))
    before = len(pane.model.entries)
    click(pane.bring)
    assert len(pane.model.entries) == before + 1 and pane.entry.path != source and not pane.used
    monkeypatch.setattr(QInputDialog, "getText", lambda *a, **k: ("Better name", True))
    click(pane.rename)
    assert pane.entry.title == "Better name" == read_model(pane.entry.path).name
    click(pane.remove)
    assert len(pane.model.entries) == before and "Better name" not in titles(workspace)


def test_a_file_that_is_no_model_is_refused_in_place(workspace, tmp_path, monkeypatch) -> None:
    (tmp_path / "bad.hourbit").write_bytes(b"PK nonsense")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (str(tmp_path / "bad.hourbit"), ""))
    click(workspace.library.bring)
    assert workspace.banner.isVisible() and "bad.hourbit" in workspace.banner.text.text()


# ---- set-up


def test_the_set_up_says_why_it_cannot_start(workspace, context, tmp_path) -> None:
    choose(workspace, SCHEMA.name)
    click(workspace.card.button)
    form = workspace.form
    assert workspace.stack.currentWidget() is form and "No project is open" in form.reason.text()
    assert not form.go.isEnabled() and form.go.toolTip() == form.reason.text()
    labelled(context, tmp_path, accepted=0)
    workspace.trigger("fine_tune")
    assert "accepted" in form.reason.text() and not form.go.isEnabled()
    choose(workspace, "ibug68")
    workspace.trigger("fine_tune")
    assert "another schema" in form.reason.text()


def test_the_set_up_counts_the_labels(workspace, context, tmp_path) -> None:
    labelled(context, tmp_path)
    choose(workspace, SCHEMA.name)
    workspace.trigger("fine_tune")
    assert workspace.form.labels.shown["Accepted images with landmarks"] == "4"
    assert workspace.form.go.isEnabled() and not workspace.form.reason.isVisible() and filled(workspace) == ["Start"]


# ---- training


@needs_torch
def test_from_labels_to_the_new_model_in_use(workspace, context, tmp_path, qtbot) -> None:
    labelled(context, tmp_path)
    choose(workspace, SCHEMA.name)
    old = context.library.in_use(SCHEMA.name)
    workspace.trigger("fine_tune")
    steps: list[str] = []  # each is on screen for a moment only
    context.training.progress.connect(lambda record: steps.append(workspace.run.step.text()))
    with qtbot.waitSignal(context.training.finished, timeout=90_000):
        workspace.form.start.emit({"steps": 4, "epochs": 0.0, "evaluate_every": 2, "batch": 2})
        assert workspace.stack.currentWidget() is workspace.run and workspace.side.isVisible()
        assert not workspace.side.use.isEnabled() and filled(workspace) == []
        assert workspace.facts()
    assert any("step 1 of 4" in text for text in steps)
    run, side, metrics = workspace.run, workspace.side, context.training.result["metrics"]
    assert run.title.text() == "small 1 v2" and run.epoch.text() == "Finished" and not run.stop.isVisible()
    assert len(run.loss.line("raw")[0]) == 4 and run.score.line("score")[0][0] == 0
    assert [row[0] for row in run.groups.rows] == list(metrics["after_groups"])
    assert run.shares.line("new")[1][-1] == 100
    assert side.number.text() == f"{metrics['after']:.2f}" and side.use.isEnabled()
    assert len(filled(workspace)) == 1
    click(side.use)
    new = context.library.in_use(SCHEMA.name)
    assert new.title == "small 1 v2" and new.path != old.path
    assert workspace.library.entry.path == new.path and workspace.library.used
    assert workspace.stack.currentWidget() is workspace.card and not workspace.side.isVisible()
    click(workspace.card.back)
    assert context.library.in_use(SCHEMA.name).path == old.path


@needs_torch
def test_keep_the_old_leaves_the_library_alone(workspace, context, tmp_path, qtbot, data_folder) -> None:
    labelled(context, tmp_path)
    checkpoint = broken_off(data_folder)
    choose(workspace, SCHEMA.name)
    before = titles(workspace)
    workspace.trigger("fine_tune")
    with qtbot.waitSignal(context.training.finished, timeout=90_000):
        workspace.form.start.emit({"steps": 1, "epochs": 0.0, "batch": 2})
    assert not checkpoint.exists()  # beginning anew gives up the run that broke off
    click(workspace.side.keep)
    assert titles(workspace) == before and workspace.stack.currentWidget() is workspace.card


@needs_torch
@pytest.mark.parametrize("ending", ["import os; os.abort()", "raise SystemExit(3)"])
def test_a_training_that_dies_leaves_the_window_as_it_was(workspace, context, tmp_path, qtbot, ending) -> None:
    labelled(context, tmp_path)
    choose(workspace, SCHEMA.name)
    worker = tmp_path / "worker.py"
    worker.write_text(ending)
    context.training._command = ("-u", str(worker))
    workspace.trigger("fine_tune")
    with qtbot.waitSignal(context.training.failed, timeout=30_000):
        workspace.form.start.emit({"steps": 4})
    assert workspace.banner.isVisible() and "ended unexpectedly" in workspace.banner.text.text()
    assert workspace.stack.currentWidget() is workspace.card and not workspace.side.isVisible()
    workspace.trigger("fine_tune")
    assert workspace.form.go.isEnabled()  # one may try again


def broken_off(home: Path) -> Path:
    """A run that ended in the middle; returns its checkpoint."""
    folder = home / "runs" / "2026-01-01 10.00.00 mpii16"
    folder.mkdir(parents=True)
    (folder / "start.json").write_text('{"type": "start"}')
    (folder / "latest.safetensors").write_bytes(b"")
    return folder / "latest.safetensors"


def test_a_run_that_broke_off_is_offered_once(workspace, data_folder) -> None:
    broken_off(data_folder)
    workspace.activate()
    assert workspace.banner.isVisible() and workspace.banner.button.text() == "Resume"
    workspace.banner.dismiss()
    workspace.activate()
    assert not workspace.banner.isVisible()
