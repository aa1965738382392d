"""One contract for every source, and what is particular to each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.sources import Folder, Source, SourceError, Stream, Video, open_place
from app.sources.base import as_rgb
from app.sources.camera import Camera, CameraInfo, list_cameras
from app.sources.synthetic import Step, Synthetic
from engine.errors import UserError
from engine.images import encode_png
from engine.opencv import cv2
from engine.types import Frame
from tests.app.rtsp import RtspServer
from tests.app.videos import write_coded

KINDS = ["video", "animation", "folder", "stream", "rtsp", "camera", "synthetic"]


def write_video(path: Path, frames: int = 12, rate: float = 25.0) -> Path:
    """A clip whose n-th frame is red, n x 20 bright."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), rate, (64, 48))
    for n in range(frames):
        writer.write(np.full((48, 64, 3), (0, 0, n * 20), np.uint8))
    writer.release()
    return path


def write_folder(path: Path, names: tuple[str, ...] = ("img10.png", "img2.png", "IMG1.png")) -> Path:
    path.mkdir()
    for name in names:
        number = int("".join(c for c in name if c.isdigit()))
        (path / name).write_bytes(encode_png(np.full((30, 40, 3), (number, 0, 200), np.uint8)))
    return path


@pytest.fixture
def make(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str], Source]:
    def make_source(kind: str) -> Source:
        if kind == "video":
            return Video(write_video(tmp_path / "clip.mp4"))
        if kind == "folder":
            return Folder(write_folder(tmp_path / "shots"), seconds=0.05)
        if kind == "animation":
            return Video(write_coded(tmp_path / "clip.gif", [n / 25 for n in range(12)], "gif"))
        if kind == "rtsp":
            server = RtspServer()
            request.addfinalizer(server.close)
            return Stream(server.url)
        if kind == "camera":  # a file in the device's place: OpenCV reads both by the same calls
            path = str(write_video(tmp_path / "clip.avi", 60))
            return Camera(CameraInfo("A camera", path, cv2.CAP_FFMPEG))
        if kind == "stream":
            return Stream(request.getfixturevalue("mjpeg").url)
        return Synthetic([Step()] * 12, period=0.01)

    return make_source


@pytest.mark.parametrize("kind", KINDS)
def test_contract(kind: str, make: Callable[[str], Source]) -> None:
    """Frames are read-only RGB with rising index and time; open works again after close; close twice is harmless."""
    source = make(kind)
    assert isinstance(source, Source) and source.title and "\n" not in source.title
    assert source.read() is None  # not open yet
    for _ in range(2):
        source.open()
        frames = [source.read() for _ in range(3)]
        assert all(isinstance(frame, Frame) for frame in frames)
        for before, after in zip(frames, frames[1:], strict=False):
            assert after.index > before.index and after.time >= before.time
        assert all(f.pixels.shape[2] == 3 and not f.pixels.flags.writeable and f.origin for f in frames)
        assert abs(frames[-1].time - time.monotonic()) < 2
        source.close()
        source.close()
        assert source.read() is None


@pytest.mark.parametrize("kind", KINDS)
def test_interrupt_ends_waiting_at_once(kind: str, make: Callable[[str], Source]) -> None:
    source = make(kind)
    source.open()
    source.read()
    begin = time.monotonic()
    timer = threading.Timer(0.05, source.interrupt)
    timer.start()
    while source.read() is not None:
        assert time.monotonic() - begin < 2
    timer.join()
    assert source.read() is None
    source.close()


def bad_sources(folder: Path) -> list[Callable[[], Source]]:
    (folder / "text.mp4").write_text("no video")
    (folder / "list.m3u8").write_text("#EXTM3U")
    (folder / "empty").mkdir()
    return [
        lambda: Video(folder / "gone.mp4"), lambda: Video(folder / "text.mp4"), lambda: Video(folder / "list.m3u8"),
        lambda: Folder(folder / "gone"), lambda: Folder(folder / "empty"), lambda: Stream("http://127.0.0.1:9/x", 300),
        lambda: Camera(CameraInfo("Camera 99", 99)), lambda: Synthetic([], refuse=1),
    ]  # fmt: skip


@pytest.mark.parametrize("number", range(8))
def test_errors_are_one_sentence_with_a_remedy(number: int, tmp_path: Path) -> None:
    source = bad_sources(tmp_path)[number]()
    with pytest.raises(SourceError) as caught:
        source.open()
    text = str(caught.value)
    assert isinstance(caught.value, UserError) and text.endswith(".") and (";" in text or "," in text)
    assert str(tmp_path) not in text
    source.close()


def test_video_has_its_colours_and_its_own_rate(tmp_path: Path) -> None:
    video = Video(write_video(tmp_path / "clip.mp4", frames=10, rate=50.0))
    video.open()
    begin = time.monotonic()
    frames = []
    while (frame := video.read()) is not None:
        frames.append(frame)
    assert 0.15 <= time.monotonic() - begin < 1.5  # nine periods of 20 ms; the machine may be busy
    assert frames[0].index == 0 and frames[-1].index == 9 and not video.unreadable
    last = frames[-1].pixels[24, 32].astype(int)
    assert abs(last - [180, 0, 0]).max() < 30  # red, not blue
    video.close()


def test_video_loops_and_counts_from_its_start(tmp_path: Path) -> None:
    video = Video(write_video(tmp_path / "clip.mp4", frames=3), loop=True, paced=False)
    video.open()
    assert [video.read().index for _ in range(7)] == [0, 1, 2, 0, 1, 2, 0]
    video.close()


