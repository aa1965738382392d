"""The project's rows in SQLite; with opening.py the only code with SQL."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from app.files import beside, sync_folder
from app.project import opening
from app.project.records import (
    SCHEMA,
    TABLES,
    DamagedError,
    Row,
    RowChange,
    checksum,
    entry_from,
    in_one,
    is_intact,
    journal_bytes,
    journal_from,
    turned,
)
from engine.errors import UserError

JOURNAL_KEPT = 2000
COLUMNS = "id, owner, data, crc"
PAGES, PAUSE = 512, 0.001  # of a copy: pages a step, and seconds between them in which others write
AT_ONCE = 4000  # image rows that are in memory while all are read


class Store:
    """Rows in, rows out, one transaction at a time. Threads share the one connection behind a lock."""

    def __init__(self, path: Path, connection: sqlite3.Connection, goes_with: str = "") -> None:
        self.path = path
        self._goes_with = goes_with
        self._connection = connection
        self._lock = threading.RLock()
        self._copying = threading.Lock()  # taken before the other
        self._ending = self._closed = False
        self._redo: tuple[frozenset[int], bool] | None = None  # images that redo is about, and whether it is damaged

    @classmethod
    def create(cls, path: Path, meta: dict[str, str], place: Path | None = None) -> Store:
        """A new project file, which goes to `place`; raises UserError where there is one, or none can be made."""
        opening.make(path, meta, place)
        return cls.open(path)

    @classmethod
    def open(cls, path: Path, newer: bool = False, goes_with: str = "") -> Store:
        """An existing project; raises UserError as opening.connect does. A folder that `goes_with` it ends with it."""
        return cls(path, opening.connect(path, newer), goes_with)

    def close(self) -> None:
        """Fold the log into the file and let it go."""
        self._ending = True
        with self._copying, self._lock:
            if self._closed:
                return
            self._closed = True
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            with contextlib.suppress(OSError):
                opening.holder(self.path).unlink(missing_ok=True)
            self._connection.close()
            if self._goes_with:
                shutil.rmtree(self._goes_with, ignore_errors=True)

    @property
    def is_older(self) -> bool:
        """Whether an earlier version wrote it last."""
        return self._query("PRAGMA user_version")[0][0] < opening.VERSION

    def upgrade(self) -> None:
        """Make an older project one that this version can write in; raises UserError where it cannot be."""
        version = self._query("PRAGMA user_version")[0][0]
        if version < opening.VERSION:
            with self._transaction() as connection:
                for statement in opening.STEPS.split(";\n") if version < 3 else ():
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {opening.VERSION}")

    def meta(self) -> dict[str, str]:
        """All of the project's properties; raises DamagedError where one is not as it was written."""
        found = {}
        for key, value, crc in self._query("SELECT key, value, crc FROM meta"):
            if crc != checksum(f"{key}={value}".encode()):
                raise DamagedError(f"{self.path.name} is damaged ({key}); restore a backup from the data folder.")
            found[key] = value
        return found

    def images(self) -> Iterator[tuple[int, bytes | None]]:
        """Id and bytes of all images, read some thousand at a time; None where they are not as they were written."""
        with self._lock, self._explaining():
            cursor = self._connection.execute(f"SELECT {COLUMNS} FROM images")
        while True:
            with self._lock, self._explaining():
                rows = cursor.fetchmany(AT_ONCE)
            if not rows:
                return
            yield from [(id, data if is_intact(id, owner, data, crc) else None) for id, owner, data, crc in rows]

    def instances(self, image: int) -> list[Row]:
        """The instance rows of an image, oldest first."""
        return list(self._rows(f"SELECT {COLUMNS} FROM instances WHERE owner = ? ORDER BY id", image))

    def strays(self) -> list[int]:
        """Instances of images that are not there: rows whose keys are damaged. Raises DamagedError for whole pages."""
        if self._query("PRAGMA integrity_check(1)") != [("ok",)]:
            raise DamagedError(f"{self.path.name} is damaged; restore a backup from the data folder.")
        query = "SELECT id FROM instances WHERE owner NOT IN (SELECT id FROM images) ORDER BY id"
        return [id for (id,) in self._query(query)]

    def row(self, table: str, id: int) -> bytes | None:
        """One row's bytes; None where it is missing. Raises DamagedError where it is not as it was written."""
        if table == SCHEMA:
            return self.meta()[SCHEMA].encode()
        for found in self._rows(f"SELECT {COLUMNS} FROM {_table(table)} WHERE id = ?", id):
            if not found.intact:
                raise DamagedError(
                    f"The record of {table[:-1]} {id} is damaged and is left as it is; "
                    "restore a backup from the data folder."
                )
            return found.data
        return None

    def commit(
        self, changes: Iterable[RowChange], meta: dict[str, str], title: str | None, end_redo: bool = False,
        joins: bool = False,
    ) -> None:  # fmt: skip
        """Write rows and properties in one transaction; with a title they can be undone, and redo ends.

        joins: undo and redo take them as one step with what was written before. The journal keeps JOURNAL_KEPT steps.
        Raises UserError where the disk refuses; nothing has changed then.
        """
        changes = list(changes)
        with self._transaction() as connection:
            self._write(connection, changes, meta)
            if title is not None or end_redo:
                connection.execute("DELETE FROM journal WHERE undone = 1")
            if title is not None:
                data = journal_bytes(changes)
                values = (title, data, checksum(data), int(joins))
                connection.execute("INSERT INTO journal (title, data, crc, joins) VALUES (?, ?, ?, ?)", values)
                first = "SELECT id FROM journal WHERE joins = 0 ORDER BY id DESC LIMIT 1 OFFSET ?"
                connection.execute(f"DELETE FROM journal WHERE id < ({first})", (JOURNAL_KEPT - 1,))
        if title is not None or end_redo:
            self._redo = frozenset(), False

    def pending_title(self, undone: bool) -> str | None:
        """The title of what undo (False) or redo (True) is about; None where there is nothing."""
        found = self._pending("title", undone)
        return found[0] if found else None

    def pending(self, undone: bool) -> tuple[list[int], list[RowChange]] | None:
        """The step that undo (False) or redo (True) is about: its entries, its changes; raises DamagedError."""
        found = self._pending("id", undone)
        if found is None:
            return None
        begin = "SELECT max(id) FROM journal WHERE joins = 0 AND id <= ?"
        after = "SELECT min(id) FROM journal WHERE joins = 0 AND id > ?"
        within = f"id >= coalesce(({begin}), 0) AND id < coalesce(({after}), {1 << 62})"
        query = f"SELECT id, title, data, crc FROM journal WHERE undone = ? AND {within} ORDER BY id"
        entries, changes = [], []
        for id, title, data, crc in self._query(query, int(undone), found[0], found[0]):
            entries.append(id)
            changes += entry_from(title, data, crc)
        return entries, in_one(changes)

    def redo_concerns(self, image: int) -> bool:
        """Whether an edit that redo could bring back is about an image; damaged entries count as such."""
        if self._redo is None:
            entries = self._query("SELECT data, crc FROM journal WHERE undone = 1")
            whole = [journal_from(data) for data, crc in entries if checksum(data) == crc]
            self._redo = frozenset(c.owner for changes in whole for c in changes), len(whole) < len(entries)
        images, damaged = self._redo
        return damaged or image in images

    def flip(
        self, entries: list[int], undone: bool, wanted: list[RowChange], rows: list[RowChange], meta: dict[str, str]
    ) -> None:
        """Write the rows of an undo (True) or redo (False) and mark its journal entries.

        wanted: what the entries say. Where the rows are others, since models have found something in between, one
        entry says from now on what really happened: its reverse is then exact.
        """
        with self._transaction() as connection:
            self._write(connection, rows, meta)
            marks = [(int(undone), entry) for entry in entries]
            connection.executemany("UPDATE journal SET undone = ? WHERE id = ?", marks)
            if rows != wanted:
                first, data = entries[0], journal_bytes(turned(rows) if undone else rows)
                connection.execute("UPDATE journal SET data = ?, crc = ? WHERE id = ?", (data, checksum(data), first))
                connection.executemany("DELETE FROM journal WHERE id = ?", [(entry,) for entry in entries[1:]])
        self._redo = None

    def backup(self, target: Path, patient: bool = True) -> int:
        """A consistent copy of the whole project, whole or not at all; returns its revision. Raises UserError.

        Other threads go on meanwhile, and what they write is in it. Closing the store waits for it where it is
        `patient`, else cuts it short.
        """
        part = beside(target)
        try:
            with self._copying, self._lock, contextlib.closing(sqlite3.connect(part)) as copy:
                self._connection.backup(copy, pages=PAGES, progress=self._let_others(patient))
                revision = int(self.meta()["revision"])
            os.replace(part, target)
        except (sqlite3.Error, OSError) as error:
            raise UserError(f"The backup {target} cannot be written ({error}); free space on the disk.") from error
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
        sync_folder(target.parent)
        return revision

    def _let_others(self, patient: bool) -> Callable[[int, int, int], None]:
        """What is called between the steps of a copy."""

        def pause(status: int, left: int, pages: int) -> None:
            if self._ending and not patient:
                raise sqlite3.OperationalError("the project was closed")
            if left:
                self._lock.release()
                time.sleep(PAUSE)
                self._lock.acquire()

        return pause

    def _pending(self, columns: str, undone: bool) -> tuple | None:
        order = "ASC" if undone else "DESC"
        query = f"SELECT {columns} FROM journal WHERE undone = ? ORDER BY id {order} LIMIT 1"
        return next(iter(self._query(query, int(undone))), None)

    def _query(self, query: str, *values: int) -> list[tuple]:
        with self._lock, self._explaining():
            return self._connection.execute(query, values).fetchall()

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except opening.ERRORS as error:
            raise DamagedError(str(opening.explained(self.path, error))) from error

    def _rows(self, query: str, *values: int) -> Iterator[Row]:
        return _checked(self._query(query, *values))

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
            except opening.ERRORS as error:
                self._roll_back()
                raise UserError(f"This edit was not kept ({error}); free space on the disk and try again.") from error
            except BaseException:
                self._roll_back()
                raise

    def _roll_back(self) -> None:
        with contextlib.suppress(sqlite3.Error):  # SQLite has rolled back already where the disk is full
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    @staticmethod
    def _write(connection: sqlite3.Connection, changes: list[RowChange], meta: dict[str, str]) -> None:
        for (table, ends), some in itertools.groupby(changes, lambda change: (change.table, change.after is None)):
            if table == SCHEMA:
                opening.write_meta(connection, {SCHEMA: [change.after.decode() for change in some][-1]})
            elif ends:
                connection.executemany(f"DELETE FROM {_table(table)} WHERE id = ?", ((c.id,) for c in some))
            else:
                rows = ((c.id, c.owner, c.after, checksum(c.after, c.id, c.owner)) for c in some)
                connection.executemany(f"INSERT OR REPLACE INTO {_table(table)} ({COLUMNS}) VALUES (?, ?, ?, ?)", rows)
        opening.write_meta(connection, meta)


def _checked(rows: Iterable[tuple]) -> Iterator[Row]:
    for id, owner, data, crc in rows:
        yield Row(id, owner, data, is_intact(id, owner, data, crc))


def _table(name: str) -> str:
    if name not in TABLES:
        raise ValueError(name)
    return name
