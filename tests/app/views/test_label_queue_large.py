"""The queue with as many images as a project may have: what it costs."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QApplication

from app.project.values import Image, State
from app.services.pictures import PictureCache, Pictures
from app.views.label.queue import Queue
from app.views.label.queue_delegate import row_height
from app.views.label.queue_model import QueueModel


def test_a_hundred_thousand_rows_cost_no_more_than_those_in_view(qtbot, monkeypatch):
    """Another filter under 100 ms and accept under 100 ms at this size (app.md; cases.md B14), on a loaded machine."""

    class Large:
        path = Path("large")

        def __init__(self) -> None:
            self.rows = [Image(n, f"p{n}.jpg", 10, 10, State.PREDICTED, (n * 7919 % 1000) / 1000, "", "")
                         for n in range(1, 100_001)]  # fmt: skip

        def images(self) -> list[Image]:
            return self.rows

        def image(self, n: int) -> Image:
            return self.rows[n - 1]

        def picture_path(self, image: Image) -> Path:
            return Path(image.path)

    class Change:
        images = frozenset({50_000})

    pictures, large = Pictures(PictureCache(), 96), Large()
    model = QueueModel(pictures)
    model.open(large)
    queue = Queue(model)
    qtbot.addWidget(queue)
    queue.resize(248, 600)
    queue.show()
    asked = []
    for name in ("rowCount", "data"):
        plain = getattr(QueueModel, name)
        monkeypatch.setattr(QueueModel, name, lambda self, *of, plain=plain: asked.append(of) or plain(self, *of))

    def took(act: Callable[[], object]) -> float:
        asked.clear()
        start = time.thread_time()
        act()
        QApplication.processEvents()
        assert len(asked) < 2000
        return time.thread_time() - start

    large.rows[49_999] = Image(50_000, "p50000.jpg", 10, 10, State.DONE, 0.1, "", "")
    accepted = took(lambda: (model.heard(Change()), model.neighbour(50_001, 1, to_check=True)))
    assert model.rowCount() == 99_999
    changed = min(took(lambda f=f: queue.choose_filter(f)) for f in ("all", "to check", "all"))
    ordered = min(took(lambda o=o: queue.head.choose_order(o)) for o in ("doubt", "newest", "sample"))
    assert accepted < 0.1 and changed < 0.1 and ordered < 0.1
    assert queue.list.verticalScrollBar().maximum() > 100_000 * row_height() - 600
    assert pictures.close()
