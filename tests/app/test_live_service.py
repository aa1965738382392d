"""The live pipeline: newest wins, nothing queues, nothing hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from app.services.grabber import Grabber
from app.services.live_values import State, Wanted
from app.services.mailbox import Mailbox
from app.services.seeing import Caught, Seeing
from app.sources import Stream
from app.sources.synthetic import Step, Synthetic
from engine import detect
from engine.predictor import Predictor
from engine.runtime import open_runtime
from engine.types import Frame
from tests.app.live_bench import Middle, Slow, Watcher, until
from tests.app.small import small_model


@pytest.fixture(scope="module")
def runtime():
    return open_runtime(small_model(5), "reference")


@pytest.fixture(autouse=True)
def middle(monkeypatch: pytest.MonkeyPatch) -> Middle:
    detector = Middle()
    monkeypatch.setitem(detect.DETECTORS, "middle", lambda runtime=None: detector)
    return detector


@pytest.fixture
def watch(runtime) -> Iterator[Callable[..., Watcher]]:
    made: list[Watcher] = []

    def make(**options) -> Watcher:
        made.append(Watcher(**options))
        made[-1].pipeline.set_runtime(runtime)
        return made[-1]

    yield make
    for watcher in made:
        watcher.pipeline.stop()
    until(lambda: not [t for t in threading.enumerate() if t.name in ("grab", "predict")])


def test_mailbox_keeps_the_newest_and_counts_the_rest() -> None:
    box: Mailbox[int] = Mailbox()
    assert box.put(1) is True
    assert box.put(2) is False and box.dropped == 1
    assert box.take() == 2 and box.take() is None
    threading.Timer(0.05, box.put, (3,)).start()
    assert box.take(2.0) == 3
    box.close()
    assert box.put(4) is True and box.take(0.5) is None


def test_results_carry_their_own_frame_and_prediction(watch) -> None:
    watcher = watch()
    watcher.pipeline.start(Synthetic.endless(0.01))
    until(lambda: len(watcher.results) >= 5)
    watcher.pipeline.stop()
    indices = [result.frame.index for result in watcher.results]
    assert indices == sorted(set(indices))
    result = watcher.results[-1]
    subject = result.subjects[0]
    assert subject.number == 1 and subject.prediction.landmarks.shape == (5, 3) and subject.shown.shape == (5, 2)
    expected = Predictor(watcher.pipeline.runtime, Middle()).predict_box(result.frame.pixels, subject.prediction.box)
    np.testing.assert_array_equal(subject.prediction.landmarks, expected.landmarks)
    timing = result.timing
    assert timing.engine > 0 and timing.total == pytest.approx(
        timing.capture + timing.wait + timing.detect + timing.engine + timing.decode
    )
    assert watcher.kinds == [State.OPENING, State.RUNNING, State.IDLE]


def test_latency_stays_flat_when_the_engine_is_slower_than_the_camera(watch, runtime) -> None:
    watcher = watch()
    watcher.pipeline.set_runtime(Slow(runtime, 0.05))
    watcher.pipeline.start(Synthetic.endless(0.01))
    until(lambda: len(watcher.results) >= 14, 20)
    age = [result.timing.wait for result in watcher.results]
    assert max(age[-5:]) < 0.3  # a queue would hold all frames since the start: more than half a second by now
    assert watcher.pipeline.dropped > len(watcher.results)
    assert watcher.results[-1].frame.index > 2 * len(watcher.results)


def test_freeze_keeps_the_last_result_and_resume_goes_on(watch) -> None:
    watcher = watch()
    watcher.pipeline.start(Synthetic.endless(0.01))
    until(lambda: len(watcher.results) >= 3)
    watcher.pipeline.freeze()
    time.sleep(0.2)  # one that was under way may still arrive
    count = len(watcher.results)
    time.sleep(0.3)
    assert len(watcher.results) == count
    watcher.pipeline.freeze(False)
    until(lambda: len(watcher.results) > count + 2)
    assert watcher.results[-1].timing.wait < 0.5  # fresh, not what waited meanwhile


def blocking() -> tuple[Synthetic, threading.Event]:
    """A source that gives three pictures and hangs in the read after them; the event tells that it has got there."""
    there = threading.Event()

    def script() -> Iterator[Step]:
        yield from [Step()] * 3
        there.set()
        yield Step("block")

    return Synthetic(script(), 0.01), there


def test_stop_is_over_in_time_while_a_read_blocks(watch) -> None:
    watcher, (source, there) = watch(), blocking()
    watcher.pipeline.start(source)
    until(lambda: len(watcher.results) >= 1 and there.is_set())
    begin = time.monotonic()
    assert watcher.pipeline.stop() is False
    assert time.monotonic() - begin < 3
    said = len(watcher.states)
    source.release()
    until(lambda: source.closed == 1)
    assert len(watcher.states) == said  # nobody listens to a thread that was left behind


def test_another_source_starts_at_once_while_a_read_blocks(watch) -> None:
    """Nobody waits for a dead camera before the next one; its thread is waited for at the end."""
    watcher, (blocked, there) = watch(), blocking()
    watcher.pipeline.start(blocked)
    until(lambda: len(watcher.results) >= 1 and there.is_set())
    begin = time.monotonic()
    assert watcher.pipeline.start(Synthetic.endless(0.01)) is False
    assert time.monotonic() - begin < 5  # the read blocks for ever
    before = len(watcher.results)
    until(lambda: len(watcher.results) > before + 5)
    assert watcher.pipeline.state is State.RUNNING
    blocked.release()
    assert watcher.pipeline.stop() and blocked.closed == 1


@pytest.mark.parametrize("moment", ["opening", "lost", "frozen", "running"])
def test_stop_is_quick_in_any_state(watch, moment: str) -> None:
    watcher = watch()
    script = [Step()] * 3 + [Step("nothing")] * 100 if moment == "lost" else [Step()] * 10_000
    source = Synthetic(script, 0.01, refuse=100 if moment == "opening" else 0)
    watcher.pipeline.start(source)
    if moment in ("opening", "lost"):
        until(lambda: State.LOST in watcher.kinds)
    else:
        until(lambda: len(watcher.results) > 1)
        watcher.pipeline.freeze(moment == "frozen")
    begin = time.monotonic()
    assert watcher.pipeline.stop() is True
    assert time.monotonic() - begin < 1.5
    assert source.closed == (0 if moment == "opening" else source.opened)


def test_a_lost_camera_is_told_at_once_and_comes_back(watch) -> None:
    watcher = watch()
    source = Synthetic([Step(), Step()] + [Step("nothing")] * 3 + [Step()] * 1000, 0.01)
    watcher.pipeline.start(source)
    until(lambda: State.LOST in watcher.kinds, 2.0)
    assert watcher.sentence(State.LOST).endswith(".")
    until(lambda: watcher.kinds[-1] is State.RUNNING)
    assert source.opened >= 4
    until(lambda: watcher.results[-1].frame.index > 4)


def test_one_bad_read_is_no_news(watch) -> None:
    watcher = watch()
    watcher.pipeline.start(Synthetic([Step(), Step("nothing")] + [Step()] * 1000, 0.01))
    until(lambda: len(watcher.results) > 3)
    assert watcher.kinds == [State.OPENING, State.RUNNING]


def test_a_blocking_camera_counts_as_stalled_within_two_seconds(watch) -> None:
    watcher = watch()
    source = Synthetic([Step(), Step(), Step("block")] + [Step()] * 1000, 0.01)
    watcher.pipeline.start(source)
    until(lambda: len(watcher.results) >= 1)
    begin = time.monotonic()
    until(lambda: State.STALLED in watcher.kinds, 3)
    assert time.monotonic() - begin < 2.2
    source.release()
    until(lambda: watcher.kinds[-1] is State.RUNNING)


def test_a_camera_that_repeats_its_picture_counts_as_stalled(watch) -> None:
    watcher = watch()
    watcher.pipeline.start(Synthetic([Step()] + [Step("same")] * 100_000, 0.02))
    begin = time.monotonic()
    until(lambda: State.STALLED in watcher.kinds, 3)
    assert time.monotonic() - begin < 2.5
    assert len(watcher.results) == 1  # the repeated picture is not predicted again


def test_a_still_stream_is_no_fault() -> None:
    """Only a sensor's noise makes equal pictures suspicious."""
    source = Synthetic([Step()] + [Step("same")] * 40, 0.05, live=False)
    source.noisy = False
    said: list[str] = []
    grabber = Grabber(source, Mailbox(), lambda kind, text: said.append(kind))
    grabber.start()
    until(lambda: "ended" in said)
    assert set(said) == {"running", "ended"} and grabber.frames == 41
    grabber.join(1)
    assert not grabber.is_alive()


