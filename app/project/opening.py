"""Opening a project's SQLite file: made whole, checked before it is touched, held by one program at a time.

One connection in exclusive mode over a write-ahead log with synchronous=FULL: a commit that returned
survives a kill and a power cut, and a second instance is told so at once (reliability.md 3).
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
import time
from pathlib import Path

from app.files import beside, sweep, sync_folder
from app.project.records import TABLES, DamagedError, checksum, is_intact
from engine.errors import UserError

APPLICATION = 0x486F7572  # "Hour": what file(1) and we know the format by
# 2 knows when each landmark became as it is, and tags; 3 which entries of the journal are one step of undo.
VERSION = 3  # rows of earlier ones are read as they are, their journal gets what it lacks
ERRORS = (sqlite3.Error, UnicodeDecodeError)  # the latter where a damaged file's own words are in the message
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE images (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, data BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE instances (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, data BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE INDEX instances_by_image ON instances (owner);
CREATE TABLE journal (
  id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, undone INTEGER NOT NULL DEFAULT 0,
  data BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE INDEX journal_by_state ON journal (undone, id);
"""
STEPS = """
ALTER TABLE journal ADD COLUMN joins INTEGER NOT NULL DEFAULT 0;
CREATE INDEX journal_by_step ON journal (joins, id);
"""  # joins: 1 where an entry belongs to the same step as the one before it


class Unwritable(UserError):
    """A project that cannot be worked in here and now, but can be read from a copy. `path`: its file."""

    def __init__(self, sentence: str, path: Path) -> None:
        super().__init__(sentence)
        self.path = path


class Busy(Unwritable):
    """A project that another program has open."""


def make(path: Path, meta: dict[str, str], place: Path | None = None) -> None:
    """Write a new project file, whole or not at all; raises UserError where one is there, or none can be made.

    place: where it goes that is made elsewhere, as people know it.
    """
    if os.path.exists(path):
        raise UserError(f"{path.name} exists already; open it, or choose another name.")
    sweep(path.parent)
    part = beside(path)
    try:
        with contextlib.closing(sqlite3.connect(part, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            for statement in (SCHEMA + STEPS).split(";\n"):
                connection.execute(statement)
            write_meta(connection, meta)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
        os.replace(part, path)
    except (sqlite3.Error, OSError) as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise UserError(f"{place or path} cannot be made ({error}); choose another place or free space.") from error
    sync_folder(path.parent)


def connect(path: Path, newer: bool = False) -> sqlite3.Connection:
    """An existing project for this program alone; raises UserError: missing, of another kind, damaged.

    Raises Unwritable where it is held, cannot be written, or comes from a newer version; `newer` lets that one in.
    """
    if not os.path.isfile(path):
        raise UserError(f"There is no project {path}; check its place.")
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        raise explained(path, OSError("read-only"))
    try:
        connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise Unwritable(f"{path} cannot be opened ({error}); check the folder and its permissions.", path) from error
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if application != APPLICATION:
            raise UserError(f"{path.name} is no Hourbit project; choose a .hourbit-project file.")
        if version > VERSION and not newer:
            raise Unwritable(f"{path.name} was written by a newer Hourbit; update Hourbit to work in it.", path)
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")  # takes the lock, and tells whether the file can be written
        connection.execute("COMMIT")
    except ERRORS as error:
        connection.close()
        raise explained(path, error) from error
    except UserError:
        connection.close()
        raise
    sweep(path.parent)
    _say_who(path)
    return connection


def holder(path: Path) -> Path:
    """The note beside a project that says which program has it open; SQLite's lock is what keeps others out."""
    return path.with_name(f".{path.name}.holder")


def write_meta(connection: sqlite3.Connection, meta: dict[str, str]) -> None:
    """Store properties with their check sums."""
    rows = [(key, value, checksum(f"{key}={value}".encode())) for key, value in meta.items()]
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", rows)


def is_whole(path: Path) -> bool:
    """Whether every row of a copy, and of its journal, is as it was written."""
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            rows = [f"SELECT id, owner, data, crc FROM {table}" for table in TABLES]
            asked = [*rows, "SELECT 0, 0, data, crc FROM journal"]
            return all(is_intact(*row) for query in asked for row in connection.execute(query))
    except ERRORS:
        return False


def explained(path: Path, error: Exception) -> UserError:
    """What SQLite says, as a sentence with a remedy."""
    text = str(error)
    if "locked" in text:
        return Busy(f"{path.name} is open elsewhere ({_who(path)}); close it there first.", path)
    if "locking protocol" in text:
        return Unwritable(f"{path.name} cannot be locked where it is; copy it to a disk of this computer.", path)
    if "readonly" in text or "read-only" in text:
        return Unwritable(f"{path.name} cannot be written; keep a copy elsewhere and work in that.", path)
    if "unable to open" in text or "disk I/O" in text:
        return Unwritable(f"{path} cannot be opened; check the folder and its permissions.", path)
    if "not a database" in text:
        return UserError(f"{path.name} is no Hourbit project; choose a .hourbit-project file.")
    return DamagedError(f"{path.name} is damaged ({text}); restore a backup.")


def _say_who(path: Path) -> None:
    who = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%H:%M")}
    with contextlib.suppress(OSError):
        holder(path).write_text(json.dumps(who), "utf-8")


def _who(path: Path) -> str:
    try:
        who = json.loads(holder(path).read_text("utf-8"))
        return f"process {who['pid']} on {who['host']}, since {who['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another program"
