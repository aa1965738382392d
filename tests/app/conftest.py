"""A camera on the network, for tests of sources and of the live pipeline, and a project for tests of edits."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.project.document import Document
from engine.opencv import cv2
from tests.app.projects import new_document

SIZE = (160, 120)


class MjpegServer:
    """Sends numbered pictures as multipart MJPEG to 127.0.0.1, at most for 30 s.

    `mode`: send, stall, drop, or what is sent: large, grey, cut or garbage.
    """

    def __init__(self, period: float = 1 / 30) -> None:
        self.mode = "send"
        self.period = period
        self.sent = 0
        self._end = time.monotonic() + 30
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.1)
        self._closing = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/camera"

    def close(self) -> None:
        self._closing.set()
        for thread in self._threads:
            thread.join(3)
            assert not thread.is_alive()
        self._listener.close()

    @property
    def _over(self) -> bool:
        return self._closing.is_set() or time.monotonic() > self._end

    def _accept(self) -> None:
        while not self._over:
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            self._threads.append(threading.Thread(target=self._serve, args=(client,), daemon=True))
            self._threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            try:
                client.settimeout(2)
                client.recv(4096)
                while self.mode == "stall" and not self._closing.wait(0.02):
                    pass
                client.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=x\r\n\r\n")
                while not self._over and self.mode != "drop":
                    if self.mode != "stall":
                        client.sendall(self._part())
                    self._closing.wait(self.period)
            except OSError:
                return

    def _part(self) -> bytes:
        wide, high = (SIZE[0] * 2, SIZE[1] + 17) if self.mode == "large" else SIZE
        picture = np.full((high, wide, 3), (40, 80, 120 + self.sent % 100), np.uint8)
        picture = picture[..., 1] if self.mode == "grey" else picture
        data = cv2.imencode(".jpg", picture)[1].tobytes()
        data = data[: len(data) // 2] if self.mode == "cut" else data
        data = b"no picture" * 40 if self.mode == "garbage" else data
        self.sent += 1
        return b"--x\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(data) + data + b"\r\n"


@pytest.fixture
def mjpeg(monkeypatch: pytest.MonkeyPatch) -> Iterator[MjpegServer]:
    """A running server; proxies are off, as loopback needs none."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = MjpegServer()
    yield server
    server.close()


@pytest.fixture
def document(tmp_path: Path) -> Iterator[Document]:
    made = new_document(tmp_path)
    yield made
    made.close()


@pytest.fixture
def image(document: Document) -> int:
    return document.images()[0].id
