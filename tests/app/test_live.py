"""The live service for Qt: one signal, one result, no thread left."""

from __future__ import annotations

import threading

import pytest

from app.services.live import Live
from app.services.pipeline import Options
from app.sources.synthetic import Step, Synthetic
from engine import detect
from engine.runtime import open_runtime
from tests.app.live_bench import Middle, until
from tests.app.small import small_model


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
