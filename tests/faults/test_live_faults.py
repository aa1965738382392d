"""What goes wrong with a camera, scripted: each fault through the whole live pipeline, again and again."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from app.services import grabber
from app.services.live_values import Options, State
from app.services.pipeline import LivePipeline
from app.sources.synthetic import Step, Synthetic
from engine import detect
from engine.runtime import open_runtime
from tests.app.live_bench import Middle, Watcher, until
from tests.app.small import small_model

PICTURES = [Step()] * 6
FAULTS: dict[str, list[Step]] = {
    "says nothing": [Step("nothing")] * 3,
    "raises its own error": [Step("raise")] * 2,
    "crashes": [Step("crash")] * 2,
    "slow": [Step(delay=0.3)] * 3,
    "clock jumps on": [Step(skew=3600.0)] * 3,
    "clock jumps back": [Step(skew=-3600.0)] * 3,
    "grey, then with alpha": [Step(channels=1), Step(channels=4)] * 3,
    "tiny and odd": [Step(size=(1, 1)), Step(size=(7, 3)), Step(size=(1921, 1079))],
    "once the same picture": [Step("same")],
}


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watcher]:
    monkeypatch.setitem(detect.DETECTORS, "middle", lambda runtime=None: Middle())
    monkeypatch.setattr(grabber, "BACK_OFF", (0.0, 0.05))
    watcher = Watcher()
    watcher.pipeline.set_runtime(open_runtime(small_model(5), "reference"))
    yield watcher
    assert watcher.pipeline.stop()


@pytest.mark.parametrize("fault", FAULTS)
def test_after_a_fault_pictures_come_again(fault: str, watch: Watcher) -> None:
    watch.pipeline.start(Synthetic(PICTURES + FAULTS[fault] + [Step(size=(200, 150))] * 10_000, 0.01))
    until(lambda: any(r.frame.pixels.shape == (150, 200, 3) for r in watch.results), 15)
    assert watch.pipeline.state is State.RUNNING
    assert all(part >= 0 for r in watch.results for part in (r.timing.capture, r.timing.wait, r.timing.total))
    assert all(np.isfinite(s.shown).all() for r in watch.results for s in r.subjects)


def test_the_same_picture_for_ever_is_a_stall_within_two_seconds(watch: Watcher) -> None:
    watch.pipeline.start(Synthetic(PICTURES + [Step("same")] * 10_000, 0.01))
    until(lambda: State.RUNNING in watch.kinds)
    begin = time.monotonic()
    until(lambda: State.STALLED in watch.kinds, 5)
    assert time.monotonic() - begin < 2.5


def test_a_thousand_changes_of_size_and_channels() -> None:
    """Without a model, as fast as it goes: no error, and every frame that comes is whole."""
    chance = random.Random(4)
    sizes = [(640, 480), (320, 240), (1, 1), (7, 3), (33, 65)]
    script = [Step(size=chance.choice(sizes), channels=chance.choice((1, 3, 4))) for _ in range(1000)]
    said: list[tuple[State, str]] = []
    shapes: list[tuple[int, ...]] = []
    pipeline = LivePipeline(lambda r: shapes.append(r.frame.pixels.shape), lambda *told: said.append(told))
    pipeline.start(Synthetic(script, live=False))
    assert pipeline.wait_ended(30)
    assert pipeline.stop() and said[-2][0] is State.ENDED
    assert shapes and {(h, w) for w, h in sizes} >= {shape[:2] for shape in shapes}


def test_two_hundred_times_pulled_out_and_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grabber, "BACK_OFF", (0.0, 0.001))
    script = ([Step()] * 2 + [Step("nothing")] * 2) * 200 + [Step(size=(9, 9))] * 50
    seen: list[int] = []
    pipeline = LivePipeline(lambda r: seen.append(threading.active_count()), lambda state, text: None, Options())
    source = Synthetic(script, 0.001)
    pipeline.start(source)
    until(lambda: source.opened > 200, 30)
    assert max(seen) - min(seen) == 0
    assert pipeline.stop() and source.closed == source.opened
