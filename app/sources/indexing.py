"""What a video file's packets tell, without decoding any: the times of its frames, and where decoding can begin."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import av

# Containers that are opened: playlists and the like could name other files or addresses.
CONTAINERS = (
    "mov", "mp4", "m4a", "3gp", "matroska", "webm", "avi", "mpegts", "mpeg", "mpegvideo", "asf", "flv", "ogg", "mxf",
    "dv", "gif", "apng",
)  # fmt: skip
# Files of these names are opened as such where a look at their first bytes is too little to tell, as when very short.
BY_NAME = {".ts": "mpegts", ".mts": "mpegts", ".m2ts": "mpegts", ".mpg": "mpeg", ".mpeg": "mpeg", ".vob": "mpeg"}
JUMP_BACK = 0.5  # seconds that decoding times go back where a file was joined from several
BROADCAST = ("mpegts", "mpeg")  # containers whose clock may be set anew in the middle
JUMP_ON = 10.0  # seconds of nothing in these that are such a new clock, as FFmpeg's own players take it
SHORTEST = 0.04  # seconds that a lone frame of unknown duration is shown


@dataclass(frozen=True)
class Index:
    """What the packets tell. pts: of each frame in the order of showing, in units of `base` seconds; keys: pts of the
    frames that decoding can begin at, shown or not; linear: a timestamp does not name one frame, as in joined files, so
    that frames are reached by decoding from the start; counted: it names none, so that frames are counted; moments:
    seconds of each frame since the first, never falling; last: seconds that the last one is shown.
    """

    pts: tuple[int, ...]
    keys: tuple[int, ...]
    base: float
    moments: tuple[float, ...]
    linear: bool = False
    counted: bool = False
    last: float = SHORTEST

    def part(self, begin: int, end: int) -> Index:
        """The index of some of the frames."""
        pts, moments = self.pts[begin:end], self.moments[begin:end]
        keys = self.keys
        if pts and not self.linear:  # the one before the first frame serves it
            keys = keys[max(0, bisect_right(keys, pts[0]) - 1) :]
        return replace(self, pts=pts, keys=keys, moments=tuple(m - moments[0] for m in moments))


@dataclass
class _Survey:
    """What was met among the packets."""

    segments: list[list[int]] = field(default_factory=lambda: [[]])
    keys: list[int] = field(default_factory=list)
    unknown: bool = False
    durations: list[int] = field(default_factory=list)


def open_container(path: Path) -> av.container.InputContainer:
    """Open a local file, and nothing that it may point to. Raises ValueError or OSError."""
    import av

    options = {"protocol_whitelist": "file", "format_whitelist": ",".join(CONTAINERS)}
    named = BY_NAME.get(path.suffix.lower())
    for kind in (None, named) if named else (None,):
        try:
            return av.open(f"file:{path}", options=options, format=kind, metadata_errors="replace")
        except av.FFmpegError as error:
            problem = error
    raise ValueError(str(problem)) from problem


def build_index(container: av.container.InputContainer, stream: av.VideoStream) -> Index:
    """Read all packets, without decoding any."""
    base, kind = float(stream.time_base), container.format.name
    met = _survey(container, stream, base)
    pts = [moment for segment in met.segments for moment in sorted(segment)]
    # AVI stores no time of showing, and what is guessed for reordered frames is wrong.
    counted = met.unknown or (kind == "avi" and stream.codec_context.name in ("h264", "hevc"))
    # Program streams time few of their packets; the rest is guessed, and otherwise after a jump.
    guessed = counted or kind == "mpeg"
    linear = guessed or any(later <= before for before, later in pairwise(pts))
    moments = _moments(met.segments, base, JUMP_ON if kind in BROADCAST else np.inf)
    usual = float(np.median(np.diff(moments))) if len(moments) > 1 else 0.0
    last = met.durations[-1] * base if met.durations else 0.0
    return Index(tuple(pts), tuple(sorted(met.keys)), base, moments, linear, counted, last or usual or SHORTEST)


def _survey(container: av.container.InputContainer, stream: av.VideoStream, base: float) -> _Survey:
    met, last, cut = _Survey(), None, False
    for packet in packets(container, stream):
        order = packet.dts if packet.dts is not None else packet.pts
        moment = packet.pts if packet.pts is not None else order
        if moment is None:
            met.unknown |= not packet.is_discard
            continue
        if packet.is_keyframe:
            met.keys.append(moment)
        if packet.is_discard:  # outside of what an editor left: decoded for frames after it, never shown
            cut |= packet.is_keyframe
            continue
        met.unknown |= packet.pts is None
        if last is not None and (cut or (last - order) * base > JUMP_BACK):
            met.segments.append([])
        last, cut = order, False
        met.segments[-1].append(moment)
        met.durations[:] = [packet.duration or 0]
    return met


def _moments(segments: list[list[int]], base: float, longest: float) -> tuple[float, ...]:
    """Seconds since the first frame; each joined part, or what comes after `longest` seconds of nothing, goes on a
    frame's time after what was before."""
    found: list[float] = []
    for segment in segments:
        if not segment:
            continue
        steps = np.diff(np.sort(np.array(segment, np.float64))) * base
        usual = float(np.median(steps)) if len(steps) else base
        steps[steps > longest] = usual
        begin = found[-1] + usual if found else 0.0
        found += (begin + np.concatenate([[0.0], np.cumsum(steps)])).tolist()
    return tuple(found)


def packets(container: av.container.InputContainer, stream: av.VideoStream) -> Iterator[Any]:
    """Whole packets with pictures; a file that breaks off ends here."""
    import av

    while True:
        try:
            for packet in container.demux(stream):
                if packet.size:
                    yield packet
            return
        except IndexError:  # of a stream that only begins here, as by damage: on with what follows
            continue
        except (av.FFmpegError, OSError):
            return
