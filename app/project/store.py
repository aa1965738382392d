"""The project's SQLite file; the only code with SQL.

One connection in exclusive mode over a write-ahead log with synchronous=FULL: a commit that returned
survives a kill and a power cut, and a second instance is told so at once (reliability.md 3).
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.project.records import checksum
from engine.errors import UserError

APPLICATION = 0x486F7572  # "Hour": what file(1) and we know the format by
VERSION = 1
JOURNAL_KEPT = 2000
TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE images (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, data BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE instances (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, data BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE INDEX instances_by_image ON instances (owner);
CREATE TABLE journal (
  id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, undone INTEGER NOT NULL DEFAULT 0,
  data BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE INDEX journal_by_state ON journal (undone, id);
"""


@dataclass(frozen=True)
class RowChange:
    """One row before and after an edit; None where it is not there. `owner` is the image that it belongs to."""

    table: str
    id: int
    owner: int
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True)
class Row:
    """A stored row; `intact` is False where its bytes do not match their check sum."""

    id: int
    data: bytes
    intact: bool


class Store:
    """Rows in, rows out, one transaction at a time."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._lock = threading.RLock()

    @classmethod
    def create(cls, path: Path, meta: dict[str, str]) -> Store:
        """A new project file; raises UserError where there is one already, or none can be made."""
        if path.exists():
            raise UserError(f"{path.name} exists already; open it, or choose another name.")
        store = cls(path, _connect(path))
        try:
            with store._connection as connection:
                connection.execute("BEGIN IMMEDIATE")
                for statement in TABLES.split(";\n"):
                    connection.execute(statement)
                connection.executemany("INSERT INTO meta VALUES (?, ?)", list(meta.items()))
                connection.execute(f"PRAGMA application_id = {APPLICATION}")
                connection.execute(f"PRAGMA user_version = {VERSION}")
        except sqlite3.Error as error:
            store._connection.close()
            raise UserError(f"{path} cannot be made ({error}); choose another place or free space.") from error
        store._hold()
        return store

    @classmethod
    def open(cls, path: Path) -> Store:
        """An existing project; raises UserError: missing, held by another, of another kind, newer, or damaged."""
        if not path.is_file():
            raise UserError(f"There is no project {path}; check its place.")
        connection = _connect(path)
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            application = connection.execute("PRAGMA application_id").fetchone()[0]
            if application != APPLICATION:
                raise UserError(f"{path.name} is no Hourbit project; choose a .hourbit-project file.")
            if version > VERSION:
                raise UserError(f"{path.name} was written by a newer Hourbit; update Hourbit to open it.")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            connection.close()
            raise _explained(path, error) from error
        except UserError:
            connection.close()
            raise
        store = cls(path, connection)
        store._hold()
        return store

    def close(self) -> None:
        """Fold the log into the file and let it go."""
        with self._lock:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            _holder(self.path).unlink(missing_ok=True)
            self._connection.close()

    def meta(self) -> dict[str, str]:
        """All of the project's properties."""
        with self._lock:
            return dict(self._connection.execute("SELECT key, value FROM meta"))

    def images(self) -> list[Row]:
        """All image rows."""
        return self._rows("SELECT id, data, crc FROM images")

    def instances(self, image: int) -> list[Row]:
        """The instance rows of an image, oldest first."""
        return self._rows("SELECT id, data, crc FROM instances WHERE owner = ? ORDER BY id", image)

    def row(self, table: str, id: int) -> bytes | None:
        """One row's bytes; None where it is missing or damaged."""
        found = self._rows(f"SELECT id, data, crc FROM {_table(table)} WHERE id = ?", id)
        return found[0].data if found and found[0].intact else None

    def commit(self, changes: Iterable[RowChange], meta: dict[str, str], title: str | None) -> None:
        """Write rows and properties in one transaction; with a title they can be undone, and redo ends.

        Raises UserError where the disk refuses; nothing has changed then.
        """
        changes = list(changes)
        with self._transaction() as connection:
            self._write(connection, changes, meta)
            if title is not None:
                connection.execute("DELETE FROM journal WHERE undone = 1")
                data = _packed(changes)
                cursor = connection.execute(
                    "INSERT INTO journal (title, data, crc) VALUES (?, ?, ?)", (title, data, checksum(data))
                )
                connection.execute("DELETE FROM journal WHERE id <= ?", (cursor.lastrowid - JOURNAL_KEPT,))

    def pending(self, undone: bool) -> tuple[int, str, list[RowChange]] | None:
        """The journal entry that undo (False) or redo (True) is about: its id, title and changes."""
        order = "ASC" if undone else "DESC"
        with self._lock:
            found = self._connection.execute(
                f"SELECT id, title, data, crc FROM journal WHERE undone = ? ORDER BY id {order} LIMIT 1", (int(undone),)
            ).fetchone()
        if found is None:
            return None
        id, title, data, crc = found
        return id, title, (_unpacked(data) if checksum(data) == crc else [])

    def flip(self, entry: int, undone: bool, changes: Iterable[RowChange], meta: dict[str, str]) -> None:
        """Write the rows of an undo (True) or redo (False) and mark its journal entry."""
        with self._transaction() as connection:
            self._write(connection, list(changes), meta)
            connection.execute("UPDATE journal SET undone = ? WHERE id = ?", (int(undone), entry))

    def backup(self, target: Path) -> None:
        """A consistent copy of the whole project."""
        with self._lock, contextlib.closing(sqlite3.connect(target)) as copy:
            self._connection.backup(copy)

    def _rows(self, query: str, *values: int) -> list[Row]:
        with self._lock:
            try:
                found = self._connection.execute(query, values).fetchall()
            except sqlite3.DatabaseError as error:
                raise _explained(self.path, error) from error
        return [Row(id, data, checksum(data) == crc) for id, data, crc in found]

    @contextlib.contextmanager
    def _transaction(self):
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                self._roll_back()
                raise UserError(f"This edit was not kept ({error}); free space on the disk and try again.") from error
            except BaseException:
                self._roll_back()
                raise

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):  # SQLite has rolled back already where the disk is full
                self._connection.execute("ROLLBACK")

    @staticmethod
    def _write(connection: sqlite3.Connection, changes: list[RowChange], meta: dict[str, str]) -> None:
        for change in changes:
            table = _table(change.table)
            if change.after is None:
                connection.execute(f"DELETE FROM {table} WHERE id = ?", (change.id,))
            else:
                connection.execute(
                    f"INSERT INTO {table} VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
                    "owner = excluded.owner, data = excluded.data, crc = excluded.crc",
                    (change.id, change.owner, change.after, checksum(change.after)),
                )
        connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(meta.items()))

    def _hold(self) -> None:
        """Say beside the file who has it, for a second instance; SQLite's own lock is what keeps it out."""
        who = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%H:%M")}
        with contextlib.suppress(OSError):
            _holder(self.path).write_text(json.dumps(who), "utf-8")


