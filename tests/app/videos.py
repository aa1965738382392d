"""Videos whose frames carry their number as black and white squares, at times of one's choice, whole and cut."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

BITS = 10
WIDE, HIGH = 160, 96
EVEN = tuple(n / 30 for n in range(60))
UNEVEN = tuple(np.cumsum(np.random.default_rng(1).uniform(0.01, 0.2, 60)).tolist())


def coded(number: int) -> np.ndarray:
    """(HIGH, WIDE, 3) uint8 RGB with the number in it."""
    picture = np.full((HIGH, WIDE, 3), 64, np.uint8)
    for bit in range(BITS):
        picture[30:70, bit * 16 : bit * 16 + 14] = 255 * (number >> bit & 1)
    return picture


def number_in(pixels: np.ndarray) -> int:
    """The number that a picture carries."""
    return sum(int(pixels[50, bit * 16 + 7].mean() > 128) << bit for bit in range(BITS))


def write_coded(
    path: Path, times: Sequence[float] = EVEN, codec: str = "libx264", gop: int = 12, options: dict | None = None,
    container: dict | None = None,
) -> Path:  # fmt: skip
    """A video whose n-th frame carries n and is shown at times[n] seconds, with reordered frames."""
    fine = codec in ("libx264", "libvpx-vp9", "apng")
    base = Fraction(1, 90000) if fine else Fraction(1, 25 if codec == "gif" else 30)
    with av.open(str(path), "w", options=container or {}) as out:
        stream = out.add_stream(codec, rate=Fraction(30))
        stream.width, stream.height, stream.options = WIDE, HIGH, options or {}
        stream.pix_fmt = {"mjpeg": "yuvj420p", "gif": "rgb8", "apng": "rgb24"}.get(codec, "yuv420p")
        stream.codec_context.time_base, stream.codec_context.gop_size = base, gop
        if codec not in ("mjpeg", "libvpx-vp9", "gif", "apng"):
            stream.codec_context.max_b_frames = 2
        for number, seconds in enumerate(times):
            frame = av.VideoFrame.from_ndarray(coded(number), format="rgb24")
            frame.pts, frame.time_base = round(seconds / base), base
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def part(path: Path, name: str, begin: float, end: float) -> Path:
    """A file with only some of another's bytes."""
    data = path.read_bytes()
    other = path.with_name(name)
    other.write_bytes(data[int(len(data) * begin) : int(len(data) * end)])
    return other


def trimmed(path: Path, name: str, begin: float, exact: bool = False) -> Path:
    """Cut without encoding again, as editors do: packets from the key frame before `begin` seconds on.

    With `exact`, an edit list hides what comes before `begin`.
    """
    other = path.with_name(name)
    options = {"avoid_negative_ts": "disabled"} if exact else {}
    with av.open(str(path)) as source, av.open(str(other), "w", options=options) as out:
        stream = source.streams.video[0]
        early = round(begin / stream.time_base) if exact else 0
        copy = out.add_stream_from_template(stream)
        source.seek(round(begin / stream.time_base), stream=stream)
        for packet in source.demux(stream):
            if packet.dts is not None:
                packet.stream, packet.pts, packet.dts = copy, packet.pts - early, packet.dts - early
                out.mux(packet)
    return other
