"""Frames of a video file by their number, exact on variable-rate, cut and transport-stream files.

Seeking by frame number through a nominal rate is wrong as soon as frames are not evenly spaced. Here every packet's
timestamp is read once, without decoding; a frame's number is the place of its timestamp among them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.sources.indexing import build_index, open_container, packets

if TYPE_CHECKING:
    import av

# Seconds before a key frame at which seeking is tried: it may land late, or decoding may take a while to recover.
EARLIER = (0.0, 1.0, 5.0, 30.0)


class Reader:
    """Decodes a file forward, and seeks by number. One thread only.

    `index` is corrected once the first frame is decoded (what comes before it in a cut file cannot be seen) and at the
    end, where fewer frames came than packets promised.
    """

    def __init__(self, path: Path) -> None:
        """Open and index; raises OSError or ValueError where there is no picture in it."""
        self.path = path
        self._container: av.container.InputContainer | None = None
        self._lenient = False
        self._open()
        try:
            if self._stream is None:
                raise ValueError("no video stream")
            self.index = build_index(self._container, self._stream)
            self._restart()
            self._trim_start()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let the file go."""
        if self._container is not None:
            self._frames = iter(())
            self._container.close()
            self._container = None

    def next(self) -> tuple[int, av.VideoFrame] | None:
        """The next frame with its number; None at the end."""
        if self._held is not None:
            held, self._held = self._held, None
            self._cursor = held[0] + 1
            return held
        for frame in self._frames:
            number = self._number(frame)
            if number is not None:
                self._cursor = number + 1
                return number, frame
        self._cursor = len(self.index.pts)
        return None

    def seek(self, number: int) -> Iterator[None]:
        """Make `number`, or where it cannot be decoded the one after it, the next frame.

        A generator that stops for breath after every decoded frame, so that a newer wish can end it.
        """
        if self._held is not None and self._held[0] == number:
            return
        if self._held is not None:
            self._cursor, self._held = self._held[0] + 1, None
        if self.index.linear:
            if number < self._cursor:
                self._restart()
            yield from self._forward(number)
            return
        target = self.index.pts[number]
        key = self._key_before(target)
        # Decoding on is cheaper than seeking where no key frame lies between.
        if self._cursor <= number and (key is None or key <= self.index.pts[max(self._cursor - 1, 0)]):
            yield from self._forward(number)
            return
        for earlier in EARLIER:
            if key is None or not self._jump(key - round(earlier / self.index.base)):
                break
            yield from self._forward(number)
            if self._landed is None:
                continue
            if self._astray or self._landed not in self._keys:
                # Some containers guess other timestamps after a jump: this one is only read from its start.
                self.index = replace(self.index, linear=True)
                break
            if self._held is not None and self._held[0] == number:
                return
        self._restart()
        yield from self._forward(number)

    def hold(self, number: int, frame: av.VideoFrame) -> None:
        """Make a frame that was taken the next one again."""
        self._held, self._cursor = (number, frame), number

    # ---- inside

    def _open(self) -> None:
        self.close()
        self._container = open_container(self.path)
        streams = [s for s in self._container.streams.video if s.codec_context is not None]
        # A cover picture is a video stream as well.
        moving = [s for s in streams if "attached_pic" not in str(s.disposition).lower()]
        self._stream = (moving or streams or [None])[0]

    def _restart(self) -> None:
        """Decode from the first frame again."""
        self._open()
        self._begin(0)

    def _jump(self, pts: int) -> bool:
        """Seek in the file; False where the container cannot."""
        import av

        try:
            self._container.seek(pts, stream=self._stream, backward=True)
        except (av.FFmpegError, OSError):
            return False
        self._begin(-1)
        return True

    def _begin(self, cursor: int) -> None:
        self._cursor = cursor
        self._held: tuple[int, av.VideoFrame] | None = None
        self._landed: int | None = None  # pts of the key frame that decoding began with
        self._astray = False  # a frame came with a timestamp that no packet had
        self._keys = set(self.index.keys)
        self._frames = self._decode()

    def _decode(self) -> Iterator[av.VideoFrame]:
        """Frames from the first key frame on; what cannot be decoded, or only from what was lost, is passed over."""
        import av

        started, losses = not self.index.keys, Losses(self._container.format.name == "mpegts")
        # Without key frames to begin anew at, pictures mend themselves bit by bit; counted ones must not be left out.
        trusting = self._lenient or self.index.counted or len(self.index.keys) < 2
        whole = self._whole if trusting else lambda frame: self._whole(frame) and losses.spare(frame)
        for packet, following in with_next(packets(self._container, self._stream)):
            if not started and not packet.is_keyframe:
                continue
            if not started and packet.pts is not None:
                self._landed = packet.pts
            started = True
            losses.meet(packet, following)
            try:
                yield from filter(whole, packet.decode())
            except (av.FFmpegError, OSError):
                continue
        try:
            yield from filter(whole, self._stream.decode(None))
        except (av.FFmpegError, OSError):
            return

    def _whole(self, frame: av.VideoFrame) -> bool:
        """Whether a frame is what was recorded; the decoder fills in what is missing of others."""
        return self._lenient or not frame.is_corrupt

    def _number(self, frame: av.VideoFrame) -> int | None:
        """The number of a frame just decoded; None for one from before where decoding could begin."""
        pts, index, cursor = frame.pts, self.index, max(self._cursor, 0)
        if index.counted or pts is None:
            return cursor if cursor < len(index.pts) else None
        if index.linear:
            try:
                return index.pts.index(pts, cursor)
            except ValueError:
                return None
        if self._cursor < 0 and self._landed is not None and pts < self._landed:
            return None
        place = bisect_right(index.pts, pts) - 1
        self._astray |= place < 0 or index.pts[place] != pts
        return place if place >= cursor else None

    def _forward(self, number: int) -> Iterator[None]:
        """Decode until `number`, or the first one after it, is held as the next frame."""
        while (found := self.next()) is not None:
            if found[0] >= number:
                self.hold(*found)
                return
            yield

    def _key_before(self, pts: int) -> int | None:
        place = bisect_right(self.index.keys, pts) - 1
        return self.index.keys[place] if place >= 0 else None

    def _trim_start(self) -> None:
        """Drop packets before the first frame that can be seen; raises ValueError where none can."""
        first = self.next()
        if first is None:  # damaged all through: better than nothing
            self._lenient = True
            self._restart()
            first = self.next()
        if first is None:
            raise ValueError("no frame can be decoded")
        number, frame = first
        self.index = self.index.part(number, len(self.index.pts))
        self.hold(0, frame)

    def end_at(self, count: int) -> None:
        """Only so many frames came: that is the length."""
        self.index = self.index.part(0, count)


