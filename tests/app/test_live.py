"""The live service for Qt: one signal, one result, no thread left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from app.services.live import Live
from app.services.live_values import Made
from app.services.pipeline import Options
from app.sources.synthetic import Step, Synthetic
from engine import detect
from engine.errors import UserError
from engine.runtime import open_runtime
from tests.app.live_bench import Middle, Watcher, until
from tests.app.small import small_model
from tests.app.videos import coded, number_in


@pytest.fixture(scope="module")
def runtime():
    return open_runtime(small_model(5), "reference")


@pytest.fixture(autouse=True)
def middle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(detect.DETECTORS, "middle", lambda runtime=None: Middle())


def test_live_sends_one_signal_while_none_is_pending(runtime, qapp) -> None:
    live = Live(options=Options(detector="middle"))
    live.set_runtime(runtime)
    told: list[int] = []
    live.ready.connect(lambda: told.append(1))
    try:
        live.start(lambda: Synthetic.endless(0.005))
        until(lambda: live.dropped > 20)
        qapp.processEvents()
        assert len(told) == 1  # the GUI was busy: one message, and it finds the newest
        result = live.take()
        assert result is not None and live.take() is None
        timing = live.drawn(result)
        assert timing.draw > 0 and live.history[-1][1] is timing
        live.freeze()
        until(lambda: live.frozen)
        assert live.take() is None
    finally:
        assert live.close() is True


def test_live_starts_and_stops_fifty_times_without_leaving_threads(runtime) -> None:
    live = Live(options=Options(detector="middle"))
    live.set_runtime(runtime)
    before = threading.active_count()
    for _ in range(50):
        live.start(lambda: Synthetic([Step(), Step("nothing"), Step()], 0.0))
    assert threading.active_count() <= before + 2
    assert live.close() and threading.active_count() == before


class Numbered(Synthetic):
    """Frames with their number in black and white squares, 25 a second."""

    def _picture(self, size: tuple[int, int]) -> np.ndarray:
        return coded(self._index)


def cost_of_a_detector() -> float:
    """Processor seconds of making one; a busy machine takes more."""
    begin = time.thread_time()
    detect.make_detector("detect", open_runtime(MODELS[5], "packed"))
    return time.thread_time() - begin


MODELS = {count: small_model(count) for count in (5, 7)}
CHANGES = [(5, "reference"), (7, "reference"), (7, "packed"), (5, "packed")] * 2


def run_through(live: Live, changes: list[Callable[[], None]], application) -> list[tuple[int, int, str]]:
    """(number in the picture, frame's index, model) of what is drawn while one thing after the other is changed.

    Each number that left the camera must come to the screen once and in order.
    """
    seen: list[tuple[int, int, str]] = []
    worked: list[float] = []  # processor seconds of the predictor's thread at each result

    def take() -> None:
        result = live.take()
        if result is not None:
            seen.append((number_in(result.frame.pixels), result.frame.index, result.model))
            live.drawn(result)

    def hand_over(result) -> None:
        worked.append(time.thread_time())
        handed(result)

    def drawn(count: int) -> None:
        until(lambda: application.processEvents() or len(seen) >= count)

    live.ready.connect(take)
    handed, live._pipeline._on_result = live._pipeline._on_result, hand_over
    try:
        live.start(lambda: Numbered.endless(0.06))
        drawn(3)  # the first detector is made among the frames
        before, first = live.dropped, len(seen)
        worked.clear()
        for change in changes:
            change()
            drawn(len(seen) + 4)
        dropped, numbers = live.dropped - before, [number for number, _, _ in seen[first:]]
    finally:
        assert live.close()
    assert numbers == sorted(set(numbers)) == [index for _, index, _ in seen[first:]]
    # Of an idle machine no frame is missing; what others take from a busy one says nothing about this program, so
    # that what a frame waits for is told by the processor's time: less than making a detector takes.
    each = np.diff(worked)
    assert max(each) < np.median(each) + max(0.7 * cost_of_a_detector(), 0.02)
    assert len(numbers) + dropped >= numbers[-1] - numbers[0] + 1 and dropped <= len(numbers)
    return seen


@pytest.mark.parametrize("detector", ["detect", "middle"])
def test_models_and_runtimes_change_without_a_dropped_frame(detector: str, qapp) -> None:
    live = Live(options=Options(detector=detector))
    live.set_runtime(open_runtime(MODELS[5], "packed"))
    changes = [lambda c=count, n=name: live.load(lambda: open_runtime(MODELS[c], n)) for count, name in CHANGES]
    assert {model for _, _, model in run_through(live, changes, qapp)} == {"small 5", "small 7"}


class Dear(Middle):
    """A detector that costs three tenths of a processor second to make; its name is that of a file."""

    made: list[str] = []

    def __init__(self) -> None:
        super().__init__()
        end = time.thread_time() + 0.3
        while time.thread_time() < end:
            sum(range(1000))
        Dear.made.append(threading.current_thread().name)


def test_detectors_change_without_a_dropped_frame(qapp, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are made beside the frames, for both models, and the one before looks until then."""
    Dear.made.clear()
    for name in ("dear", "dearer"):
        monkeypatch.setitem(detect.DETECTORS, name, lambda runtime=None: Dear())
    live, told = Live(options=Options(detector="middle")), []
    live.set_runtime(open_runtime(MODELS[5], "packed"))
    live.detector_ready.connect(told.append)

    def choose(name: str) -> None:
        live.change(detector=name)
        assert live.detector == name != live.options.detector

    def swap() -> None:
        live.set_second(open_runtime(MODELS[7], "packed"))
        live.swap(live.detector)

    changes = [lambda: choose("dear"), lambda: until(lambda: qapp.processEvents() or told == ["dear"]),
               lambda: choose("dearer"), lambda: until(lambda: qapp.processEvents() or len(told) == 2), swap,
               lambda: live.change(detector="whole"), lambda: live.change(detector="middle")]  # fmt: skip
    models = {model for _, _, model in run_through(live, changes, qapp)}
    assert models == {"small 5", "small 7"} and told[:2] == ["dear", "dearer"] and live.options.detector == "middle"
    assert set(Dear.made) == {"detector"}


def test_the_last_detector_counts_and_one_that_fails_changes_nothing(runtime, qapp, monkeypatch) -> None:
    go = threading.Event()

    def slow(runtime=None):
        assert go.wait(10)
        return Middle()

    def broken(runtime=None):
        raise ZeroDivisionError("no")

    for name, make in {"slow": slow, "broken": broken}.items():
        monkeypatch.setitem(detect.DETECTORS, name, make)
    live, ready, failed = Live(options=Options(detector="middle")), [], []
    live.set_runtime(runtime)
    live.detector_ready.connect(ready.append)
    live.detector_failed.connect(failed.append)
    try:
        live.change(detector="slow")
        live.change(detector="whole")
        go.set()
        until(lambda: qapp.processEvents() or ready == ["whole"])
        assert live.options.detector == live.detector == "whole"
        live.change(detector="broken")
        until(lambda: qapp.processEvents() or failed)
        assert "detector broken failed (ZeroDivisionError: no)" in failed[0]
        assert live.options.detector == live.detector == "whole" and ready == ["whole"]
    finally:
        go.set()
        assert live.close()


@pytest.mark.parametrize("load", [Live.load, Live.load_second])
def test_a_model_that_fails_is_told_as_such_and_shows_nothing_again(load, runtime, qapp, monkeypatch) -> None:
    def broken():
        raise UserError("The file is damaged; copy it again.")

    live, told, again = Live(options=Options(detector="middle")), [], []
    for name in ("model_ready", "second_ready", "detector_ready", "model_failed", "detector_failed"):
        getattr(live, name).connect(lambda what, name=name: told.append((name, what)))
    monkeypatch.setattr(live, "_show_again", lambda: again.append(len(told)))
    try:
        load(live, broken)
        until(lambda: qapp.processEvents() or told)
        assert told == [("model_failed", "The file is damaged; copy it again.")] and again == []
        load(live, lambda: runtime)
        until(lambda: qapp.processEvents() or len(told) == 2)
        assert told[1] == ("model_ready" if load is Live.load else "second_ready", runtime)
        until(lambda: again)
    finally:
        assert live.close()


def test_a_detector_made_for_one_model_does_not_look_for_the_other(runtime) -> None:
    pipeline, other = Watcher().pipeline, open_runtime(small_model(7), "reference")
    detector = Middle()
    pipeline.set_runtime(runtime, [Made("middle", runtime, detector)])
    pipeline.set_second(other)
    assert pipeline.wanted.ready(runtime, "middle") is detector
    pipeline.swap()
    assert (pipeline.runtime, pipeline.second, pipeline.wanted.ready(other)) == (other, runtime, None)
    pipeline.set_second(None)
    assert pipeline.wanted.made == ()  # its model is gone
    pipeline.swap()
    assert pipeline.runtime is other


def test_a_result_that_comes_while_it_freezes_does_not_stand_in_the_way(runtime, qapp) -> None:
    live = Live(options=Options(detector="middle"))
    live.set_runtime(runtime)
    told: list[int] = []
    live.ready.connect(lambda: told.append(1))
    try:
        live.start(lambda: Synthetic.endless(0.005))
        until(lambda: live.dropped > 2)
        result = live.take()
        live.freeze()
        live._result(result)  # the predictor had gone past its look whether it is frozen
        qapp.processEvents()
        assert live.take() is None
        told.clear()
        live.resume()
        until(lambda: qapp.processEvents() or told)
    finally:
        assert live.close()


def test_the_rate_is_of_frames_that_were_drawn(runtime, qapp) -> None:
    """A window that is slow draws fewer than the model has done, and says so."""
    live = Live(options=Options(detector="middle"))
    live.set_runtime(runtime)
    try:
        live.start(lambda: Synthetic.endless(0.002))
        drawn: list[float] = []
        until(lambda: live.dropped > 10)
        while len(drawn) < 12:
            time.sleep(0.04)
            result = live.take()
            if result is not None:
                live.drawn(result)
                drawn.append(time.monotonic())
        assert live.rate == pytest.approx(11 / (drawn[-1] - drawn[0]), rel=0.05)
        assert live.dropped > 20
    finally:
        assert live.close()


def test_nothing_is_opened_once_it_is_closed(runtime, qapp) -> None:
    """The end of a project, which comes after, asks for another model."""
    live = Live(options=Options(detector="middle"))
    assert live.close()
    before = threading.active_count()
    live.load(lambda: runtime)
    live.load_second(lambda: runtime)
    live.change(detector="no such file")
    live.find_cameras()
    assert threading.active_count() == before and live.runtime is None