def _connect(path: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise UserError(f"{path} cannot be opened ({error}); check the folder and its permissions.") from error
    try:
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
    except sqlite3.Error as error:
        connection.close()
        raise _explained(path, error) from error
    return connection


def _holder(path: Path) -> Path:
    return path.with_name(f".{path.name}.holder")


def _explained(path: Path, error: sqlite3.Error) -> UserError:
    text = str(error)
    if "locked" in text:
        try:
            who = json.loads(_holder(path).read_text("utf-8"))
            by = f"process {who['pid']} on {who['host']}, since {who['since']}"
        except (OSError, ValueError, KeyError, TypeError):
            by = "another program"
        return UserError(f"{path.name} is open elsewhere ({by}); close it there first.")
    if "readonly" in text or "read-only" in text:
        return UserError(f"{path.name} cannot be written; copy it to a folder of yours and open the copy.")
    if "unable to open" in text:
        return UserError(f"{path} cannot be opened; check the folder and its permissions.")
    if "not a database" in text:
        return UserError(f"{path.name} is no Hourbit project; choose a .hourbit-project file.")
    return UserError(f"{path.name} is damaged ({text}); restore a backup from the data folder.")


def _table(name: str) -> str:
    if name not in ("images", "instances"):
        raise ValueError(name)
    return name


def _packed(changes: list[RowChange]) -> bytes:
    """The journal's form: a line of JSON with sizes, then the bytes."""
    sizes = [[c.table, c.id, c.owner, _size(c.before), _size(c.after)] for c in changes]
    return json.dumps(sizes).encode() + b"\n" + b"".join((c.before or b"") + (c.after or b"") for c in changes)


def _size(data: bytes | None) -> int:
    return -1 if data is None else len(data)


def _unpacked(data: bytes) -> list[RowChange]:
    head, rest = data.split(b"\n", 1)
    changes, at = [], 0
    for table, id, owner, before, after in json.loads(head):
        values = []
        for size in (before, after):
            values.append(None if size < 0 else rest[at : at + size])
            at += max(size, 0)
        changes.append(RowChange(table, id, owner, *values))
    return changes
