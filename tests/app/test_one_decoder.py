"""One picture, whoever looks: list, canvas, engine, training and export see the same pixels at the same places."""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.formats.coco import Coco
from app.formats.complete import Wishes, export_complete
from app.project.document import Document
from app.project.edits import Accept, PutInstance
from app.project.snapshot import FACTOR, snapshot
from app.project.values import ACCEPTED, Box
from app.services.pictures import PictureCache, Pictures, thumbnail
from app.services.projects import open_folder
from engine import crop
from engine.images import load_image
from engine.opencv import cv2
from engine.packs import load_pack
from tests.app.projects import instance
from tests.engine.picturefile import blocks, chunk, encoded, with_exif
from tests.engine.test_images import CMYK

PLAIN = blocks(48, 64)
BRIGHT = (37, 21)  # x, y of the brightest pixel, as displayed


def png(kind: int, depth: int, body: bytes, width: int, height: int, *more: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    parts = (chunk(b"IHDR", header), *more, chunk(b"IDAT", zlib.compress(body)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def rows(values: np.ndarray) -> bytes:
    return b"".join(b"\0" + row.tobytes() for row in values)


def pages() -> bytes:
    return cv2.imencodemulti(".tiff", [PLAIN, blocks(48, 64, 2)])[1].tobytes()


def animation() -> bytes:
    frames = cv2.Animation()
    frames.frames, frames.durations = [PLAIN.copy(), blocks(48, 64, 3)], np.array([50, 50])
    return cv2.imencodeanimation(".webp", frames)[1].tobytes()


def kinds() -> dict[str, bytes]:
    rng = np.random.default_rng(5)
    grey = rng.integers(0, 256, (48, 64), np.uint8)
    clear = np.dstack([PLAIN, rng.integers(0, 256, (48, 64), np.uint8)])
    colours = rng.integers(0, 256, (256, 3), np.uint8).tobytes()
    clearness = chunk(b"tRNS", bytes(range(256)))
    return {
        "plain.png": encoded(PLAIN), "grey.png": encoded(grey), "photo.jpg": encoded(PLAIN, ".jpg"),
        "turned 6.jpg": with_exif(encoded(PLAIN, ".jpg"), 6), "turned 5.png": with_exif(encoded(PLAIN), 5),
        "deep.png": encoded(grey.astype(np.uint16) + 40), "deep colour.png": encoded(PLAIN.astype(np.uint16) * 200),
        "float.tiff": encoded(np.where(grey < 3, np.nan, grey).astype(np.float32), ".tiff"),
        "clear.png": encoded(clear), "grey and clear.png": png(4, 8, rows(np.dstack([grey, 255 - grey])), 64, 48),
        "palette.png": png(3, 8, rows(grey), 64, 48, chunk(b"PLTE", colours)),
        "palette and clear.png": png(3, 8, rows(grey), 64, 48, chunk(b"PLTE", colours), clearness),
        "one bit.png": png(0, 1, rows(grey[:, :8]), 64, 48), "cmyk.jpg": CMYK, "pages.tif": pages(),
        "moving.webp": animation(), "wrong suffix.png": encoded(PLAIN, ".jpg"), "map.bmp": encoded(PLAIN, ".bmp"),
        "人 é [1] ü.webp": encoded(PLAIN, ".webp"), "n" * 200 + ".png": encoded(PLAIN),
        "map.ppm": encoded(PLAIN, ".ppm"), "film.avif": encoded(PLAIN, ".avif"),
    }  # fmt: skip


KINDS = kinds()


def digest(pixels: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes() + repr(pixels.shape).encode()).hexdigest()


def labelled(folder: Path) -> tuple[Document, int, np.ndarray]:
    """A project of the one picture in a folder, accepted, with landmarks around its middle."""
    document = open_folder(folder, "mpii16")
    (image,) = document.images()
    made = instance(image.id)
    middle = np.array([image.width, image.height]) / 2
    points = middle + np.random.default_rng(1).uniform(-3, 3, made.points.shape)
    document.apply(PutInstance(replace(made, points=points, box=Box(*middle, 8.0))))
    document.apply(Accept(image.id))
    return document, image.id, points


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_picture_is_the_same_for_all(name: str, tmp_path: Path, qtbot) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    path = folder / name
    path.write_bytes(KINDS[name])
    engine = load_image(path)
    canvas = PictureCache().load(path)
    assert digest(canvas.pixels) == digest(engine)
    assert digest(canvas.levels[0][..., 2::-1]) == digest(engine)  # what is painted: blue, green, red, nothing
    small, pictures = [], Pictures(PictureCache(), 24)
    pictures.thumbnailed.connect(lambda image, pixels: small.append(pixels))
    pictures.want_thumbnail(1, lambda: path)
    qtbot.waitUntil(lambda: bool(small), timeout=10_000)
    assert digest(small[0]) == digest(thumbnail(engine, 24)) and pictures.close()
    document, image, points = labelled(folder)
    try:
        assert (document.image(image).width, document.image(image).height) == engine.shape[1::-1]
        taught(document, engine, points, tmp_path / "set.npz")
        given_out(document, engine, points, tmp_path / "out")
    finally:
        document.close()


def taught(document: Document, engine: np.ndarray, points: np.ndarray, place: Path) -> None:
    """Training gets a crop of the same pixels, its landmarks at the same places."""
    snapshot(document, place)
    pack = load_pack(place)
    low, high = points.min(0), points.max(0)
    side = max(float((high - low).max()), 2.0)
    seen = pack.image(0)
    affine = crop.matrix(*(low + high) / 2, side * FACTOR, seen.shape[0])
    assert digest(seen) == digest(crop.sample(engine, affine, seen.shape[0]))


def coco_of(place: Path) -> dict:
    """The one file of labels among the others of a data set."""
    read = [json.loads(path.read_text("utf-8")) for path in place.rglob("*.json")]
    (told,) = (each for each in read if "annotations" in each)
    return told


def given_out(document: Document, engine: np.ndarray, points: np.ndarray, place: Path) -> None:
    """A data set has the displayed size, the same landmarks, and a picture that decodes to the same pixels."""
    export_complete(document, Coco(), place, Wishes(ACCEPTED, "copy"))
    told = coco_of(place)
    (image,), (label,) = told["images"], told["annotations"]
    assert (image["width"], image["height"]) == engine.shape[1::-1]
    assert np.abs(np.array(label["keypoints"]).reshape(-1, 3)[:, :2] - points).max() < 0.01
    copies = [path for path in place.rglob("*") if path.name == image["file_name"].rsplit("/", 1)[-1]]
    assert copies and digest(load_image(copies[0])) == digest(engine)


def test_a_landmark_stays_on_its_pixel_through_a_turned_picture(tmp_path: Path) -> None:
    """B1: the labels of a picture that EXIF turns are where they were seen, in all that is written."""
    stored = np.zeros((64, 48, 3), np.uint8)
    x, y = BRIGHT
    stored[64 - 1 - x, y] = 255  # orientation 6: the stored column becomes the displayed row
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "turned.png").write_bytes(with_exif(encoded(stored), 6))
    shown = load_image(folder / "turned.png")
    at = np.unravel_index(shown[..., 0].argmax(), shown.shape[:2])[::-1]
    document, image, _ = labelled(folder)
    held = document.instances(image)[0].with_point(0, *at)
    document.apply(PutInstance(held))
    given_out(document, shown, held.points, tmp_path / "out")
    document.close()
    told = coco_of(tmp_path / "out")
    column, row = told["annotations"][0]["keypoints"][:2]
    assert shown[round(row), round(column), 0] == 255
