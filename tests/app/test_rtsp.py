"""RTSP from a real server on loopback: pictures, a stall, a drop, and back again."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from app.services.live_values import State
from app.sources import Stream
from tests.app.live_bench import Watcher, until
from tests.app.rtsp import SIZE, RtspServer


@pytest.fixture
def rtsp() -> Iterator[RtspServer]:
    server = RtspServer()
    yield server
    server.close()


def test_pictures_come_and_a_silent_camera_is_given_up_in_time(rtsp: RtspServer) -> None:
    stream = Stream(rtsp.url, patience_ms=700)
    stream.open()
    frames = [stream.read() for _ in range(5)]
    assert all(frame is not None and frame.pixels.shape == (SIZE[1], SIZE[0], 3) for frame in frames)
    red, green, blue = frames[-1].pixels[60, 80].astype(int)
    assert abs(blue - 40) < 12 and abs(green - 80) < 12 and red > 100
    rtsp.mode = "stall"
    begin = time.monotonic()
    while stream.read() is not None:
        assert time.monotonic() - begin < 5
    assert time.monotonic() - begin < 3
    stream.close()


@pytest.mark.parametrize("fault", ["stall", "drop"])
def test_it_comes_back_after_a_fault(rtsp: RtspServer, fault: str) -> None:
    watcher = Watcher()
    watcher.pipeline.start(Stream(rtsp.url, patience_ms=700))
    try:
        until(lambda: len(watcher.results) >= 3)
        rtsp.mode = fault
        until(lambda: watcher.pipeline.state in (State.LOST, State.STALLED), 6)
        rtsp.mode = "send"
        count = len(watcher.results)
        until(lambda: len(watcher.results) > count + 2, 12)
        assert watcher.pipeline.state is State.RUNNING
    finally:
        assert watcher.pipeline.stop()
