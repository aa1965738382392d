"""Record what the live view shows: a video, and beside it the landmarks of every one of its frames."""

from __future__ import annotations

import csv
import json
import queue
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, TextIO

import numpy as np

from app.services.live_values import Result
from app.sources.video import Video
from engine.errors import UserError

WAITING = 8  # frames that may wait to be encoded; more are dropped and counted
BASE = Fraction(1, 90000)  # seconds in which a recording counts
CODECS = (
    ("libx264", {"preset": "veryfast", "crf": "20"}),
    ("mpeg4", {"qscale": "4"}),
)
FACTS = ("frame", "time", "source_frame", "source_time", "subject", "box_x", "box_y", "box_side", "box_score")


@dataclass(frozen=True)
class Recording:
    """A recording that has ended. files: videos and landmark files; frames: how many the videos hold; dropped: how many
    came too fast; problem: "" or a sentence about what went wrong.
    """

    files: tuple[Path, ...]
    frames: int
    dropped: int
    problem: str = ""


class Recorder:
    """Writes results in a thread of its own until `finish`; then reads the videos again and compares.

    stem: folder and name of the files without their ending; landmarks: csv or json; paint: makes the (H, W, 3) uint8
    RGB picture to record of a result, the bare frame without; ended(Recording) is called from the thread. Where the
    picture's size or the landmarks change, a second part begins.
    """

    def __init__(
        self, stem: Path, ended: Callable[[Recording], None], landmarks: Literal["csv", "json"] = "csv",
        paint: Callable[[Result], np.ndarray] | None = None,
    ) -> None:  # fmt: skip
        self.stem = stem
        self.frames = self.dropped = 0
        self._ended, self._kind, self._paint = ended, landmarks, paint
        self._queue: queue.Queue[Result | None] = queue.Queue(WAITING)
        self._over = threading.Event()
        self._parts: list[Part] = []
        self._thread = threading.Thread(target=self._run, name="record", daemon=True)
        self._thread.start()

    def put(self, result: Result) -> None:
        """Record a result; returns at once, from any thread."""
        if self._over.is_set():
            return
        try:
            self._queue.put_nowait(result)
        except queue.Full:
            self.dropped += 1

    def finish(self) -> None:
        """Take no more; `ended` is called once all is written and checked."""
        self._over.set()

    def join(self, timeout: float) -> bool:
        """Wait for the end; False where it did not come in time."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def over(self) -> bool:
        """Whether it takes no more."""
        return self._over.is_set()

    # ---- the thread

    def _run(self) -> None:
        problem = ""
        try:
            while not (self._over.is_set() and self._queue.empty()):
                try:
                    result = self._queue.get(timeout=0.1)
                except queue.Empty:
                    continue
                self._write(result)
        except (OSError, UserError, ValueError) as error:
            self._over.set()
            problem = f"The recording stopped ({error}); make room or choose another folder."
        for part in self._parts:
            problem = part.close() or problem
        files = tuple(path for part in self._parts for path in (part.video, *part.landmarks))
        self._ended(Recording(files, self.frames, self.dropped, problem))

    def _write(self, result: Result) -> None:
        pixels = result.frame.pixels if self._paint is None else self._paint(result)
        kind = (pixels.shape, *(each.schema.landmarks if each.schema is not None else () for each in models_of(result)))
        if not self._parts or self._parts[-1].kind != kind:
            if self._parts and (problem := self._parts[-1].close()):
                raise ValueError(problem)
            number = f" {len(self._parts) + 1}" if self._parts else ""
            self._parts.append(Part(self.stem.with_name(f"{self.stem.name}{number}"), kind, result, self._kind))
        self._parts[-1].write(result, pixels)
        self.frames += 1


def models_of(result: Result) -> list[Result]:
    """The result of the first model, and that of the second where two run beside each other."""
    return [result] if result.other is None else [result, result.swapped]


class Part:
    """One video and a landmark file for each model. Raises OSError or ValueError where they cannot be written."""

    def __init__(self, stem: Path, kind: tuple, first: Result, landmarks: str) -> None:
        import av

        self.kind = kind
        self.video = Path(f"{stem}.mp4")
        models = models_of(first)
        self.landmarks = [Path(f"{stem}{name}.{landmarks}") for name in ("", " B")[: len(models)]]
        self._begin = first.frame.time
        self._times: list[int] = []
        self._closed = False
        stem.parent.mkdir(parents=True, exist_ok=True)
        height, width = kind[0][:2]
        self._size = width + width % 2, height + height % 2  # what the encoders take
        rows = CsvRows if landmarks == "csv" else JsonRows
        with ExitStack() as opened:  # closes what was opened where the rest cannot be
            try:
                # In fragments, so that a recording that is cut off by a crash can be played up to there.
                options = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
                self._out = opened.enter_context(av.open(str(self.video), "w", options=options))
                self._stream = self._encoder(av)
            except av.FFmpegError as error:
                raise ValueError(str(error)) from error
            self._writers = []
            for path, one in zip(self.landmarks, models, strict=True):
                text = opened.enter_context(path.open("w", encoding="utf-8", newline=""))
                self._writers.append(rows(text, one, self.video.name))
                opened.callback(self._writers[-1].close)
            self._opened = opened.pop_all()

    def write(self, result: Result, pixels: np.ndarray) -> None:
        """One frame, and its landmarks."""
        import av

        height, width = pixels.shape[:2]
        wide, high = self._size
        if (wide, high) != (width, height):
            pixels = np.pad(pixels, ((0, high - height), (0, wide - width), (0, 0)), "edge")
        last = self._times[-1] if self._times else -1
        moment = max(round((result.frame.time - self._begin) / BASE), last + 1)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        frame.pts, frame.time_base = moment, BASE
        try:
            self._out.mux(self._stream.encode(frame))
        except av.FFmpegError as error:
            raise ValueError(str(error)) from error
        for writer, one in zip(self._writers, models_of(result), strict=True):
            writer.write(len(self._times), float(moment * BASE), one)
        self._times.append(moment)

    def close(self) -> str:
        """End the files and read the video again; "" where it holds just the frames that were written."""
        import av

        if self._closed:
            return ""
        self._closed = True
        try:
            with self._opened:
                self._out.mux(self._stream.encode())
        except (av.FFmpegError, OSError, ValueError) as error:
            return f"{self.video.name} could not be ended ({error}); make room or choose another folder."
        return self._check()

    def _check(self) -> str:
        video = Video(self.video, paced=False, hold=True)
        try:
            video.open()
            video.transport.seek(len(self._times) - 1)
            last = video.read()
            expected = [float((moment - self._times[0]) * BASE) for moment in self._times]
            same = np.shape(video.transport.times) == np.shape(expected)
            if same and np.allclose(video.transport.times, expected, atol=1e-3) and last.index == len(expected) - 1:
                return ""
        except UserError as error:
            return str(error)
        finally:
            video.close()
        return f"{self.video.name} holds other frames than were recorded; record it again."

    def _encoder(self, av: Any) -> Any:
        for name, options in CODECS:
            if name in av.codec.codecs_available:
                stream = self._out.add_stream(name, rate=Fraction(30), options=options)
                break
        else:
            raise ValueError("no video encoder is there")
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = BASE if name == "libx264" else Fraction(1, 30000)
        stream.codec_context.gop_size = 30
        stream.codec_context.max_b_frames = 0
        return stream


class CsvRows:
    """A row for each subject of each frame, and one without a subject where none was found."""

    def __init__(self, text: TextIO, first: Result, video: str) -> None:
        names = first.schema.landmarks if first.schema is not None else ()
        self._count = len(names)
        self._rows = csv.writer(text)
        self._rows.writerow([*FACTS, *(f"{name}_{part}" for name in names for part in ("x", "y", "score"))])

    def write(self, number: int, seconds: float, result: Result) -> None:
        """The rows of one frame."""
        moment = result.frame.moment
        head = [number, f"{seconds:.6f}", result.frame.index, "" if moment is None else f"{moment:.6f}"]
        for subject in result.subjects:
            box = subject.prediction.box
            values = subject.prediction.landmarks.reshape(-1)
            place = [f"{v:.3f}" for v in (box.cx, box.cy, box.side, box.score)]
            self._rows.writerow([*head, subject.number, *place, *(f"{v:.3f}" for v in values)])
        if not result.subjects:
            self._rows.writerow([*head, *[""] * (5 + 3 * self._count)])

    def close(self) -> None:
        """Nothing is left."""


class JsonRows:
    """One document: what was recorded, and a list of frames, one a line."""

    def __init__(self, text: TextIO, first: Result, video: str) -> None:
        self._text, self._any = text, False
        schema = first.schema
        head = {"video": video, "model": first.model, "schema": schema.name if schema is not None else "",
                "landmarks": list(schema.landmarks) if schema is not None else []}  # fmt: skip
        text.write(json.dumps(head)[:-1] + ', "frames": [')

    def write(self, number: int, seconds: float, result: Result) -> None:
        """One frame."""
        found = [
            {"subject": s.number, "box": [round(v, 3) for v in (s.prediction.box.cx, s.prediction.box.cy,
                                                                s.prediction.box.side, s.prediction.box.score)],
             "landmarks": s.prediction.landmarks.round(3).tolist()}
            for s in result.subjects
        ]  # fmt: skip
        frame = {"frame": number, "time": round(seconds, 6), "source_frame": result.frame.index,
                 "source_time": result.frame.moment, "subjects": found}  # fmt: skip
        self._text.write((",\n" if self._any else "\n") + json.dumps(frame))
        self._any = True

    def close(self) -> None:
        """End the document."""
        self._text.write("\n]}\n")
