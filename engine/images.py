"""The only picture decoder: bytes in, upright RGB out, the same for view, engine, training and export.

One conversion for all kinds of pixels: 8-bit stays as it is; deeper ones (16-bit, float) are spread so
that the lowest finite value becomes 0 and the highest 255; transparent parts lie over white; grey is
repeated; of several pages or frames the first counts; EXIF's orientation is applied.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import UserError
from engine.frames import count_frames
from engine.headers import MAX_PIXELS, MAX_SIDE, Header, HeaderError, read_header
from engine.opencv import cv2
from engine.regular import open_regular
from engine.types import check_picture

IMAGE_SUFFIXES = frozenset({
    ".jpg", ".jpeg", ".jpe", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".ppm", ".pgm", ".pbm", ".pnm",
    ".jfif", ".pjpeg", ".pjp", ".dib", ".avif", ".heic", ".heif", ".hif",
})  # fmt: skip
# Pictures of kinds that are not decoded; whoever opens a folder is told that they were left out.
OTHER_SUFFIXES = frozenset({
    ".jxl", ".jp2", ".j2k", ".psd", ".xcf", ".svg", ".exr", ".hdr", ".tga", ".ico", ".dng", ".cr2", ".cr3", ".nef",
    ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw",
})  # fmt: skip
MAX_BYTES = 512 << 20
JPEG_END = b"\xff\xd9"
NUMBER = re.compile("([0-9]+)")
BREAK = ord("\n")
FIRST_READ = 256 << 10  # bytes that hold most headers


class ImageError(UserError):
    """A picture that cannot be read; the message is one sentence with a remedy."""


class DamagedPictureError(ImageError):
    """A picture that is cut short or damaged: some of it may still be shown."""


@dataclass(frozen=True)
class Shown:
    """What a person gets to see of a file: pixels (H, W, 3) uint8 RGB, how many frames or pages it has, of which
    this is the first, what is wrong with it, "" where it is whole, and the digest of the file's bytes."""

    pixels: np.ndarray
    frames: int = 1
    damage: str = ""
    digest: str = ""


def decode(data: bytes, name: str = "") -> np.ndarray:
    """Decode a picture file: (H, W, 3) uint8 RGB, upright, writeable.

    `name` is what messages call it. Raises ImageError for what is no picture, damaged, cut short or too large.
    """
    name = name or "The picture"
    return _pixels(data, _header(data, name), name)


def _pixels(data: bytes, header: Header, name: str) -> np.ndarray:
    if header.kind == "heic":
        return _heic(data, header, name)
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise DamagedPictureError(f"{name} is damaged and cannot be decoded; get the file again.") from error
    if pixels is None or not pixels.size:
        raise DamagedPictureError(f"{name} is damaged or of a kind that cannot be decoded; save it as PNG or JPEG.")
    if header.kind == "avif" and pixels.dtype == np.uint16:
        pixels = pixels << max(16 - header.bits, 0)
    # Of a TIFF the decoder hands out upright pixels, and 8-bit ones multiplied by their alpha.
    tiff = header.kind == "tiff"
    picture = _to_rgb(pixels, premultiplied=tiff and pixels.dtype == np.uint8)
    return np.ascontiguousarray(_upright(picture, 1 if tiff else header.orientation))


def _heic(data: bytes, header: Header, name: str) -> np.ndarray:
    """Upright pixels (H, W, 3) uint8 RGB of a HEIC file.

    The package's own classes end the process at some damaged files, where they look for metadata; below them, the
    pixels alone are read soundly.
    """
    try:
        from _pi_heif import load_file  # only where such a picture is met
    except ImportError as error:
        raise ImageError(f"{name} is a HEIC picture: install pi-heif, which reads them, or save it as JPEG.") from error
    try:
        images = load_file(data, 4, False, True, True, True, "", False)  # deep, blue first, tight rows, spread, guarded
        first = next(image for image in images if image and image.primary)
        held = first.data
        (width, height), mode = first.size_mode
        pixels = np.frombuffer(held, np.uint16 if mode.endswith("16") else np.uint8).reshape(height, width, -1)
    except (ValueError, LookupError, TypeError, RuntimeError, EOFError, OSError, SyntaxError, StopIteration) as error:
        raise DamagedPictureError(f"{name} is damaged and cannot be decoded; get the file again.") from error
    if (width, height) != header.upright:
        raise DamagedPictureError(f"{name} is damaged and cannot be decoded; get the file again.")
    return np.ascontiguousarray(_to_rgb(pixels, premultiplied="a" in mode))


def load_image(path: str | Path) -> np.ndarray:
    """Decode a file: (H, W, 3) uint8 RGB, upright; raises ImageError, or OSError where it cannot be opened."""
    path = Path(path)
    return decode(_read(path), path.name)


def load_shown(path: str | Path) -> Shown:
    """A picture file for the eye: as `load_image`, but of a JPEG that is cut short also the part that is there.

    Raises ImageError, or OSError where it cannot be opened.
    """
    path = Path(path)
    data = _read(path)
    digest = hashlib.sha256(data).hexdigest()
    try:
        return Shown(decode(data, path.name), count_frames(data), digest=digest)
    except DamagedPictureError as error:
        header = _header(data, path.name, whole=False)
        if header.kind != "jpeg":
            raise
        try:
            return Shown(_pixels(data + JPEG_END, header, path.name), damage=str(error), digest=digest)
        except ImageError:
            raise error from None


