"""Pictures and thumbnails for the views: decoded off the GUI thread, newest request first."""

from __future__ import annotations

import errno
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.services.own_thread import OwnThread
from app.services.thumbnails import Thumbnails
from engine.errors import UserError
from engine.images import load_image, load_shown
from engine.opencv import cv2
from engine.types import frozen

AWAY = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENODEV, errno.ENXIO, errno.ENOTCONN, errno.ESTALE})
CACHE_BYTES = 512 << 20
SMALLEST_LEVEL = 1500  # a level of the pyramid is made while the longer side is above this, pixels


class MissingError(UserError):
    """A picture whose file is nowhere, or whose disk is away: it may come back."""


@dataclass(frozen=True)
class Picture:
    """A decoded picture and its halvings. pixels (H, W, 3) uint8 RGB; levels: (h, w, 4) uint8 BGRX, largest first.

    It is the first of `frames`; `damage` says what is wrong with the file, "" where it is whole; digest of its bytes.
    """

    pixels: np.ndarray
    levels: tuple[np.ndarray, ...]
    frames: int = 1
    damage: str = ""
    digest: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def nbytes(self) -> int:
        return self.pixels.nbytes + sum(level.nbytes for level in self.levels)


def make_picture(pixels: np.ndarray) -> Picture:
    """A picture with its pyramid from (H, W, 3) uint8 RGB pixels."""
    level = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGRA)
    levels = [frozen(level)]
    while max(level.shape[:2]) > SMALLEST_LEVEL:
        height, width = level.shape[:2]
        level = cv2.resize(level, (max(width // 2, 1), max(height // 2, 1)), interpolation=cv2.INTER_AREA)
        levels.append(frozen(level))
    return Picture(frozen(pixels), tuple(levels))


def equalised(picture: Picture) -> Picture:
    """The picture with its lightness spread over the whole range, for the eye only."""
    lab = cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(clipLimit=3.0, tileGridSize=(8, 8)).apply(lab[..., 0])
    return make_picture(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))


def thumbnail(pixels: np.ndarray, side: int) -> np.ndarray:
    """The middle square of a picture, (side, side, 4) uint8 BGRX."""
    height, width = pixels.shape[:2]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    square = pixels[top : top + edge, left : left + edge]
    small = cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA if edge > side else cv2.INTER_LINEAR)
    return frozen(cv2.cvtColor(small, cv2.COLOR_RGB2BGRA))


class PictureCache:
    """The last decoded pictures, shared by threads; entries go stale when the file changes."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[str, int, int], Picture] = OrderedDict()

    def load(self, path: Path) -> Picture:
        """The picture of a file, of a damaged one what is there of it; raises UserError where it cannot be read."""
        key = self.key(path)
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        shown = load_shown(path)
        made = make_picture(shown.pixels)
        picture = replace(made, frames=shown.frames, damage=shown.damage, digest=shown.digest)
        with self._lock:
            self._held[key] = picture
            while len(self._held) > 1 and sum(p.nbytes for p in self._held.values()) > self._limit:
                self._held.popitem(last=False)
        return picture

    def peek(self, path: Path) -> Picture | None:
        """The picture if it is held already, without reading the file's pixels."""
        try:
            key = self.key(path)
        except UserError:
            return None
        with self._lock:
            return self._held.get(key)

    @staticmethod
    def key(path: Path) -> tuple[str, int, int]:
        """What a file's pixels are known by; raises UserError where it is not there."""
        try:
            stat = path.stat()
        except OSError as error:
            raise problem(path, error) from error
        return str(path), stat.st_mtime_ns, stat.st_size


class Pictures(OwnThread, QObject):
    """Loads pictures for the canvas and thumbnails for the queue in one thread of its own.

    loaded(image id, Picture); thumbnailed(image id, (side, side, 4) uint8 BGRX); failed(image id, sentence);
    missing(image id, sentence): the file is not there, or its disk is away; no_thumbnail(image id, sentence).
    """

    loaded = Signal(int, object)
    thumbnailed = Signal(int, object)
    failed = Signal(int, str)
    missing = Signal(int, str)
    no_thumbnail = Signal(int, str)

    _thread_name = "pictures"

    def __init__(self, cache: PictureCache, thumbnail_side: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._prepare_thread()
        self.cache = cache
        self._side = thumbnail_side
        self._thumbnails = Thumbnails(thumbnail_side)
        self._shown: list[tuple[int, Path, bool]] = []  # newest last; True: the view waits for it
        self._small: OrderedDict[int, Callable[[], Path]] = OrderedDict()

    def show(self, image: int, path: Path) -> None:
        """Ask for a picture; older requests that nobody waits for any more are dropped."""
        held = self.cache.peek(path)
        if held is not None:
            self.loaded.emit(image, held)
            return
        with self._ready:
            self._shown = [(image, path, True)]
        self._wake()

    def prefetch(self, image: int, path: Path) -> None:
        """Decode a picture into the cache when there is time."""
        with self._ready:
            self._shown.insert(0, (image, path, False))
            del self._shown[:-4]
        self._wake()

    def want_thumbnail(self, image: int, path: Callable[[], Path]) -> None:
        """Ask for a thumbnail; the newest request is made first. path: asked in the thread, as a disk may be slow."""
        with self._ready:
            self._small[image] = path
            self._small.move_to_end(image)
            while len(self._small) > 200:
                self._small.popitem(last=False)
        self._wake()

    def forget_thumbnails(self) -> None:
        """Drop the thumbnails that are still to be made."""
        with self._ready:
            self._small.clear()

    def _next(self) -> tuple[int, Callable[[], Path], bool, bool] | None:
        """Number and path of an image, whether a thumbnail is meant, and whether somebody waits to see it."""
        if self._shown:
            image, path, wanted = self._shown.pop()
            return image, lambda: path, False, wanted
        if self._small:
            return *self._small.popitem(), True, True
        return None

    def _work(self, piece: tuple[int, Callable[[], Path], bool, bool]) -> None:
        image, path_of, small, wanted = piece
        path = path_of()
        try:
            if small:
                self._tell(self.thumbnailed, image, self._small_one(path))
            else:
                picture = self.cache.load(path)
                if wanted:
                    self._tell(self.loaded, image, picture)
        except (UserError, OSError) as error:
            if wanted:
                told = problem(path, error)
                loud = self.missing if isinstance(told, MissingError) else self.failed
                self._tell(self.no_thumbnail if small else loud, image, str(told))

    def _small_one(self, path: Path) -> np.ndarray:
        """A thumbnail: from the disk, else made and kept there."""
        key = self.cache.key(path)
        kept = self._thumbnails.get(key)
        if kept is not None:
            return kept
        held = self.cache.peek(path)
        whole = held is not None and not held.damage
        made = thumbnail(held.pixels if whole else load_image(path), self._side)
        self._thumbnails.put(key, made)
        return made

    def _tell(self, signal: Signal, image: int, value: object) -> None:
        if not self._closed:
            signal.emit(image, value)


def problem(path: Path, error: Exception) -> UserError:
    """Why a picture could not be read, as a sentence with a remedy; MissingError where its file is not there."""
    if isinstance(error, UserError):
        return error
    if isinstance(error, OSError) and error.errno in AWAY:
        return MissingError(f"{path.name} is not there; connect its disk, or say where it is now.")
    return UserError(f"{path.name} cannot be read ({getattr(error, 'strerror', None) or error}); check the file.")
