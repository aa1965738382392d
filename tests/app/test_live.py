"""The live service for Qt: one signal, one result, no thread left."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from app.services.live import Live
from app.services.pipeline import Options
from app.sources.synthetic import Step, Synthetic
from engine import detect
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


@pytest.mark.parametrize("detector", ["detect", "middle"])
def test_models_and_runtimes_change_without_a_dropped_frame(detector: str, qapp) -> None:
    """Each number that left the camera comes to the screen once and in order, with the old or the new model's marks."""
    live = Live(options=Options(detector=detector))
    live.set_runtime(open_runtime(MODELS[5], "packed"))
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
        until(lambda: qapp.processEvents() or len(seen) >= count)

    live.ready.connect(take)
    handed, live._pipeline._on_result = live._pipeline._on_result, hand_over
    try:
        live.start(lambda: Numbered.endless(0.06))
        drawn(3)  # the first detector is made among the frames
        before, first = live.dropped, len(seen)
        worked.clear()
        for count, name in CHANGES:
            live.load(lambda count=count, name=name: open_runtime(MODELS[count], name))
            drawn(len(seen) + 4)
        dropped, numbers = live.dropped - before, [number for number, _, _ in seen[first:]]
    finally:
        assert live.close()
    assert numbers == sorted(set(numbers)) == [index for _, index, _ in seen[first:]]
    assert {model for _, _, model in seen} == {"small 5", "small 7"}
    # Of an idle machine no frame is missing; what others take from a busy one says nothing about this program, so
    # that what a frame waits for is told by the processor's time: less than making a detector takes.
    assert max(np.diff(worked)) < max(0.7 * cost_of_a_detector(), 0.02)
    assert len(numbers) + dropped >= numbers[-1] - numbers[0] + 1 and dropped <= len(numbers) / 4


def test_a_detector_made_for_one_model_does_not_look_for_the_other(runtime) -> None:
    pipeline, other = Watcher().pipeline, open_runtime(small_model(7), "reference")
    pipeline.set_runtime(runtime, ("middle", Middle()))
    pipeline.set_second(other)
    pipeline.swap()
    assert (pipeline.runtime, pipeline._wanted.second, pipeline._wanted.made) == (other, runtime, None)
    pipeline.set_second(None)
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
