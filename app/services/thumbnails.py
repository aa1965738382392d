"""Thumbnails kept on the disk, so that a project that is opened again has them at once."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

import numpy as np

from app.files import atomic_write, data_folder
from engine.errors import UserError
from engine.images import decode, encode_jpeg
from engine.opencv import cv2
from engine.types import frozen

KEPT = 40_000  # files; beyond, the oldest half goes
Key = tuple[str, int, int]  # path, time of change, bytes


class Thumbnails:
    """For one thread. A thumbnail that cannot be kept, or read again, is made anew: nothing here is told to anybody."""

    def __init__(self, side: int) -> None:
        self._side = side
        self._folder: Path | None = None
        self._count = 0

    def get(self, key: Key) -> np.ndarray | None:
        """(side, side, 4) uint8 BGRX as kept, None where there is none."""
        path = self._path(key)
        try:
            pixels = decode(path.read_bytes(), path.name)
        except (UserError, OSError):
            return None
        fits = pixels.shape[:2] == (self._side, self._side)
        return frozen(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGRA)) if fits else None

    def put(self, key: Key, pixels: np.ndarray) -> None:
        """Keep a thumbnail, (side, side, 4) uint8 BGRX."""
        path = self._path(key)
        with contextlib.suppress(UserError, OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(path, encode_jpeg(cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGB)), durable=False)
            self._count += 1
        if self._count > KEPT:
            self._prune()

    def _path(self, key: Key) -> Path:
        if self._folder is None:
            self._folder = data_folder() / "thumbnails"
            self._count = sum(1 for _ in self._folder.rglob("*.jpg"))
        words = "\0".join(map(str, (*key, self._side))).encode("utf-8", "surrogateescape")
        name = hashlib.sha256(words).hexdigest()[:32]
        return self._folder / name[:2] / f"{name}.jpg"

    def _prune(self) -> None:
        files = sorted(self._folder.rglob("*.jpg"), key=lambda path: os.stat(path).st_mtime)
        for file in files[: len(files) // 2]:
            file.unlink(missing_ok=True)
        self._count = len(files) - len(files) // 2
