"""Evaluate in Models: a model's page, what it can be measured on, and figures, curve and table after it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog

from engine.evaluate import evaluate
from engine.labelled import sample_subjects
from engine.runtime import open_runtime
from tests.app.projects import SCHEMA
from tests.app.views.models_bench import models_context, models_workspace
from tests.app.views.test_models import choose, click, labelled

context = pytest.fixture(models_context, name="context")
workspace = pytest.fixture(models_workspace, name="workspace")


def test_sample_pictures_to_figures_curve_and_table(workspace, context, qtbot) -> None:
    choose(workspace, "ibug68")
    click(workspace.card.evaluate)
    desk = workspace.evaluation
    assert workspace.stack.currentWidget() is desk.page and not desk.page.result.isVisible()
    assert not desk.page.project.isEnabled() and "No project" in desk.page.project.toolTip()
    with qtbot.waitSignal(desk.service.finished, timeout=60_000):
        click(desk.page.samples)
    model = workspace.library.entry.model
    expected = evaluate(open_runtime(model), sample_subjects(model.schema))
    page = desk.page
    assert page.result.isVisible() and page.figures.shown["NME"] == f"{expected['mean']:.2f}"
    assert page.table.rowCount() == 68
    assert page.table.item(0, 1).text() == f"{next(iter(expected['per_landmark'].values())):.2f}"
    xs, ys = page.curve.line("new")
    assert (xs, ys) == (expected["curve"]["threshold"], expected["curve"]["share"])
    assert len(page.groups.rows) == len(model.schema.groups)
    click(page.leave)
    assert workspace.stack.currentWidget() is workspace.card
    click(workspace.card.evaluate)
    assert page.result.isVisible()  # what was measured is still there


def test_accepted_labels_and_body_metrics(workspace, context, qtbot, tmp_path: Path) -> None:
    labelled(context, tmp_path)
    choose(workspace, SCHEMA.name)
    click(workspace.card.evaluate)
    page = workspace.evaluation.page
    assert page.samples.isHidden() == (SCHEMA.name != "ibug68")
    with qtbot.waitSignal(workspace.evaluation.service.finished, timeout=60_000) as caught:
        click(page.project)
    assert caught.args[1]["n"] + caught.args[1]["left_out"] == 4
    assert page.line.text().endswith(context.document.name)


def test_a_file_that_is_none_is_a_banner_and_the_page_stays(workspace, qtbot, tmp_path, monkeypatch) -> None:
    choose(workspace, "ibug68")
    click(workspace.card.evaluate)
    page, bad = workspace.evaluation.page, tmp_path / "bad.npz"
    bad.write_bytes(b"nothing")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (str(bad), ""))
    with qtbot.waitSignal(workspace.evaluation.service.failed, timeout=20_000):
        click(page.file)
    assert workspace.banner.isVisible() and page.file.isEnabled() and not page.end.isVisible()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: ("", ""))
    click(page.file)
    assert not workspace.evaluation.service.active