class Losses:
    """Which frames were encoded against one of which a part is missing, as where a broadcast was disturbed.

    The decoder fills such holes with what was there before: frames that look sound, and are not of their time.
    early: in transport streams it is the packet after the one that the demuxer marks of which parts are missing.
    """

    def __init__(self, early: bool) -> None:
        self._early, self._warned = early, False
        self._torn = False  # since the last key frame
        self._key: int | None = None  # pts of the key frame that mended it; what is shown before leans on the hole
        self._lost: set[int] = set()

    def meet(self, packet: av.Packet, following: av.Packet | None) -> None:
        """Take note of a packet before it is decoded."""
        torn = packet.is_corrupt
        if self._early:
            # Where files were joined the counters jump as well, but then a key frame comes next.
            torn = self._warned and not (following is not None and following.is_keyframe)
            self._warned = packet.is_corrupt
        if packet.is_keyframe:
            self._key = packet.pts if self._torn else None
            self._torn = torn
        self._torn |= torn
        if packet.pts is not None and (self._torn or (self._key is not None and packet.pts < self._key)):
            self._lost.add(packet.pts)

    def spare(self, frame: av.VideoFrame) -> bool:
        """Whether nothing of a frame was lost."""
        sound = frame.pts not in self._lost
        self._lost.discard(frame.pts)
        return sound


def with_next(values: Iterable[Any]) -> Iterator[tuple[Any, Any | None]]:
    """Each value with the one after it; None after the last."""
    before, begun = None, False
    for value in values:
        if begun:
            yield before, value
        before, begun = value, True
    if begun:
        yield before, None


def to_pixels(frame: av.VideoFrame) -> np.ndarray:
    """A decoded frame as (H, W, 3) uint8 RGB, as it is to be shown."""
    pixels = frame.to_ndarray(format="rgb24")
    turn = frame.side_data.get("DISPLAYMATRIX")
    if turn is not None:  # how a telephone was held
        pixels = upright(pixels, np.frombuffer(bytes(turn), np.int32))
    return pixels


def upright(pixels: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """(H, W, 3) as it is to be shown: turned by quarters and mirrored as a file's display matrix asks.

    The matrix holds (a, b, u, c, d, v, x, y, w) of ISO/IEC 14496-12, 6.2.2: a point goes to (ax + cy, bx + dy).
    """
    a, b, c, d = (int(matrix[n]) for n in (0, 1, 3, 4))
    if abs(b) + abs(c) > abs(a) + abs(d):
        pixels, wide, high = pixels.transpose(1, 0, 2), c, b
    else:
        wide, high = a, d
    return pixels[:: -1 if high < 0 else 1, :: -1 if wide < 0 else 1]
