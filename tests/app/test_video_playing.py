"""How videos are played: again and again, step by step, as they were held; very short ones."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

from app.sources import Video
from app.sources.indexing import packets
from app.sources.transport import Transport
from tests.app.mp4 import turned
from tests.app.videos import EVEN, coded, number_in, write_coded


def damaged(path: Path, numbers: range) -> Path:
    """A clip of 60 single pictures, of which these cannot be read."""
    data = bytearray(write_coded(path, codec="mjpeg").read_bytes())
    with av.open(str(path)) as container:
        for number, packet in enumerate(container.demux(video=0)):
            if number in numbers:
                data[packet.pos : packet.pos + packet.size] = bytes(packet.size)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("suffix", ["mp4", "ts", "mkv", "avi", "webm", "gif"])
@pytest.mark.parametrize("count", [1, 2])
def test_videos_of_hardly_a_frame_open_and_do_not_race(suffix: str, count: int, tmp_path: Path) -> None:
    codec = {"avi": "mpeg4", "webm": "libvpx-vp9", "gif": "gif"}.get(suffix, "libx264")
    video = Video(write_coded(tmp_path / f"a.{suffix}", EVEN[:count], codec), loop=True)
    video.open()
    assert video.count == count
    begin, seen = time.monotonic(), []
    while time.monotonic() < begin + 0.25:
        frame = video.read()
        seen.append((frame.index, number_in(frame.pixels)))
    assert 2 <= len(seen) < 15 and set(seen) == {(n, n) for n in range(count)}
    video.close()


def test_a_stream_that_begins_in_the_middle_is_passed_over() -> None:
    """PyAV raises IndexError for the packet of a stream that it has not met, as damage makes them; then it goes on."""
    sizes = iter([5, 0, 7, None, 3, None, 4])

    class Container:
        def demux(self, stream: object):
            for size in sizes:
                if size is None:
                    raise IndexError("list index out of range")
                yield SimpleNamespace(size=size)

    assert [packet.size for packet in packets(Container(), None)] == [5, 7, 3, 4]


def test_the_last_frame_lasts_before_the_first_comes_again(tmp_path: Path) -> None:
    video = Video(write_coded(tmp_path / "a.mp4", [0.0, 0.1, 0.2]), loop=True)
    video.open()
    frames = [video.read() for _ in range(7)]
    assert [frame.index for frame in frames] == [0, 1, 2, 0, 1, 2, 0]
    took = [later.time - frame.time for frame, later in zip(frames, frames[1:], strict=False)]
    # The file says how long the last one lasts; a tenth of a second or the encoder's own rate.
    assert took[2] > 0.025 and took[5] > 0.025 and frames[6].time - frames[0].time > 0.45
    video.close()


def test_a_frame_that_was_sought_lasts_as_long_as_others(tmp_path: Path) -> None:
    video = Video(write_coded(tmp_path / "a.mp4", [n / 5 for n in range(5)]))
    video.open()
    video.transport.seek(2)
    frames = [video.read() for _ in range(2)]
    assert [frame.index for frame in frames] == [2, 3]
    assert 0.1 < frames[1].time - frames[0].time < 0.5
    video.close()


def test_a_video_that_ends_too_early_goes_round_too(tmp_path: Path) -> None:
    """Its index promises more frames than can be read."""
    video = Video(damaged(tmp_path / "a.mov", range(20, 60)), loop=True, paced=False)
    video.open()
    assert [video.read().index for _ in range(70)] == [*range(20), *range(20), *range(20), *range(10)]
    assert video.count == 20 and video.unreadable == list(range(20, 60))
    video.close()


def test_every_press_of_a_key_that_is_held_down_counts() -> None:
    """Also while the frame that an earlier press asked for is still on its way."""
    transport = Transport()
    transport.times = tuple(n / 30 for n in range(60))
    transport.came(10)
    for _ in range(3):
        transport.step(1)
        wish = transport.take_target()
    assert wish.index == 13
    transport.step(-1)
    assert transport.take_target().index == 12
    transport.came(12)
    transport.step(1)
    assert transport.take_target().index == 13


def test_steps_back_and_forth_pass_over_what_cannot_be_read(tmp_path: Path) -> None:
    video = Video(damaged(tmp_path / "a.mov", range(20, 33)), paced=False)
    video.open()
    readable = []
    while (frame := video.read()) is not None:
        readable.append((frame.index, number_in(frame.pixels)))
    video.close()
    assert readable == [(n, n) for n in range(60) if n not in range(20, 33)]
    video = Video(video.path, hold=True)
    video.open()
    video.transport.pause()
    video.transport.seek(59)
    frame = video.read()
    back = [(frame.index, number_in(frame.pixels))]
    while back[-1][0] > 0:
        video.transport.step(-1)
        frame = video.read()
        back.append((frame.index, number_in(frame.pixels)))
    assert back == readable[::-1]
    assert video.unreadable == list(range(20, 33))
    video.close()


def test_a_seek_behind_what_can_be_read_gives_the_last_frame(tmp_path: Path) -> None:
    video = Video(damaged(tmp_path / "a.mov", range(40, 60)), hold=True)
    video.open()
    video.transport.pause()
    assert video.count == 60
    video.transport.seek(55)
    frame = video.read()
    assert frame.index == number_in(frame.pixels) == 39
    assert video.count == 40 and video.unreadable == list(range(40, 60))
    video.close()


def test_a_wish_at_the_very_end_is_not_lost_where_it_goes_round(tmp_path: Path) -> None:
    """Seeks while a short clip turns round and round: each is obeyed."""
    video = Video(write_coded(tmp_path / "a.mp4", EVEN[:3], gop=1), loop=True, paced=False)
    video.open()
    given: list[int] = []
    stop = threading.Event()

    def reads() -> None:
        while not stop.is_set():
            given.append(getattr(video.read(), "index", -1))

    thread = threading.Thread(target=reads, daemon=True)
    thread.start()
    for n in range(60):
        video.transport.step(n % 3 - 1)  # pauses there
        deadline = time.monotonic() + 3
        while video.transport.sought or video.transport._heading is not None:
            assert time.monotonic() < deadline
            time.sleep(0.0005)
        before = len(given)
        time.sleep(0.002)
        assert len(given) - before <= 1 and not video.transport.playing
        video.transport.play()
    stop.set()
    video.interrupt()
    thread.join(2)
    video.close()


@pytest.mark.parametrize(
    "matrix", [(1, 0, 0, 1), (0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0), (-1, 0, 0, 1), (1, 0, 0, -1), (0, 1, 1, 0),
               (0, -1, -1, 0)],
)  # fmt: skip
def test_a_video_stands_upright_as_it_was_held(matrix: tuple[int, int, int, int], tmp_path: Path) -> None:
    """Turned by quarters and mirrored: every corner of the picture lies where the file says."""
    video = Video(turned(write_coded(tmp_path / "a.mp4", EVEN[:2]), "b.mp4", matrix), paced=False)
    video.open()
    video.read()
    shown = video.read().pixels
    a, b, c, d = matrix
    stored = coded(1).astype(int)
    high, wide = stored.shape[:2]
    for x in (7, 23, 150):
        for y in (10, 50):
            across, along = 2 * x - wide + 1, 2 * y - high + 1  # twice the way from the middle
            right, down = a * across + c * along, b * across + d * along
            place = (down + shown.shape[0] - 1) // 2, (right + shown.shape[1] - 1) // 2
            assert np.abs(shown[place] - stored[y, x]).max() < 30
    video.close()


@pytest.mark.parametrize("gone", [[(0.4, 0.5)], [(0.1, 0.12), (0.45, 0.5), (0.9, 0.93)], [(0.3, 0.31)]])
@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
def test_what_leans_on_lost_parts_of_a_broadcast_is_not_shown(codec: str, gone: list, tmp_path: Path) -> None:
    """A decoder fills holes with what was there before; no frame may be shown that is not of its time."""
    data = bytearray(write_coded(tmp_path / "a.ts", codec=codec, options={"x264-params": "open-gop=1"}).read_bytes())
    for begin, end in reversed(gone):
        del data[int(len(data) * begin) // 188 * 188 : int(len(data) * end) // 188 * 188]
    path = tmp_path / "b.ts"
    path.write_bytes(data)
    video = Video(path, paced=False)
    video.open()
    frames = []
    while (frame := video.read()) is not None:
        frames.append(frame)
    first = number_in(frames[0].pixels)
    assert [number_in(f.pixels) for f in frames] == [first + round(f.moment * 30) for f in frames] and len(frames) > 8
    shown = {frame.index for frame in frames}
    assert shown | set(video.unreadable) >= set(range(video.count)) and not shown & set(video.unreadable)
    video.close()
    again = Video(path, hold=True)
    again.open()
    again.transport.pause()
    for frame in frames[::-3]:
        again.transport.seek(frame.index)
        assert number_in(again.read().pixels) == number_in(frame.pixels)
    again.close()
