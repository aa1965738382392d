"""A camera that speaks RTSP on loopback: JPEG pictures in RTP packets inside the connection (RFC 2326, 2435)."""

from __future__ import annotations

import socket
import struct
import threading
import time

import numpy as np

from engine.opencv import cv2

SIZE = (160, 120)
TABLES = b"\xff\xdb"  # marker of quantisation tables in a JPEG
LARGEST = 1200  # bytes of picture in a packet


class RtspServer:
    """Serves one client after the other, at most for 40 s. `mode`: send, stall (says nothing more) or drop."""

    def __init__(self) -> None:
        self.mode = "send"
        self._end = time.monotonic() + 40
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.1)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self._listener.getsockname()[1]}/live"

    def close(self) -> None:
        self._closing.set()
        self._thread.join(5)
        self._listener.close()

    def _accept(self) -> None:
        while not self._closing.is_set() and time.monotonic() < self._end:
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            with client:
                try:
                    self._serve(client)
                except OSError:
                    continue

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(0.02)
        held, playing, number = b"", False, 0
        while not self._closing.is_set() and self.mode != "drop":
            try:
                data = client.recv(4096)
                if not data:
                    return
                held += data
            except TimeoutError:
                pass
            while b"\r\n\r\n" in held:
                request, _, held = held.partition(b"\r\n\r\n")
                if b"RTSP/1.0" in request:
                    playing |= self._answer(client, request.decode())
            if playing and self.mode == "send":
                self._picture(client, number)
                number += 1

    def _answer(self, client: socket.socket, request: str) -> bool:
        """Reply to a request; True once the client wants pictures."""
        method = request.split()[0] if request.split() else ""
        count = next((line.split(":")[1].strip() for line in request.split("\r\n") if line.startswith("CSeq")), "0")
        head, body = [f"CSeq: {count}", "Session: 1"], ""
        if method == "OPTIONS":
            head.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER")
        elif method == "DESCRIBE":
            body = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=live\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\na=control:video\r\n"
            head += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
        elif method == "SETUP":
            if "TCP" not in request:
                client.sendall(f"RTSP/1.0 461 Unsupported Transport\r\nCSeq: {count}\r\n\r\n".encode())
                return False
            head.append("Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
        client.sendall(("RTSP/1.0 200 OK\r\n" + "\r\n".join(head) + "\r\n\r\n" + body).encode())
        return method == "PLAY"

    def _picture(self, client: socket.socket, number: int) -> None:
        pixels = np.full((SIZE[1], SIZE[0], 3), (40, 80, 120 + number % 100), np.uint8)
        data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()
        tables, scan = jpeg_parts(data)
        stamp, at = int(time.monotonic() * 90000) & 0xFFFFFFFF, 0
        while at < len(scan):
            part = scan[at : at + LARGEST]
            last = at + len(part) >= len(scan)
            # Type 1 is 4:2:0; quality 255 says that the tables come with the first packet.
            head = struct.pack(">BBHBBBB", 0, at >> 16, at & 0xFFFF, 1, 255, SIZE[0] // 8, SIZE[1] // 8)
            if at == 0:
                head += struct.pack(">BBH", 0, 0, len(tables)) + tables
            self._sequence = (getattr(self, "_sequence", 0) + 1) & 0xFFFF
            rtp = struct.pack(">BBHII", 0x80, 26 | (0x80 if last else 0), self._sequence, stamp, 1) + head + part
            client.sendall(struct.pack(">cBH", b"$", 0, len(rtp)) + rtp)
            at += len(part)


def jpeg_parts(data: bytes) -> tuple[bytes, bytes]:
    """The quantisation tables of a JPEG, and its compressed picture."""
    at, tables = 2, b""
    while True:
        marker, length = data[at : at + 2], struct.unpack(">H", data[at + 2 : at + 4])[0]
        if marker == TABLES:
            body = data[at + 4 : at + 2 + length]
            tables += b"".join(body[n + 1 : n + 65] for n in range(0, len(body), 65))
        at += 2 + length
        if marker == b"\xff\xda":
            return tables, data[at:-2]
