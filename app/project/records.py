"""Images and instances as rows: compact bytes, with a check sum over each."""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict

import numpy as np

from app.project.values import Image, Instance, State
from engine.types import Box

ARRAYS = (
    ("points", "<f8", 2), ("visibility", "u1", 1), ("origin", "u1", 1), ("score", "<f4", 1), ("guess", "<f8", 2),
)  # fmt: skip


class DamagedError(ValueError):
    """A row whose bytes are not what was written."""


def checksum(data: bytes) -> int:
    """crc32 of a row."""
    return zlib.crc32(data)


def image_bytes(image: Image) -> bytes:
    """An image as JSON."""
    return json.dumps(asdict(image), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def image_from(data: bytes) -> Image:
    """Inverse of `image_bytes`; raises DamagedError."""
    try:
        values = json.loads(data.decode("utf-8", "surrogatepass"))
        return Image(**values | {"state": State(values["state"])})
    except (ValueError, TypeError, KeyError) as error:
        raise DamagedError(str(error)) from error


def instance_bytes(instance: Instance) -> bytes:
    """An instance as one line of JSON and its arrays, little-endian."""
    head = {
        "id": instance.id, "image": instance.image, "box": asdict(instance.box), "k": len(instance.points),
        "model": instance.model, "annotator": instance.annotator,
    }  # fmt: skip
    arrays = b"".join(getattr(instance, name).astype(dtype).tobytes() for name, dtype, _ in ARRAYS)
    return json.dumps(head, separators=(",", ":")).encode() + b"\n" + arrays


def instance_from(data: bytes) -> Instance:
    """Inverse of `instance_bytes`; raises DamagedError."""
    try:
        line, rest = data.split(b"\n", 1)
        head = json.loads(line)
        k, values, at = int(head["k"]), {}, 0
        for name, dtype, columns in ARRAYS:
            size = k * columns * np.dtype(dtype).itemsize
            array = np.frombuffer(rest[at : at + size], dtype)
            values[name] = array.reshape(k, 2) if columns == 2 else array
            at += size
        if at != len(rest):
            raise ValueError("wrong length")
        return Instance(head["id"], head["image"], Box(**head["box"]), model=head["model"],
                        annotator=head["annotator"], **values)  # fmt: skip
    except (ValueError, TypeError, KeyError) as error:
        raise DamagedError(str(error)) from error
