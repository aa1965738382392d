"""Evaluation in the background: on a file, on accepted labels, stopped, refused, closed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from app.plugins import load_plugins
from app.project.edits import Accept
from app.project.values import Visibility
from app.services.evaluation import Evaluating, Task
from app.services.labelled import load_subjects, project_subjects
from engine.errors import UserError
from engine.evaluate import evaluate
from engine.images import load_image
from engine.labelled import Labelled
from engine.runtime import open_runtime
from tests.app.projects import new_document, put
from tests.engine.blobs import small_model
from tests.engine.packfile import blob_boxes, blob_points, write_pack


@pytest.fixture(autouse=True)
def _formats() -> None:
    load_plugins()


@pytest.fixture
def service(qapp) -> Iterator[Evaluating]:
    made = Evaluating()
    yield made
    assert made.close()


def test_figures_are_those_of_the_command_line(service: Evaluating, qtbot, tmp_path: Path) -> None:
    model, pack = small_model(), write_pack(tmp_path / "p.npz", blob_points(4))
    told: list[tuple[int, int]] = []
    service.progress.connect(lambda done, total: told.append((done, total)))
    with qtbot.waitSignal(service.finished, timeout=10_000) as caught:
        service.start(Task(model, "p.npz", partial(load_subjects, pack, model.schema)))
    task, figures = caught.args
    expected = evaluate(open_runtime(model), pack)
    assert task.name == "p.npz" and figures["mean"] == expected["mean"] and figures["n"] == 4
    assert told[-1] == (4, 4) and not service.active


def test_accepted_labels_of_a_project(tmp_path: Path, qapp) -> None:
    document = new_document(tmp_path, 3)
    images = document.images()
    with pytest.raises(UserError, match="accepted yet"):
        project_subjects(document)
    for image in images[:2]:
        put(document, image.id, image.id)
        document.apply(Accept(image.id))
    found = project_subjects(document).subjects
    assert len(found) == 2 and found.ids == tuple(document.picture_path(i).name for i in images[:2])
    (instance,) = document.instances(images[1].id)
    np.testing.assert_allclose(found.points[1], instance.points)
    weights = {Visibility.VISIBLE: 1, Visibility.OCCLUDED: 0.5, Visibility.ABSENT: 0}
    assert found.weight[1].tolist() == [weights[Visibility(v)] for v in instance.visibility]
    assert found.picture(1).shape[:2] == (images[1].height, images[1].width)
    document.close()


def test_other_pictures_of_the_names_are_not_measured_on(tmp_path: Path) -> None:
    document = new_document(tmp_path, 4)
    images = document.images()
    for image in images:
        for seed in (0, 5):
            put(document, image.id, image.id + seed)
        document.apply(Accept(image.id))
    files = [document.picture_path(image) for image in images]
    files[1].write_bytes(files[0].read_bytes())
    found = project_subjects(document).unchanged()
    kept = [images[n].id for n in (0, 2, 3) for _ in range(2)]
    assert found.images == tuple(kept) and found.subjects.image == (0, 0, 1, 1, 2, 2)
    assert [problem.where for problem in found.subjects.problems] == [files[1].name]
    np.testing.assert_array_equal(found.subjects.picture(2), load_image(files[2]))
    np.testing.assert_allclose(found.subjects.points[4], document.instances(images[3].id)[0].points)
    read = load_subjects(document.path, document.schema)
    assert len(read) == 6 and [Path(problem.where) for problem in read.problems] == [files[1]]
    np.testing.assert_allclose(read.points, found.subjects.points)
    for file in files:
        file.write_bytes(file.read_bytes() + b"more")
    with pytest.raises(UserError, match="put the labelled ones back"):
        project_subjects(document).unchanged()
    with pytest.raises(UserError, match="put the labelled ones back"):
        load_subjects(document.path, document.schema)
    document.close()


def slow(model, gate: threading.Event) -> Labelled:
    points = blob_points(50)

    def picture(n: int) -> np.ndarray:
        gate.wait(10)
        return np.zeros((80, 96, 3), np.uint8)

    return Labelled(picture, points, np.ones(points.shape[:2]), blob_boxes(points))


def test_stop_and_a_second_one_meanwhile(service: Evaluating, qtbot) -> None:
    model, gate = small_model(), threading.Event()
    task = Task(model, "slow", lambda: slow(model, gate))
    service.start(task)
    with pytest.raises(UserError, match="under way"):
        service.start(task)
    with qtbot.waitSignal(service.stopped, timeout=10_000):
        service.stop()
        gate.set()
    assert not service.active
    with qtbot.waitSignal(service.finished, timeout=20_000):
        service.start(task)


def test_what_cannot_be_measured_is_a_sentence(service: Evaluating, qtbot, tmp_path: Path) -> None:
    model = small_model()
    for subjects, word in ((partial(load_subjects, tmp_path / "gone.npz", model.schema), "gone.npz"),
                           (partial(load_subjects, "samples", model.schema), "68 landmarks")):  # fmt: skip
        with qtbot.waitSignal(service.failed, timeout=10_000) as caught:
            service.start(Task(model, "x", subjects))
        assert word in caught.args[0]


def test_closing_in_the_middle_ends_the_thread(qapp) -> None:
    service, gate = Evaluating(), threading.Event()
    model = small_model()
    service.start(Task(model, "slow", lambda: slow(model, gate)))
    gate.set()
    assert service.close()
