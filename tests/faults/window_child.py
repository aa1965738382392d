"""The real window under scripted edits; each acknowledged revision is printed with what the screen shows.

Run by test_window_kill.py as `python tests/faults/window_child.py PROJECT SEED`, and killed by it.
"""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.main import make_window
from app.project.values import Visibility


def shown(canvas: object) -> list[list[float]]:
    """The active instance's landmarks in picture pixels, read back from where the canvas paints them."""
    back = canvas.viewportTransform().inverted()[0]
    places = [back.map(QPointF(x, y)) for x, y in canvas.to_view(canvas.editing.current.points)]
    return [[place.x(), place.y()] for place in places]


def drag(canvas: object, landmark: int, dice: random.Random) -> None:
    """A drag with the mouse, in several steps."""
    x, y = canvas.places(canvas.editing.current)[landmark]
    start, view = QPoint(round(x), round(y)), canvas.viewport()
    by = QPoint(dice.randint(-40, 40), dice.randint(-40, 40))
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    for n in range(1, 4):
        QTest.mouseMove(view, start + by * n / 3)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=start + by)


def edit(workspace: object, dice: random.Random) -> None:
    """One edit of a random kind, or another picture."""
    canvas = workspace.canvas
    landmark = dice.randrange(len(canvas.editing.current.points))
    kind = dice.random()
    if kind < 0.7:
        drag(canvas, landmark, dice)
    elif kind < 0.8:
        canvas.editing.select(landmark)
        QTest.keyClick(canvas, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    elif kind < 0.9:
        canvas.editing.select(landmark)
        canvas.editing.toggle_visibility(dice.choice((Visibility.OCCLUDED, Visibility.ABSENT)))
    else:
        workspace.trigger(dice.choice(("next_image", "previous_image")))


def main() -> None:
    """Edit until killed."""
    project, seed = sys.argv[1], int(sys.argv[2])
    app = QApplication([])
    window = make_window()
    window.show()
    window.opening.project(project)
    while window.current != "label" or window.workspace("label").browsing.picture is None:
        app.processEvents()
    workspace = window.workspace("label")
    document, canvas, editing = window.context.document, workspace.canvas, workspace.editing
    workspace.queue.choose_filter("all")
    dice, revision = random.Random(seed), document.revision
    while True:
        edit(workspace, dice)
        app.processEvents()
        if document.revision != revision and editing.current is not None:
            revision = document.revision
            line = {
                "revision": revision, "image": editing.image.id, "points": np.round(shown(canvas), 6).tolist(),
                "visibility": editing.current.visibility.tolist(), "state": editing.image.state.value,
            }  # fmt: skip
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
