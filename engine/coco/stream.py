"""A JSON file of COCO's form read piece by piece: the entries of its lists one after the other, in bounded memory."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from engine.label_files import FormatError, Progress
from engine.label_reading import refuse, shown, strict_decoder
from engine.regular import open_regular

CHUNK = 4 << 20  # bytes read at a time
MAX_ENTRY = 64 << 20  # characters of one entry
SPACE = " \t\r\n"


class Stream:
    """The text of a file, of which a window is in memory; everything before `at` was read."""

    def __init__(self, path: Path, file: BinaryIO, progress: Progress | None = None) -> None:
        self.path, self._file, self._progress = path, file, progress
        start = file.read(4)
        utf16 = start.startswith((b"\xff\xfe", b"\xfe\xff"))
        self._decoder = codecs.getincrementaldecoder("utf-16" if utf16 else "utf-8-sig")()
        self._decode = strict_decoder()
        self._total = path.stat().st_size
        self._text, self._at, self._lines, self._ended = "", 0, 1, False
        self._take(start)

    def _take(self, data: bytes) -> None:
        try:
            self._text += self._decoder.decode(data, final=not data)
        except UnicodeDecodeError:
            line = self._lines + self._text.count("\n")
            refuse(self.path, f"after line {line}", "it is no UTF-8 text", "save it as UTF-8")

    def _more(self) -> bool:
        """Read on; False at the end of the file."""
        if self._ended:
            return False
        self._lines += self._text.count("\n", 0, self._at)
        self._text, self._at = self._text[self._at :], 0
        if len(self._text) > MAX_ENTRY:
            self.refuse(f"an entry is longer than {MAX_ENTRY >> 20} million characters")
        data = self._file.read(max(CHUNK, len(self._text)))
        self._ended = not data
        self._take(data)
        if self._progress is not None:
            self._progress(float(self._file.tell()), float(self._total))
        return True

    def refuse(self, what: str, at: int | None = None) -> None:
        """Raise FormatError for the present place."""
        line = self._lines + self._text.count("\n", 0, self._at if at is None else at)
        refuse(self.path, f"line {line}", what)

    def peek(self) -> str:
        """The next character that is no space, "" at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in SPACE:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def expect(self, mark: str) -> None:
        """Pass over a character that must come next."""
        found = self.peek()
        if found != mark:
            self.refuse(f"{shown(mark)} is expected, not {shown(found) if found else 'the end of the file'}")
        self._at += 1

    def value(self) -> Any:
        """The next JSON value, whole."""
        self.peek()
        while True:
            try:
                value, end = self._decode.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not self._more():
                    self.refuse(f"it is no JSON ({error.msg})", error.pos)
                continue
            except RecursionError:
                self.refuse("it is nested too deeply")
            except ValueError as error:
                self.refuse(f"it is no strict JSON ({error})")
            if isinstance(value, (int, float)) and end + 2 >= len(self._text) and self._more():  # it may go on
                continue
            self._at = end
            return value

    def entries(self) -> Iterator[Any]:
        """The entries of the list that comes next."""
        self.expect("[")
        if self.peek() == "]":
            self._at += 1
            return
        while True:
            yield self.value()
            if self.peek() == "]":
                self._at += 1
                return
            self.expect(",")

    def keys(self) -> Iterator[str]:
        """The keys of the object that comes next; the value of each must be read before the next key."""
        self.expect("{")
        seen: set[str] = set()
        if self.peek() == "}":
            self._at += 1
            return
        while True:
            if self.peek() != '"':
                self.refuse("a key in quotes is expected")
            key = self.value()
            if key in seen:
                self.refuse(f"{shown(key)} stands twice in the file")
            seen.add(key)
            self.expect(":")
            yield key
            if self.peek() == "}":
                self._at += 1
                return
            self.expect(",")

    def end(self) -> None:
        """Make sure that nothing follows."""
        if self.peek():
            self.refuse("something follows the end of the labels")

    @property
    def line(self) -> int:
        """The line of the present place, counted from 1 (as far as the window was passed)."""
        return self._lines


def open_stream(path: Path) -> BinaryIO:
    """The file; raises FormatError where it cannot be opened."""
    try:
        return open_regular(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FormatError(f"{path} cannot be read ({reason}); check its place.") from error
