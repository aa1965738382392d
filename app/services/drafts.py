"""Frozen frames whose corrections are in no project yet: kept on the disk until they are, or are let go on purpose."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from PySide6.QtCore import QLockFile

from app.files import atomic_write
from app.project.records import DamagedError, instance_bytes, instance_from
from app.project.values import Instance
from app.services.live_values import Result, Timing
from app.services.tracker import Subject
from engine.errors import UserError
from engine.images import decode, encode_png
from engine.schema import schema_from_json
from engine.types import Box, Frame, Prediction

SUFFIX = ".draft"
LOCK = ".lock"
OWNER = secrets.token_hex(4)  # tells the drafts of this program from those of others that run with the same home
MOST = 6  # that are read at a start; older ones come when these are dealt with
FURTHEST = 1e9  # no number of a draft is larger: neither a place in a picture nor the number of a frame
DAMAGE = (OSError, UserError, DamagedError, ValueError, LookupError, TypeError, AttributeError, OverflowError,
          RecursionError)  # fmt: skip


@dataclass(frozen=True)
class Draft:
    """A result, its instances as corrected, and when it was frozen, by which it is told from others.

    kept: id and file name of the image as which a project has it, as it stood once; 0 and "" where none has.
    """

    result: Result
    instances: tuple[Instance, ...]
    moment: datetime
    kept: tuple[int, str] = (0, "")

    @property
    def name(self) -> str:
        return f"{self.moment:%Y-%m-%d %H.%M.%S.%f} {OWNER}{SUFFIX}"


class Drafts:
    """A folder of drafts: each a line of JSON and the frame as PNG; without heatmaps and a second model.

    Names end with the program whose drafts they are; while it runs it holds a lock of that name, and no other
    program reads or removes them. Those of programs that have ended belong to the first that reads them.
    All methods raise UserError where the disk refuses.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: QLockFile | None = None
        self._picture: tuple[np.ndarray | None, bytes] = None, b""  # of the frame in hand, encoded once

    def write(self, draft: Draft) -> None:
        """Keep a draft as it stands now."""
        pixels = draft.result.frame.pixels
        if self._picture[0] is not pixels:
            self._picture = pixels, encode_png(pixels)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"{self.folder} cannot be made ({error.strerror}); check its permissions.") from error
        self._hold()
        atomic_write(self.folder / draft.name, _head(draft) + b"\n" + self._picture[1], durable=False)

    def remove(self, draft: Draft) -> None:
        """Keep it no longer; harmless where it was not kept."""
        try:
            (self.folder / draft.name).unlink(missing_ok=True)
        except OSError as error:
            raise UserError(f"{draft.name} cannot be removed ({error.strerror}); check its permissions.") from error

    def read(self) -> list[Draft]:
        """Those that were kept, oldest first; what cannot be read, and what another program has, is passed over."""
        try:
            paths = sorted(self.folder.glob(f"*{SUFFIX}"), reverse=True)
        except OSError:
            return []
        running = self._running()  # after the list: what was taken since then has another name
        found: list[Draft] = []
        for path in paths:
            if len(found) == MOST:
                break
            if path.stem.rpartition(" ")[2] in running:
                continue
            try:
                draft = _draft(path.read_bytes())
            except DAMAGE:
                continue
            if self._take(path, draft):
                found.append(draft)
        return found[::-1]

    def _hold(self) -> None:
        if self._lock is None:
            self._lock = _lock(self.folder / f"{OWNER}{LOCK}")
            self._lock.tryLock(0)  # a disk without locks keeps drafts all the same

    def _running(self) -> set[str]:
        """The other programs that hold a lock; the locks of those that have ended go."""
        found = set()
        for path in self.folder.glob(f"*{LOCK}"):
            lock = _lock(path)
            if path.stem == OWNER:
                continue
            if lock.tryLock(0):
                lock.unlock()
            elif lock.error() == QLockFile.LockError.LockFailedError:
                found.add(path.stem)
        return found

    def _take(self, path: Path, draft: Draft) -> bool:
        """Make a draft this program's; False where another was first, or where this one has it already."""
        own = self.folder / draft.name
        if path == own:
            return True
        if os.path.exists(own):
            return False
        self._hold()
        try:
            path.rename(own)
        except FileNotFoundError:
            return False
        except OSError:
            pass  # it can be seen, if not removed
        return True


def _head(draft: Draft) -> bytes:
    result, frame = draft.result, draft.result.frame
    subjects = [
        {"number": s.number, "box": asdict(s.prediction.box), "landmarks": s.prediction.landmarks.tolist(),
         "shown": s.shown.tolist()}
        for s in result.subjects
    ]  # fmt: skip
    instances = [base64.b64encode(instance_bytes(instance)).decode() for instance in draft.instances]
    return json.dumps({
        "moment": draft.moment.isoformat(), "model": result.model, "schema": result.schema.to_json(),
        "origin": frame.origin, "index": frame.index, "time": frame.moment, "subjects": subjects,
        "instances": instances, "kept": draft.kept,
    }).encode()  # fmt: skip


def _draft(data: bytes) -> Draft:
    line, _, picture = data.partition(b"\n")
    head = json.loads(line, parse_float=_number, parse_int=lambda text: int(_number(text)), parse_constant=_number)
    schema, model = schema_from_json(head["schema"]), str(head["model"])
    frame = Frame(decode(picture), 0.0, str(head["origin"]), int(head["index"]), _moment(head["time"]))
    subjects, instances = [], [instance_from(base64.b64decode(text)) for text in head["instances"]]
    for each in head["subjects"]:
        landmarks, shown = np.array(each["landmarks"], float), np.array(each["shown"], float)
        if landmarks.shape != (len(schema), 3) or shown.shape != (len(schema), 2):
            raise ValueError("other landmarks than the schema's")
        if not (np.isfinite(landmarks).all() and np.isfinite(shown).all()):  # null is read as no number
            raise ValueError("landmarks without a place")
        subjects.append(Subject(int(each["number"]), Prediction(landmarks, Box(**each["box"]), model), shown))
    if len(subjects) != len(instances) or any(len(instance.points) != len(schema) for instance in instances):
        raise ValueError("other instances than subjects")
    if any(np.abs(instance.points).max() > FURTHEST for instance in instances):
        raise ValueError("a landmark far from the picture")
    result = Result(frame, tuple(subjects), Timing(), 0.0, model, schema)
    image, name = head.get("kept", (0, ""))
    return Draft(result, tuple(instances), datetime.fromisoformat(head["moment"]), (int(image), str(name)))


def _lock(path: Path) -> QLockFile:
    lock = QLockFile(str(path))
    lock.setStaleLockTime(0)  # only the end of its program frees it, not its age
    return lock


def _number(text: str) -> float:
    value = float(text)
    if not abs(value) <= FURTHEST:  # also where it is no number
        raise ValueError(f"{text} is no number of a draft")
    return value


def _moment(value: object) -> float | None:
    return None if value is None else float(value)
