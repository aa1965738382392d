"""Images, instances and journal entries as rows: compact bytes, with a check sum over each."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

import msgspec
import numpy as np

from app.project.values import Image, Instance
from engine.errors import UserError
from engine.types import Box

ARRAYS = (
    ("points", "<f8", 2), ("visibility", "u1", 1), ("origin", "u1", 1), ("score", "<f4", 1), ("guess", "<f8", 2),
    ("when", "<i8", 1),
)  # fmt: skip
LATER = "when"  # projects of version 1 end before it
SCHEMA = "schema"  # not a table: the property that holds the schema, as a row of its own
TABLES = ("images", "instances")
IMAGE = msgspec.json.Decoder(Image)
KEYS = struct.Struct("<qq")
PACKED_ABOVE = 1 << 16  # bytes of a journal entry above which it is packed


class DamagedError(UserError):
    """A row whose bytes are not what was written."""


class Row(NamedTuple):
    """A stored row as read; `intact` is False where its bytes do not match their check sum."""

    id: int
    owner: int
    data: bytes
    intact: bool


@dataclass(frozen=True)
class RowChange:
    """One row before and after an edit; None where it is not there. `owner` is the image that it belongs to."""

    table: str
    id: int
    owner: int
    before: bytes | None
    after: bytes | None


def checksum(data: bytes, id: int = 0, owner: int = 0) -> int:
    """crc32 of a row with its keys, so that a row in another's place is noticed too."""
    return zlib.crc32(data, zlib.crc32(KEYS.pack(id, owner)))


def is_intact(id: int, owner: object, data: object, crc: object) -> bool:
    """Whether a stored row is as it was written."""
    try:
        return checksum(data, id, owner) == crc
    except (TypeError, struct.error):  # another kind of value stands there
        return False


def image_bytes(image: Image) -> bytes:
    """An image as JSON; what is as in a new one is left out."""
    try:
        return msgspec.json.encode(image)
    except UnicodeEncodeError:  # a path that is no text has surrogates, which JSON lacks
        values = {name: getattr(image, name) for name in Image.__struct_fields__}
        return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def image_from(data: bytes) -> Image:
    """Inverse of `image_bytes`; what a newer program has added is passed over. Raises DamagedError."""
    try:
        try:
            return IMAGE.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError):  # a path that is no text has surrogates, which JSON lacks
            return msgspec.convert(json.loads(data.decode("utf-8", "surrogatepass")), Image)
    except (ValueError, msgspec.MsgspecError) as error:
        raise DamagedError(f"The record of an image is damaged ({error}); restore a backup.") from error


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
            if name == LATER and at == len(rest):
                continue
            size = k * columns * np.dtype(dtype).itemsize
            array = np.frombuffer(rest[at : at + size], dtype)
            values[name] = array.reshape(k, 2) if columns == 2 else array
            at += size
        if at != len(rest):
            raise ValueError("wrong length")
        return Instance(head["id"], head["image"], Box(**head["box"]), model=head["model"],
                        annotator=head["annotator"], **values)  # fmt: skip
    except (ValueError, TypeError, KeyError) as error:
        raise DamagedError(f"The record of an instance is damaged ({error}); restore a backup.") from error


def journal_bytes(changes: Iterable[RowChange]) -> bytes:
    """Rows before and after: a line of JSON with their keys and sizes, then the bytes; large ones are packed."""
    changes = list(changes)
    sizes = [[c.table, c.id, c.owner, _size(c.before), _size(c.after)] for c in changes]
    plain = json.dumps(sizes).encode() + b"\n" + b"".join((c.before or b"") + (c.after or b"") for c in changes)
    return zlib.compress(plain, 1) if len(plain) > PACKED_ABOVE else plain


def journal_from(data: bytes) -> list[RowChange]:
    """Inverse of `journal_bytes`; raises DamagedError."""
    changes, at = [], 0
    try:
        head, rest = (data if data[:1] == b"[" else zlib.decompress(data)).split(b"\n", 1)
        for table, id, owner, before, after in json.loads(head):
            values = []
            for size in (before, after):
                values.append(None if size < 0 else rest[at : at + size])
                at += max(size, 0)
            changes.append(RowChange(table, id, owner, *values))
        if at != len(rest) or any(change.table not in (*TABLES, SCHEMA) for change in changes):
            raise ValueError("wrong length")
    except (ValueError, TypeError, zlib.error) as error:
        raise DamagedError(f"The record of an edit is damaged ({error}); restore a backup.") from error
    return changes


def entry_from(title: str, data: bytes, crc: int) -> list[RowChange]:
    """The changes of a journal's entry; raises DamagedError where it is not as it was written."""
    if checksum(data) != crc:
        raise DamagedError(
            f"The record of {title!r} is damaged and cannot be used; restore a backup from the data folder."
        )
    return journal_from(data)


def in_one(changes: Iterable[RowChange]) -> list[RowChange]:
    """Changes that were made one after the other, as one a row."""
    joined: dict[tuple[str, int], RowChange] = {}
    for change in changes:
        key = change.table, change.id
        joined[key] = replace(joined[key], after=change.after) if key in joined else change
    return list(joined.values())


def turned(changes: Iterable[RowChange]) -> list[RowChange]:
    """What takes changes back, the last first."""
    return [replace(change, before=change.after, after=change.before) for change in reversed(list(changes))]


def _size(data: bytes | None) -> int:
    return -1 if data is None else len(data)