def test_a_cut_video_tells_which_frames_are_missing(tmp_path: Path) -> None:
    """Cut short in its data (an avi's index says more): the frames that cannot be read are listed."""
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    for n in range(30):
        writer.write(np.random.default_rng(n).integers(0, 255, (48, 64, 3), np.uint8))
    writer.release()
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    video = Video(path, paced=False)
    video.open()
    indices = []
    while (frame := video.read()) is not None:
        indices.append(frame.index)
    assert 5 < len(indices) < 30 and indices == sorted(set(indices))
    assert not set(indices) & set(video.unreadable)
    video.close()


def test_folder_is_in_natural_order_and_passes_over_what_it_cannot_read(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "shots")
    (path / "img3.png").write_bytes(b"no picture")
    (path / "notes.txt").write_text("no picture either")
    folder = Folder(path, seconds=0)
    folder.open()
    reds = []
    while (frame := folder.read()) is not None:
        reds.append(int(frame.pixels[0, 0, 0]))
    assert reds == [1, 2, 10]
    assert list(folder.unreadable) == ["img3.png"]
    folder.close()


def test_folder_without_a_single_good_picture_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    folder = Folder(tmp_path, seconds=0, loop=True)
    folder.open()
    with pytest.raises(SourceError, match="No picture"):
        folder.read()


def test_stream_hides_what_is_secret_and_refuses_other_addresses() -> None:
    assert Stream("rtsp://user:secret@camera.local:554/live?key=1").title == "camera.local:554/live"
    for address in ("file:///etc/passwd", "concat:a|b", "http://", "", "http://[bad"):
        with pytest.raises(SourceError):
            Stream(address)


def test_stream_gives_up_in_time_when_the_sender_stalls(mjpeg) -> None:
    stream = Stream(mjpeg.url, patience_ms=400)
    stream.open()
    assert stream.read() is not None
    mjpeg.mode = "stall"
    begin = time.monotonic()
    while stream.read() is not None:  # what is under way still arrives
        assert time.monotonic() - begin < 2
    assert time.monotonic() - begin < 2
    mjpeg.mode = "send"
    stream.open()
    assert stream.read() is not None
    stream.close()


def test_a_stream_may_change_its_pictures_and_send_what_is_none(mjpeg) -> None:
    """Other sizes and grey pictures come as they are; what is cut or no picture at all does not come."""
    stream = Stream(mjpeg.url, patience_ms=1000)
    stream.open()
    shapes: dict[str, set[tuple[int, ...]]] = {}
    for mode in ("send", "large", "grey", "cut", "send", "garbage", "large"):
        mjpeg.mode = mode
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            frame = stream.read()
            if frame is None:  # it gave up on what is no picture: opened again, it goes on
                mjpeg.mode = mode = "send"
                stream.open()
                continue
            shapes.setdefault(mode, set()).add(frame.pixels.shape)
            colour = frame.pixels[100, 80].astype(int)
            assert colour[0] == colour[1] == colour[2] or abs(colour - [colour[0], 80, 40]).max() < 12, (mode, colour)
    stream.close()
    assert (120, 160, 3) in shapes["send"] and (137, 320, 3) in shapes["large"] and shapes["grey"]


def test_a_stream_that_was_not_read_in_time_goes_on_with_what_is_new(mjpeg) -> None:
    """What had queued up in the network is passed over: the picture is one that was sent a moment ago."""
    stream = Stream(mjpeg.url)
    stream.open()
    assert stream.read() is not None
    time.sleep(1.0)  # some thirty pictures lie in the sockets now
    frames = [stream.read() for _ in range(8)]
    shades = [int(frame.pixels[60, 80, 0]) for frame in frames]
    stream.close()
    newest = 120 + (mjpeg.sent - 1) % 100
    assert any(abs(shade - newest) <= 3 for shade in shades[2:]), (shades, newest)
    assert [frame.index for frame in frames] == list(range(1, 9))


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (np.full((2, 3), 7, np.uint8), (7, 7, 7)),
        (np.full((2, 3, 1), 7, np.uint8), (7, 7, 7)),
        (np.full((2, 3, 3), (1, 2, 3), np.uint8), (3, 2, 1)),
        (np.full((2, 3, 4), (1, 2, 3, 9), np.uint8), (3, 2, 1)),
        (np.full((2, 3), 0x0712, np.uint16), (7, 7, 7)),
    ],
)
def test_any_pixel_kind_becomes_rgb(pixels: np.ndarray, expected: tuple[int, int, int]) -> None:
    assert as_rgb(pixels).shape == (2, 3, 3)
    assert tuple(as_rgb(pixels)[0, 0]) == expected


def test_pixels_of_an_unknown_kind_are_refused() -> None:
    for pixels in (np.zeros((2, 3), np.float32), np.zeros((2, 3, 2), np.uint8), np.zeros((0, 3, 3), np.uint8)):
        with pytest.raises(SourceError):
            as_rgb(pixels)


def test_open_place_chooses_by_kind(tmp_path: Path) -> None:
    assert isinstance(open_place(tmp_path), Folder)
    assert isinstance(open_place(tmp_path / "a.MP4"), Video)
    assert isinstance(open_place("http://camera/x"), Stream)
    with pytest.raises(SourceError):
        open_place(tmp_path / "a.docx")


def test_cameras_are_listed_once() -> None:
    found = list_cameras()
    assert len({camera.index for camera in found}) == len(found)


def test_a_plugin_may_bring_a_source_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from app import sources
    from app.api import register_source

    monkeypatch.setattr(sources, "_OPENERS", dict(sources._OPENERS))

    def make(address: str) -> Source:
        return Synthetic([Step()])

    register_source("robot", make)
    register_source("robot", make)
    assert isinstance(open_place("ROBOT://arm/7"), Synthetic)
    for scheme in ("http", "a b", ""):
        with pytest.raises(SourceError):
            register_source(scheme, make)
