"""Recordings: as many frames as rows, each with the very landmarks that were found in it."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.services.live import Live
from app.services.live_values import Options, Other, Result, State, Timing
from app.services.recording import Part, Recorder, Recording
from app.services.tracker import Subject
from app.sources import Video
from app.sources.synthetic import Step, Synthetic
from engine import detect
from engine.runtime import open_runtime
from engine.types import Box, Frame, Prediction
from tests.app.live_bench import Middle, until
from tests.app.small import small_model
from tests.app.videos import coded, number_in

SCHEMA = small_model(5).schema


def result(number: int, moment: float, subjects: int = 1, shape: tuple[int, int] | None = None) -> Result:
    """A coded frame whose landmarks are told by its number."""
    pixels = coded(number) if shape is None else np.full((*shape, 3), 90, np.uint8)
    landmarks = np.stack([np.full(5, number), np.arange(5), np.full(5, 0.5)], 1).astype(float)
    found = tuple(
        Subject(n + 1, Prediction(landmarks + [0, 10 * n, 0], Box(50, 40, 30 + n), "m"), landmarks[:, :2])
        for n in range(subjects)
    )
    return Result(Frame(pixels, moment, "s", 100 + number, moment), found, Timing(), moment, "m", SCHEMA)


def recorded(stem: Path, results: list[Result], **options) -> Recording:
    ended: list[Recording] = []
    recorder = Recorder(stem, ended.append, **options)
    for each in results:
        until(lambda: not recorder._queue.full())
        recorder.put(each)
    recorder.finish()
    assert recorder.join(20)
    return ended[0]


def test_every_frame_has_its_landmarks_and_its_time(tmp_path: Path) -> None:
    moments = 7 + np.cumsum(np.random.default_rng(2).uniform(0.01, 0.3, 40))
    done = recorded(tmp_path / "take", [result(n, t, n % 3) for n, t in enumerate(moments)])
    assert (done.frames, done.dropped, done.problem) == (40, 0, "")
    assert done.files == (tmp_path / "take.mp4", tmp_path / "take.csv")
    rows = list(csv.DictReader(done.files[1].read_text("utf-8").splitlines()))
    video = Video(done.files[0], paced=False)
    video.open()
    for number, moment in enumerate(moments):
        frame = video.read()
        assert (frame.index, number_in(frame.pixels)) == (number, number)
        assert frame.moment == pytest.approx(moment - moments[0], abs=1e-3)
        mine = [row for row in rows if int(row["frame"]) == number]
        assert len(mine) == max(number % 3, 1)
        assert all(int(row["source_frame"]) == 100 + number for row in mine)
        assert all(float(row["time"]) == pytest.approx(moment - moments[0], abs=1e-3) for row in mine)
        if number % 3:
            assert float(mine[0][f"{SCHEMA.landmarks[2]}_x"]) == number
            assert [row["subject"] for row in mine] == ["1", "2"][: number % 3]
        else:
            assert mine[0]["subject"] == ""
    assert video.read() is None
    video.close()


def test_json_says_the_same_in_one_document(tmp_path: Path) -> None:
    done = recorded(tmp_path / "take", [result(n, n / 10, n % 2) for n in range(6)], landmarks="json")
    document = json.loads(done.files[1].read_text("utf-8"))
    assert document["video"] == "take.mp4" and document["landmarks"] == list(SCHEMA.landmarks)
    assert [frame["frame"] for frame in document["frames"]] == list(range(6))
    assert [len(frame["subjects"]) for frame in document["frames"]] == [0, 1, 0, 1, 0, 1]
    assert document["frames"][3]["subjects"][0]["landmarks"][4] == [3.0, 4.0, 0.5]


def test_where_the_video_cannot_be_ended_the_landmarks_are_all_the_same(tmp_path: Path) -> None:
    first = result(0, 1.0)
    part = Part(tmp_path / "take", (first.frame.pixels.shape, *SCHEMA.landmarks), first, "json")
    part.write(first, first.frame.pixels)

    class Full:
        def encode(self) -> None:
            raise OSError("the disk is full")

    part._stream = Full()
    assert "take.mp4 could not be ended (the disk is full)" in part.close() and part.close() == ""
    assert len(json.loads((tmp_path / "take.json").read_text("utf-8"))["frames"]) == 1


def test_another_size_begins_another_part_and_odd_sizes_are_taken(tmp_path: Path) -> None:
    results = [result(n, n / 10, shape=(31, 45) if n < 5 else (48, 64)) for n in range(9)]
    done = recorded(tmp_path / "take", results)
    assert [path.name for path in done.files] == ["take.mp4", "take.csv", "take 2.mp4", "take 2.csv"]
    assert done.frames == 9 and not done.problem
    for path, count in ((done.files[0], 5), (done.files[2], 4)):
        video = Video(path)
        video.open()
        assert video.count == count
        video.close()


def test_what_is_painted_is_recorded(tmp_path: Path) -> None:
    done = recorded(tmp_path / "take", [result(n, n / 10) for n in range(3)], paint=lambda r: coded(r.frame.index))
    video = Video(done.files[0], paced=False)
    video.open()
    assert [number_in(video.read().pixels) for _ in range(3)] == [100, 101, 102]
    video.close()


def test_of_two_models_both_have_a_file(tmp_path: Path) -> None:
    both = [replace(result(n, n / 10), other=Other(result(n + 50, 0).subjects, "b", SCHEMA, 0.01)) for n in range(4)]
    done = recorded(tmp_path / "take", [*both, result(4, 0.4)])
    assert [p.name for p in done.files] == ["take.mp4", "take.csv", "take B.csv", "take 2.mp4", "take 2.csv"]
    for path, first in ((done.files[1], 0), (done.files[2], 50)):
        rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
        assert [float(row[f"{SCHEMA.landmarks[0]}_x"]) for row in rows] == [first + n for n in range(4)]


def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    done = recorded(tmp_path / "file" / "take", [result(0, 0.0)])
    assert done.frames == 0 and done.problem.endswith(".") and "choose another folder" in done.problem


@pytest.fixture
def live(monkeypatch, qapp):
    monkeypatch.setitem(detect.DETECTORS, "middle", lambda runtime=None: Middle())
    live = Live(options=Options(detector="middle"))
    live.set_runtime(open_runtime(small_model(5), "reference"))
    yield live
    assert live.close()


def test_a_lost_camera_ends_the_recording_with_what_came_before(live, qtbot, tmp_path: Path) -> None:
    done: list[Recording] = []
    live.recorded.connect(done.append)

    def until_some_are_recorded() -> Iterator[Step]:
        while live.recording is None or live.recording.frames <= 5:
            yield Step()
        while True:
            yield Step("nothing")

    live.start(lambda: Synthetic(until_some_are_recorded(), 0.03))
    until(lambda: live.state is State.RUNNING)
    live.record(tmp_path / "take")
    qtbot.waitUntil(lambda: bool(done), timeout=15000)
    assert live.recording is None and done[0].frames > 5 and not done[0].problem


def test_closing_ends_the_recording_in_time(live, tmp_path: Path) -> None:
    live.start(lambda: Synthetic.endless(0.02))
    until(lambda: live.state is State.RUNNING)
    live.record(tmp_path / "take", "json")
    recorder = live.recording
    until(lambda: recorder.frames > 5)
    assert live.close() and recorder.over
    assert len(json.loads((tmp_path / "take.json").read_text("utf-8"))["frames"]) == recorder.frames


@pytest.mark.parametrize("ended", ["by hand", "by another source"])
def test_closing_waits_for_a_recording_that_has_just_ended(ended: str, live, tmp_path: Path, monkeypatch) -> None:
    """What is still to be written and checked must not be cut off by the end of the program."""
    whole = Part.close

    def slow(part: Part) -> str:
        time.sleep(0.5)
        return whole(part)

    monkeypatch.setattr(Part, "close", slow)
    monkeypatch.setattr("app.services.live.PATIENCE", 30.0)  # on a busy machine too
    live.start(lambda: Synthetic.endless(0.02))
    until(lambda: live.state is State.RUNNING)
    live.record(tmp_path / "take", "json")
    recorder = live.recording
    until(lambda: recorder.frames > 5)
    if ended == "by hand":
        live.stop_recording()
    else:
        live.start(lambda: Synthetic.endless(0.02))
    assert live.close()
    assert len(json.loads((tmp_path / "take.json").read_text("utf-8"))["frames"]) == recorder.frames