def image_size(path: str | Path) -> tuple[int, int]:
    """Width and height of a picture file as displayed, from its header alone; raises ImageError, OSError."""
    path = Path(path)
    with open_regular(path) as file:
        start = file.read(FIRST_READ)
    try:
        header = read_header(start, whole=False)
    except HeaderError:
        return _header(_read(path), path.name, whole=False).upright
    _check_size(header, path.name)
    return header.upright


def encode_png(pixels: np.ndarray) -> bytes:
    """A PNG file of a picture (H, W, 3) uint8 RGB."""
    return _encode(".png", pixels, [])


def encode_jpeg(pixels: np.ndarray, quality: int = 92) -> bytes:
    """A JPEG file of a picture (H, W, 3) uint8 RGB; quality 0 to 100."""
    return _encode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])


def natural_key(name: str) -> tuple[str, str]:
    """Sorts img2 before img10, without regard to case; equal names but for case keep one order.

    A number becomes the character 0, the count of its digits and the digits: as text these sort by value, between
    signs and letters. Separators and dots are lower than all other signs, so that set is before set 2, and img.png
    before img (2).png.
    """
    return NUMBER.sub(lambda number: _sortable(number[0]), _flat(name)), name


def natural_order(names: Sequence[str]) -> list[int]:
    """Places of names in the order of `natural_key`, equal ones as they come; much quicker for many of them."""
    shared = os.path.commonprefix([min(names, default=""), max(names, default="")])
    start = max(shared.rfind("/"), shared.rfind("\\")) + 1  # the folder of all tells nothing
    text = _flat("\n".join([name[start:] for name in names]))
    if text.count("\n") >= max(len(names), 1):  # a line break in a name
        keys = [natural_key(name)[0] for name in names]
    else:
        parts = NUMBER.split(text)
        parts[1::2] = map(_sortable, parts[1::2])
        keys = "".join(parts).split("\n")
    if len(set(keys)) == len(names):
        return sorted(range(len(names)), key=keys.__getitem__)
    return sorted(range(len(names)), key=lambda n: (keys[n], names[n]))


def _flat(text: str) -> str:
    return text.casefold().replace("\\", "/").replace("/", "\0").replace(".", "\1")


def _sortable(number: str) -> str:
    digits = number.lstrip("0")
    return f"0{chr(len(digits) + BREAK + 1)}{digits}"


def _read(path: Path) -> bytes:
    with open_regular(path) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ImageError(f"{path.name} is larger than 512 MB; save it smaller.")
    return data


def _header(data: bytes, name: str, whole: bool = True) -> Header:
    if len(data) > MAX_BYTES:
        raise ImageError(f"{name} is larger than 512 MB; save it smaller.")
    try:
        header = read_header(data, whole=False)  # the size first: it bounds the work of what follows
        _check_size(header, name)
        return read_header(data) if whole else header
    except HeaderError as error:
        known = "empty" not in str(error) and "no picture" not in str(error)
        if known:
            raise DamagedPictureError(f"{name} is damaged: {error}; get the file again.") from error
        raise ImageError(f"{name} cannot be read: {error}; get the file again.") from error


def _check_size(header: Header, name: str) -> None:
    width, height = header.upright
    if width > MAX_SIDE or height > MAX_SIDE or width * height > MAX_PIXELS:
        raise ImageError(
            f"{name} has {width} x {height} pixels; the limit is 100 million, 65,535 a side: save it smaller."
        )


def _to_rgb(pixels: np.ndarray, premultiplied: bool) -> np.ndarray:
    """Any (H, W) or (H, W, 1 to 4) picture in OpenCV's channel order to (H, W, 3) uint8 RGB."""
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    channels = pixels.shape[2]
    colour, alpha = (pixels[..., :-1], pixels[..., -1:]) if channels in (2, 4) else (pixels, None)
    colour = _to_bytes(colour)
    colour = np.repeat(colour, 3, 2) if colour.shape[2] == 1 else colour[..., ::-1]
    if alpha is None:
        return colour
    share = np.clip(np.nan_to_num(alpha.astype(np.float32)) / _full(alpha), 0, 1)
    if (share == 1).all():
        return colour
    over_white = colour * (1 if premultiplied else share) + 255 * (1 - share)
    return (np.clip(over_white, 0, 255) + 0.5).astype(np.uint8)


def _full(values: np.ndarray) -> float:
    """What counts as white or opaque for an array's kind of number."""
    return 1.0 if values.dtype.kind == "f" else float(np.iinfo(values.dtype).max)


def _to_bytes(values: np.ndarray) -> np.ndarray:
    """Deeper pixels spread over 0 to 255 from their lowest to their highest finite value; NaN becomes 0."""
    if values.dtype == np.uint8:
        return values
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if low == high:  # one value only keeps its place in the range of its kind
        low, high = 0.0, _full(values)
    spread = (values.astype(np.float32) - low) * (255 / (high - low))
    return (np.clip(np.nan_to_num(spread, nan=0.0, posinf=255, neginf=0), 0, 255) + 0.5).astype(np.uint8)


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn a stored picture the way EXIF's orientation says."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def _encode(suffix: str, pixels: np.ndarray, options: list[int]) -> bytes:
    check_picture(pixels)
    done, data = cv2.imencode(suffix, cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2BGR), options)
    if not done:
        raise ImageError("The picture could not be encoded; free some memory and try again.")
    return data.tobytes()
