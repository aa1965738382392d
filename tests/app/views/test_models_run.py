"""A run in the Models workspace with a scripted worker: what shows meanwhile, and the choice at its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.files import data_folder
from app.library import Library
from app.project.edits import Accept
from app.services import runs
from app.services.live import Live
from app.services.pictures import PictureCache
from app.services.stills import Stills
from app.services.training import Training
from app.settings import Settings
from app.views.context import Context
from app.views.models.workspace import ModelsWorkspace
from tests.app.projects import new_document, put
from tests.app.views.window_bench import adopt_small, close_context

# Tells what a worker tells, obeys stop, and hands over a copy of the model that it began from.
WORKER = """
import json, shutil, sys
def tell(**record):
    print(json.dumps(record), flush=True)
start = json.loads(sys.stdin.readline())
tell(type="hello")
tell(type="metric", step=0, epoch=0.0, pck=50.0)
for step in range(1, 5):
    tell(type="progress", step=step, steps=4, epoch=step / 2, epochs=2.0, loss=0.5 / step, done=step / 4, eta=9.0)
tell(type="metric", step=4, epoch=2.0, pck=60.0)
WAIT
tell(type="finishing", step=4)
model = start["out"] + "/model.hourbit"
shutil.copy(start["from"], model)
tell(type="done", model=model, sha256="x", metrics={"metric": "pck", "before": 50.0, "after": AFTER, "labels": 3,
     "held_out": 2, "step": 4, "best_step": 4, "before_groups": {"Head": 9.0}, "after_groups": {"Head": 8.0},
     "before_images": [9.0, 8.0], "after_images": [8.0, 8.5]})
"""
UNTIL_STOP = """
for line in sys.stdin:
    order = json.loads(line)["type"]
    tell(type="heard", order=order)
    if order == "stop":
        break
"""
LUCKLESS = "import sys\nstart = sys.stdin.readline()\nsys.stderr.write('no luck')\nsys.exit(9)"


def script(wait: str = "", after: float = 60.0) -> str:
    return WORKER.replace("WAIT", wait).replace("AFTER", str(after))


class Desk:
    """The workspace with a project of four accepted images, and a worker of the test's own."""

    def __init__(self, folder: Path, script: str) -> None:
        (folder / "worker.py").write_text(script)
        self.library = Library(data_folder())
        self.entry = adopt_small(self.library, folder, "mpii16")
        self.training = Training(self.library, ("-u", str(folder / "worker.py")))
        stills = Stills(lambda schema: self.context.runtime_for(schema.name), PictureCache())
        settings = Settings(data_folder() / "settings.json")
        self.context = Context(settings, self.library, stills, Live(), self.training)
        document = new_document(folder, 4)
        for image in document.images():
            put(document, image.id, image.id)
            document.apply(Accept(image.id))
        self.context.set_document(document)
        self.workspace = ModelsWorkspace(self.context)
        self.workspace.resize(1280, 800)
        self.workspace.show()
        self.workspace.activate()

    def start(self) -> None:
        self.workspace.trigger("fine_tune")
        assert self.workspace.form.go.isEnabled()
        self.workspace.form.go.click()


@pytest.fixture
def desk(qtbot, tmp_path: Path, request: pytest.FixtureRequest):
    pytest.importorskip("torch")  # the service asks for it, the scripts do not
    made = Desk(tmp_path, getattr(request, "param", script()))
    yield made
    close_context(made.context)
    made.workspace.close()
    made.workspace.deleteLater()


@pytest.mark.parametrize("desk", [script(wait=UNTIL_STOP)], indirect=True)
def test_a_run_shows_its_steps_and_can_rest_and_stop(qtbot, desk: Desk) -> None:
    assert desk.workspace.run is None  # no plots, and no pyqtgraph, before a training shows
    desk.start()
    page = desk.workspace.run
    qtbot.waitUntil(lambda: page.bar.value() == 1000, timeout=20_000)
    assert desk.workspace.stack.currentWidget() is page and page.title.text() == desk.training.name
    assert "4 of 4" in page.step.text() and "9 s" in page.left.text()
    assert not desk.workspace.side.use.isEnabled() and not desk.workspace.side.keep.isEnabled()
    assert desk.workspace.facts()
    for curve in (page.loss, page.score):  # from one point at 0 on, the axis shows the whole way
        left, right = curve.plot.getViewBox().viewRange()[0]
        assert -0.5 < left <= 0 and 4 <= right < 4.5, (left, right)
    page.pause.click()
    assert desk.training.state == "paused" and page.left.text() == "Paused"
    page.pause.click()
    assert desk.training.state == "running"
    with qtbot.waitSignal(desk.training.finished, timeout=20_000):
        page.stop.click()
    assert desk.workspace.side.use.isEnabled()
    assert not page.pause.isVisible() and not page.stop.isVisible()


def test_a_better_model_is_used_and_rolled_back(qtbot, desk: Desk) -> None:
    with qtbot.waitSignal(desk.training.finished, timeout=20_000):
        desk.start()
    side = desk.workspace.side
    assert side.number.text() == "60.00" and "50.00" in side.was.text() and "20 %" in side.verdict.text()
    assert side.use.property("primary") and not side.keep.property("primary")
    with qtbot.waitSignal(desk.context.model_changed, timeout=5_000):
        side.use.click()
    used = desk.library.in_use("mpii16")
    assert used.path != desk.entry.path and used.origin == "fine-tuned"
    assert desk.workspace.library.entry.path == used.path
    assert desk.workspace.stack.currentWidget() is desk.workspace.card
    with qtbot.waitSignal(desk.context.model_changed, timeout=5_000):
        desk.workspace.card.back.click()
    assert desk.library.in_use("mpii16").path == desk.entry.path


@pytest.mark.parametrize("desk", [script(after=40.0)], indirect=True)
def test_a_worse_model_is_not_recommended(qtbot, desk: Desk) -> None:
    with qtbot.waitSignal(desk.training.finished, timeout=20_000):
        desk.start()
    side = desk.workspace.side
    assert side.keep.property("primary") and not side.use.property("primary") and "fewer" in side.verdict.text()
    side.keep.click()
    assert desk.library.in_use("mpii16").path == desk.entry.path
    assert desk.workspace.stack.currentWidget() is desk.workspace.card


@pytest.mark.parametrize("desk", [LUCKLESS], indirect=True)
def test_a_run_that_breaks_off_can_be_resumed(qtbot, desk: Desk) -> None:
    desk.training.began.connect(lambda start: (desk.training.folder / runs.LATEST).write_bytes(b"a checkpoint"))
    with qtbot.waitSignal(desk.training.failed, timeout=20_000):
        desk.start()
    banner = desk.workspace.banner
    assert banner.isVisible() and "no luck" in banner.text.text() and banner.button.text() == "Resume"
    folder = desk.training.folder
    with qtbot.waitSignal(desk.training.began, timeout=20_000) as blocker:
        banner.button.click()
    assert blocker.args[0]["resume"] is True and desk.training.folder == folder
    qtbot.waitUntil(lambda: desk.training.state == "failed", timeout=20_000)