def test_size_may_change_in_mid_stream(watch) -> None:
    watcher = watch()
    sizes = [(640, 480), (1920, 1080), (1, 1), (7, 3), (160, 120)] * 4
    watcher.pipeline.start(Synthetic([Step(size=size) for size in sizes], 0.15, live=False))
    assert watcher.pipeline.wait_ended(20)
    seen = {result.frame.pixels.shape[1::-1] for result in watcher.results}
    assert len(seen) >= 3 and watcher.kinds[-1] is State.ENDED
    assert all(np.isfinite(s.shown).all() for result in watcher.results for s in result.subjects)


def test_no_face_is_a_normal_result(watch, middle) -> None:
    middle.boxes = []
    watcher = watch()
    watcher.pipeline.start(Synthetic.endless(0.01))
    until(lambda: len(watcher.results) >= 5)
    assert all(result.subjects == () for result in watcher.results)
    middle.boxes = None
    until(lambda: watcher.results[-1].subjects != ())


def test_without_a_model_frames_pass(watch) -> None:
    watcher = watch()
    watcher.pipeline.set_runtime(None)
    watcher.pipeline.start(Synthetic.endless(0.01))
    until(lambda: len(watcher.results) >= 3)
    assert watcher.results[-1].subjects == () and watcher.results[-1].model == ""


