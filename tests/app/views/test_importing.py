"""Labels in and out of the window: the preview, what a person changes in it, and complete data sets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QFileDialog

from app.plugins import load_plugins
from app.project.edits import Accept, PutInstance
from app.project.values import Origin, State
from app.views.import_page import ImportPage
from app.views.window import MainWindow
from tests.app.projects import SCHEMA, K, instance, new_document
from tests.app.views.desk import add_model, close_window, no_camera, open_window
from tests.app.views.test_drops import drop_on

WAIT = 10_000  # ms


@pytest.fixture
def window(qtbot, monkeypatch, tmp_path_factory) -> Iterator[MainWindow]:
    assert load_plugins() == {}
    add_model(tmp_path_factory.mktemp("model"), SCHEMA.name)
    no_camera(monkeypatch)
    made = open_window()
    yield made
    close_window(made)


def coco(folder: Path, names: list[str], points: np.ndarray, pictures: int = 1) -> Path:
    """A COCO file with one person in each of some pictures."""
    flat = np.concatenate([points, np.full((len(points), 1), 2)], 1).ravel().tolist()
    path = folder / "labels.json"
    path.write_text(json.dumps({
        "images": [{"id": n + 1, "file_name": f"pictures/image {n + 1}.png", "width": 160, "height": 120}
                   for n in range(pictures)],
        "annotations": [{"id": n + 1, "image_id": n + 1, "category_id": 1, "keypoints": flat} for n in range(pictures)],
        "categories": [{"id": 1, "name": "person", "keypoints": names}],
    }))  # fmt: skip
    return path


def shown(qtbot, window: MainWindow) -> ImportPage:
    importing = window.opening.importing
    qtbot.waitUntil(lambda: importing.page is not None, timeout=WAIT)
    return importing.page


def places() -> np.ndarray:
    return np.random.default_rng(4).uniform(10, 100, (K, 2)).round(1)


def test_a_dropped_label_file_is_shown_before_it_is_imported(qtbot, window, tmp_path) -> None:
    document = new_document(tmp_path, 2)
    window.context.set_document(document)
    names = list(SCHEMA.landmarks)
    names[4] = "spare knee"
    drop_on(window, coco(tmp_path, names, places(), 3))
    page = shown(qtbot, window)
    assert [figure.count.text() for figure in page.figures] == ["2", "2", "30", "2"]
    assert page.mapping.item(0, 0).text() == "spare knee" and page.mapping.item(0, 1).text() == "Left out"
    assert page.mapping.note.text().startswith("15 of 16 have a counterpart")
    assert page.figures[0].more.whole == "1 not found"
    assert not document.instances(document.images()[0].id)
    page.mapping.choose(0, "Left knee")
    qtbot.waitUntil(lambda: page.figures[2].count.text() == "32" and page.sure.isEnabled(), timeout=WAIT)
    with qtbot.waitSignal(window.opening.said, timeout=WAIT):
        page.sure.click()
    (held,) = document.instances(document.images()[0].id)
    assert (held.points == places()).all() and document.images()[0].state is State.DONE and window.current == "label"
    document.undo()
    assert not document.instances(document.images()[0].id) and len(document.images()) == 2


def test_labels_of_a_hand_go_only_after_a_question(qtbot, window, tmp_path, monkeypatch) -> None:
    document = new_document(tmp_path, 1)
    image = document.images()[0].id
    document.apply(PutInstance(instance(image, 4, Origin.HAND)))
    document.apply(Accept(image))
    window.context.set_document(document)
    points = document.instances(image)[0].points.copy()
    points[0] += 2
    window.opening.importing.start(coco(tmp_path, list(SCHEMA.landmarks), points))
    page = shown(qtbot, window)
    assert page.figures[2].more.whole == "1 kept as by hand"
    assert not page.sure.isEnabled() and page.replacing.isEnabled()
    page.replacing.click()
    qtbot.waitUntil(lambda: page.sure.isEnabled(), timeout=WAIT)
    assert "replace 1 landmark" in page.sure.text()
    monkeypatch.setattr(page, "_agreed", lambda: False)
    page.sure.click()
    assert page.isVisible() and document.instances(image)[0].points[0, 0] != points[0, 0]
    monkeypatch.setattr(page, "_agreed", lambda: True)
    with qtbot.waitSignal(window.opening.said, timeout=WAIT):
        page.sure.click()
    assert np.abs(document.instances(image)[0].points[0] - points[0]).max() < 1e-3


def test_without_a_project_one_is_made_only_where_it_is_wanted(qtbot, window, tmp_path, monkeypatch) -> None:
    new_document(tmp_path, 1).close()
    labels = coco(tmp_path, list(SCHEMA.landmarks), places())
    place = tmp_path / "made.hourbit-project"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(place), ""))
    before = sorted(tmp_path.iterdir())
    window.opening.importing.start(labels)
    shown(qtbot, window).reject()
    assert sorted(tmp_path.iterdir()) == before
    window.opening.importing.start(labels)
    page = shown(qtbot, window)
    page.sure.click()
    qtbot.waitUntil(lambda: window.context.document is not None, timeout=WAIT)
    document = window.context.document
    assert document.path == place and document.schema.name == "mpii16" and len(document.images()) == 1


def test_what_is_no_label_file_is_said(qtbot, window, tmp_path) -> None:
    window.context.set_document(new_document(tmp_path, 1))
    bad = tmp_path / "bad.json"
    bad.write_text("[1, 2")
    with qtbot.waitSignal(window.opening.failed, timeout=WAIT):
        window.opening.importing.start(bad)
    assert window.opening.importing.page is None


def test_a_data_set_is_exported_by_its_page(qtbot, window, tmp_path) -> None:
    document = new_document(tmp_path, 4)
    for image in document.images():
        document.apply(PutInstance(instance(image.id, image.id, Origin.HAND)))
        document.apply(Accept(image.id))
    window.context.set_document(document)
    window.trigger("export_set")
    page = window.opening.exporting.page
    page.choose("coco")
    page.folder.setText(str(tmp_path / "set"))
    page.split.setChecked(True)
    page.splits[0].setValue(70)
    assert not page.sure.isEnabled() and "90 %" in page.sum.text()
    page.splits[0].setValue(50)
    page.splits[1].setValue(50)
    with qtbot.waitSignal(window.opening.said, timeout=WAIT):
        page.sure.click()
    parts = [json.loads((tmp_path / "set" / f"labels-{part}.json").read_text()) for part in ("train", "val")]
    assert [len(part["images"]) for part in parts] == [2, 2] and (tmp_path / "set" / "README.md").is_file()
    window.trigger("export_set")
    page = window.opening.exporting.page
    page.choose("yolo-pose")
    assert not page.pictures.model().item(2).isEnabled()
    page.reject()
