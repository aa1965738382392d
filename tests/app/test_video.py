"""Video files frame by frame against what is truly in them: variable rate, cut, transport stream, joined, damaged."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.sources import Folder, SourceError, Video
from app.sources.transport import Transport
from engine.images import encode_png
from tests.app.live_bench import until
from tests.app.mp4 import edited
from tests.app.videos import EVEN, UNEVEN, coded, number_in, part, trimmed, write_coded

WRAP = 2**33 / 90000 - 1.4  # seconds after which a transport stream's clock starts again, less what the writer adds
OPEN_GOP = {"x264-params": "open-gop=1"}
MAKERS: dict[str, Callable[[Path], tuple[Path, list[int]]]] = {
    "variable mp4": lambda d: (write_coded(d / "a.mp4", UNEVEN), list(range(60))),
    "variable mkv": lambda d: (write_coded(d / "a.mkv", UNEVEN), list(range(60))),
    "variable ts": lambda d: (write_coded(d / "a.ts", UNEVEN), list(range(60))),
    "open groups ts": lambda d: (write_coded(d / "a.ts", gop=20, options=OPEN_GOP), list(range(60))),
    "refreshed ts": lambda d: (
        write_coded(d / "a.ts", gop=15, options={"x264-params": "intra-refresh=1"}), list(range(60))
    ),
    "reordered avi": lambda d: (write_coded(d / "a.avi"), list(range(60))),
    "mpeg-4 avi": lambda d: (write_coded(d / "a.avi", codec="mpeg4"), list(range(60))),
    "program stream": lambda d: (write_coded(d / "a.mpg", codec="mpeg2video"), list(range(60))),
    "vp9 webm": lambda d: (write_coded(d / "a.webm", UNEVEN, "libvpx-vp9"), list(range(60))),
    "cut ts": lambda d: (part(write_coded(d / "a.ts"), "b.ts", 0.3, 1), list(range(24, 60))),
    "trimmed mp4": lambda d: (trimmed(write_coded(d / "a.mp4", UNEVEN), "b.mp4", 2.0), list(range(12, 60))),
    "cut mp4": lambda d: (
        part(write_coded(d / "a.mp4", UNEVEN, container={"movflags": "frag_keyframe+empty_moov"}), "b.mp4", 0, 0.66),
        list(range(60)),
    ),
    "cut avi": lambda d: (part(write_coded(d / "a.avi", codec="mjpeg"), "b.avi", 0, 0.66), list(range(60))),
    "mpeg-2 ts cut at both ends": lambda d: (
        part(write_coded(d / "a.ts", codec="mpeg2video"), "b.ts", 0.3, 0.83), list(range(60))
    ),
    "cut within a group mp4": lambda d: (
        trimmed(write_coded(d / "a.mp4"), "b.mp4", 20 / 30, True), list(range(20, 60))
    ),
    "cut within a group mov": lambda d: (
        trimmed(write_coded(d / "a.mov", codec="libx265", gop=40), "b.mov", 1, True), list(range(30, 60))
    ),
    "two edits mp4": lambda d: (
        edited(write_coded(d / "a.mp4", gop=20), "b.mp4", [(10 / 30, 5 / 30), (12 / 30, 1)]),
        [*range(5, 15), *range(30, 42)],
    ),
    "edits in another order mp4": lambda d: (
        edited(write_coded(d / "a.mp4", gop=20), "b.mp4", [(10 / 30, 1), (0.3, 5 / 30), (0.3, 5 / 30)]),
        [*range(30, 40), *range(5, 14), *range(5, 14)],
    ),
    "gif": lambda d: (write_coded(d / "a.gif", [n / 25 for n in range(60)], "gif"), list(range(60))),
    "apng": lambda d: (write_coded(d / "a.apng", UNEVEN, "apng"), list(range(60))),
    "a new clock ts": lambda d: (
        write_coded(d / "a.ts", [n / 30 + 36000 * (n > 29) for n in range(60)]), list(range(60))
    ),
    "clock runs over ts": lambda d: (write_coded(d / "a.ts", [n / 30 + WRAP - 1 for n in range(60)]), list(range(60))),
    "joined ts": lambda d: (joined(write_coded(d / "a.ts")), [*range(60), *range(60)]),
}  # fmt: skip
BROKEN_OFF = ("cut mp4", "cut avi", "mpeg-2 ts cut at both ends")


def joined(path: Path) -> Path:
    """Twice the same, as when files are put one behind the other: all timestamps come twice."""
    path.write_bytes(path.read_bytes() * 2)
    return path


def paused(path: Path) -> Video:
    video = Video(path, hold=True)
    video.open()
    video.transport.pause()
    return video


@pytest.mark.parametrize("name", MAKERS)
def test_frames_come_in_order_and_seeks_reach_the_very_frame(name: str, tmp_path: Path) -> None:
    path, truth = MAKERS[name](tmp_path)
    video = Video(path, paced=False)
    video.open()
    frames = []
    while (frame := video.read()) is not None:
        frames.append(frame)
    indices = [frame.index for frame in frames]
    carried = {frame.index: number_in(frame.pixels) for frame in frames}
    if name in BROKEN_OFF:  # how far one comes depends on the encoder; packets near the end may be missing
        first = carried[0]
        assert 20 < len(indices) <= video.count < 45
        assert list(carried.values())[:20] == truth[first : first + 20]
        assert list(carried.values()) == sorted(set(carried.values())) and indices == sorted(set(indices))
    else:
        assert list(carried.values()) == truth and indices == list(range(len(truth)))
        assert video.count == len(truth) and not video.unreadable
    moments = [frame.moment for frame in frames]
    assert moments[0] == 0 and moments == sorted(moments) and moments[-1] < 60
    video.close()
    video = paused(path)
    chance = random.Random(3)
    for _ in range(25):
        wanted = chance.choice(indices)
        video.transport.seek(wanted)
        frame = video.read()
        assert (frame.index, number_in(frame.pixels)) == (wanted, carried[wanted])
        assert frame.moment == moments[indices.index(wanted)]
    here = 10
    video.transport.seek(here)
    video.read()
    for by in (1, 1, -1, -2, -3, 4, 1):
        here += by
        video.transport.step(by)
        frame = video.read()
        assert (frame.index, number_in(frame.pixels)) == (here, carried[here])
    video.close()


def test_times_are_the_files_own(tmp_path: Path) -> None:
    video = Video(write_coded(tmp_path / "a.mp4", UNEVEN))
    video.open()
    np.testing.assert_allclose(video.transport.times, np.array(UNEVEN) - UNEVEN[0], atol=2e-5)
    video.close()


def test_a_variable_rate_plays_at_its_own_times_and_faster_when_asked(tmp_path: Path) -> None:
    times = [0.0, 0.05, 0.1, 0.5, 0.55]
    for speed in (1.0, 4.0):
        video = Video(write_coded(tmp_path / "a.mp4", times))
        video.open()
        video.transport.set_speed(speed)
        arrived = []
        while (frame := video.read()) is not None:
            arrived.append((frame.index, frame.time))
        video.close()
        assert arrived[0][0] == 0 and arrived[-1][0] == 4
        moment = dict(arrived)
        assert moment[4] - moment[0] == pytest.approx(0.55 / speed, abs=0.15 / speed + 0.05)


def test_pause_ends_a_wait_and_loses_no_frame(tmp_path: Path) -> None:
    video = Video(write_coded(tmp_path / "a.mp4", [n * 0.4 for n in range(8)]), hold=True)
    video.open()
    assert video.read().index == 0
    given: list[int] = []

    def reads() -> None:
        while (frame := video.read()) is not None:
            given.append(frame.index)

    thread = threading.Thread(target=reads, daemon=True)
    thread.start()
    video.transport.pause()
    time.sleep(0.6)
    assert given == []
    video.transport.step(1)
    until(lambda: given == [1])
    video.transport.set_speed(20)
    video.transport.play()
    until(lambda: not video.transport.playing)  # it stays at the last frame
    assert given == list(range(1, 8)) and video.transport.position == 7
    video.transport.play()
    until(lambda: given[-1] == 7 and given.count(0) == 1)
    video.interrupt()
    thread.join(2)
    assert not thread.is_alive()
    video.close()


def test_the_newest_of_many_seeks_counts(tmp_path: Path) -> None:
    video = paused(write_coded(tmp_path / "a.mp4", gop=60))
    for index in (50, 3, 40):
        video.transport.seek(index)
    assert number_in(video.read().pixels) == 40
    video.transport.seek(999)
    assert video.read().index == 59
    video.transport.step(-1000)
    assert video.read().index == 0
    video.close()


def test_a_hole_in_a_file_costs_no_more_than_what_was_in_it(tmp_path: Path) -> None:
    """Damage in the middle: what comes before and after is there."""
    path = write_coded(tmp_path / "a.avi", codec="mjpeg")
    data = bytearray(path.read_bytes())
    half = len(data) // 2
    data[half : half + 3000] = bytes(3000)
    path.write_bytes(data)
    video = Video(path, paced=False)
    video.open()
    seen, carried = [], []
    while (frame := video.read()) is not None:
        seen.append(frame.index)
        carried.append(number_in(frame.pixels))
    assert carried[:20] == list(range(20)) and carried[-10:] == sorted(carried[-10:]) and carried[-1] == 59
    assert seen == sorted(set(seen))
    assert len(seen) + len(video.unreadable) >= 50 and not set(seen) & set(video.unreadable)
    video.close()


def test_files_that_only_point_elsewhere_are_refused(tmp_path: Path) -> None:
    other = write_coded(tmp_path / "a.ts", EVEN[:10])
    lists = {
        "list.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{other}\n#EXT-X-ENDLIST\n",
        "concat.mkv": f"ffconcat version 1.0\nfile {other.name}\n",
        "empty.mp4": "",
    }
    for name, text in lists.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(SourceError, match="does not open"):
            Video(tmp_path / name).open()


@pytest.mark.parametrize("suffix", ["mp4", "ts", "avi", "mkv"])
def test_damaged_files_neither_crash_nor_hang(suffix: str, tmp_path: Path) -> None:
    """Bytes at random: a sentence, or frames; never more than two seconds."""
    data = write_coded(tmp_path / f"a.{suffix}", EVEN[:24], "mpeg4" if suffix == "avi" else "libx264").read_bytes()
    rng = np.random.default_rng(5)
    for _ in range(12):
        broken = bytearray(data[: int(len(data) * rng.uniform(0.3, 1))])
        for place in rng.integers(0, len(broken), rng.integers(1, 40)):
            broken[place] = rng.integers(0, 256)
        (tmp_path / f"b.{suffix}").write_bytes(broken)
        video = Video(tmp_path / f"b.{suffix}", paced=False)
        begin = time.monotonic()
        try:
            video.open()
            indices = []
            while (frame := video.read()) is not None:
                indices.append(frame.index)
            assert indices == sorted(set(indices))
        except SourceError:
            pass
        video.close()
        assert time.monotonic() - begin < 2


def test_a_folder_has_the_same_transport(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.png").write_bytes(encode_png(coded(number)))
    (tmp_path / "2.png").write_bytes(b"no picture")
    folder = Folder(tmp_path, seconds=30, hold=True)
    folder.open()
    assert number_in(folder.read().pixels) == 0
    seen = []
    for by in (1, 1, 1, -3, 1):
        folder.transport.step(by)
        frame = folder.read()
        seen.append((frame.index, number_in(frame.pixels)))
    assert seen == [(1, 1), (3, 3), (4, 4), (1, 1), (3, 3)]
    folder.close()


def test_the_clock_starts_anew_after_a_long_wait() -> None:
    now = [0.0]
    transport = Transport(clock=lambda: now[0])
    assert transport.late(0.1) == 0
    assert transport.late(0.1) == pytest.approx(0.1)
    now[0] = 0.35
    assert transport.late(0.1) == pytest.approx(-0.15)  # late: catch up
    now[0] = 60.0
    assert transport.late(0.1) == 0  # after a gap: no burst
    with pytest.raises(ValueError):
        transport.set_speed(0)