def test_model_and_options_change_while_running(watch) -> None:
    watcher = watch(limit=1)
    watcher.pipeline.start(Synthetic.endless(0.01))
    until(lambda: len(watcher.results) >= 2)
    assert watcher.results[-1].subjects[0].prediction.heatmaps is None
    watcher.pipeline.set_runtime(open_runtime(small_model(7), "reference"))
    watcher.pipeline.change(heatmaps=True)
    until(lambda: len(watcher.results[-1].subjects[0].shown) == 7)
    until(lambda: watcher.results[-1].subjects[0].prediction.heatmaps is not None)


def test_a_file_that_fails_says_so_and_ends(watch) -> None:
    watcher = watch()
    watcher.pipeline.start(Synthetic([Step(), Step("raise")], live=False))
    assert watcher.pipeline.wait_ended(5)
    assert watcher.kinds[-1] is State.FAILED and "start it again" in watcher.sentence(State.FAILED)


def test_a_camera_on_the_network_that_drops_and_returns(watch, mjpeg) -> None:
    watcher = watch()
    watcher.pipeline.start(Stream(mjpeg.url, patience_ms=500))
    until(lambda: len(watcher.results) >= 3)
    mjpeg.mode = "stall"
    begin = time.monotonic()
    until(lambda: watcher.kinds[-1] in (State.LOST, State.STALLED))
    assert time.monotonic() - begin < 2.5
    mjpeg.mode = "send"
    count = len(watcher.results)
    until(lambda: len(watcher.results) > count + 2)
    assert watcher.kinds[-1] is State.RUNNING


def test_frames_are_never_negative_old() -> None:
    """A source's clock may run ahead; no age is below zero."""
    now = time.monotonic()
    frame = Frame(np.zeros((2, 2, 3), np.uint8), now + 60)
    result = Seeing(lambda sentence: None).see(Caught(frame, now), Wanted())
    assert result.timing.capture == 0 and result.timing.wait == 0
