"""Pictures from the network: MJPEG over HTTP, and RTSP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app.sources.base import Interruptible, SourceError
from app.sources.decoding import to_pixels
from engine.types import Frame

if TYPE_CHECKING:
    import av

SCHEMES = ("http", "https", "rtsp")
PATIENCE_MS = 1500  # for opening and for each read; a stop must be over within 3 s
AT_ONCE = 0.001  # seconds in which a picture comes that had been waiting
MOST_PASSED = 10  # pictures passed over in a row, so that some are seen of a sender that is never waited for
# What an address may lead on to; no files.
PROTOCOLS = "http,https,httpproxy,tcp,tls,udp,rtp,rtsp,srtp,crypto,data"


def short_name(url: str) -> str:
    """The address without what may be secret: user, password and query."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.hostname}{port}{parts.path}"


class Stream(Interruptible):
    """A stream at a URL, with time-outs on opening and reading. Raises SourceError for an unusable address."""

    live = True
    noisy = False

    def __init__(self, url: str, patience_ms: int = PATIENCE_MS) -> None:
        super().__init__()
        url = url.strip()
        try:
            parts = urlsplit(url)
            usable = parts.scheme in SCHEMES and bool(parts.hostname)
            name = short_name(url)
        except ValueError:
            usable, name = False, ""
        if not usable:
            raise SourceError("A stream's address must start with http://, https:// or rtsp:// and name a host.")
        self.title = name
        self.url = url
        self.patience_ms = patience_ms
        self._container: av.container.InputContainer | None = None
        self._packets: Iterator[Any] = iter(())
        self._index = 0

    def open(self) -> None:
        """Connect; raises SourceError when nothing answers in time, or no pictures are sent."""
        self.close()
        self.rearm()
        import av

        try:
            patience = self.patience_ms / 1000
            options = {"rtsp_transport": "tcp", "protocol_whitelist": PROTOCOLS}
            limits = patience, patience
            self._container = av.open(self.url, options=options, timeout=limits, metadata_errors="replace")
            # By the first stream of pictures: in slices, as decoding whole frames side by side would hold some back.
            stream = self._container.streams.video[0]
            stream.thread_type = "SLICE"
            self._packets = self._container.demux(stream)
        except (av.FFmpegError, OSError, ValueError, IndexError) as error:
            self.close()
            message = f"{self.title} does not answer; check the address and that the sender is running."
            raise SourceError(message) from error

    def close(self) -> None:
        """Hang up; harmless when closed."""
        self._packets = iter(())
        if self._container is not None:
            self._container.close()
            self._container = None

    def read(self) -> Frame | None:
        """Wait for the next picture; None where none came in time, whatever else is sent.

        A stream that failed once must be opened again.
        Its time is the moment its last byte was there, before it is decoded. Pictures that were there already when
        they were asked for are passed over, as newer ones may be waiting behind them.
        """
        import av

        passed, end = 0, time.monotonic() + self.patience_ms / 1000
        while not self.interrupted and (begin := time.monotonic()) < end:
            try:
                packet = next(self._packets, None)
                arrived = time.monotonic()
                if packet is None or not packet.size:
                    return None
                waited = arrived - begin > AT_ONCE or passed >= MOST_PASSED
                passed += 1
                if not waited and packet.stream.codec_context.name == "mjpeg":
                    continue
                frames = [frame for frame in packet.decode() if not frame.is_corrupt]
            except av.error.InvalidDataError:  # a damaged picture among good ones
                continue
            except (av.FFmpegError, OSError, IndexError):  # IndexError: PyAV, where another stream begins
                self._packets = iter(())
                return None
            if frames and waited:
                frame = Frame(to_pixels(frames[-1]), arrived, self.title, self._index)
                self._index += 1
                return frame
        return None
