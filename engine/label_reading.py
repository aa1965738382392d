"""What readers of label files share: bounded text, JSON, numbers that are refused with their place, problems.

Every function raises FormatError with one sentence that names the file and the place.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from engine.label_files import FormatError
from engine.labels import Problems
from engine.regular import open_regular

MAX_BYTES = 256 << 20  # of a file that is read whole
MAX_DEPTH = 64  # of JSON and XML
MAX_COORDINATE = 1e9  # a place beyond this is no place
LONGEST = 200  # characters of what a message quotes
HEAD = 1 << 16  # bytes by which a format is recognised


def refuse(path: Path, where: str, what: str, remedy: str = "correct it or export the labels again") -> NoReturn:
    """Raise FormatError for a place in a file."""
    place = f"{path.name}, {where[:LONGEST]}" if where else path.name
    what = what if len(what) <= LONGEST else f"{what[: LONGEST - 3]}..."
    raise FormatError(f"{place}: {what}; {remedy}.")


def head_of(path: Path) -> bytes:
    """A file's first 64 KiB; empty for a folder."""
    if os.path.isdir(path):
        return b""
    with open_regular(path) as file:
        return file.read(HEAD)


def read_bytes(path: Path, limit: int = MAX_BYTES) -> bytes:
    """A file of at most `limit` bytes."""
    try:
        with open_regular(path) as file:
            data = file.read(limit + 1)
    except IsADirectoryError:
        refuse(path, "", "it is a folder", "name the label file in it")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FormatError(f"{path} cannot be read ({reason}); check its place.") from error
    if len(data) > limit:
        refuse(path, "", f"it is larger than {limit >> 20} MB", "split it")
    return data


def decode_text(data: bytes, problems: Problems | None = None) -> str:
    """Bytes as text: UTF-8 with or without its mark, UTF-16 with its mark, else Latin-1, which is noted."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError:
            pass
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if problems is not None:
            line = data.count(b"\n", 0, error.start) + 1
            problems.add(f"line {line}", "it is no UTF-8 text and was read as Latin-1; check names with accents")
        return data.decode("latin-1")


def read_text(path: Path, problems: Problems | None = None, limit: int = MAX_BYTES) -> str:
    """A text file, whatever its encoding and its line ends."""
    text = decode_text(read_bytes(path, limit), problems)
    if "\0" in text:
        refuse(path, "", "it holds zero bytes and is no text", "choose a label file")
    return text


def shown(value: Any) -> str:
    """A value of a file as a message shows it: short, on one line, in quotes where it is text."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = re.sub(r"[^\x20-\x7e\xa0-\u2027\u2030-\ud7ff\uf900-\ufffd]", "?", str(value))
    text = text if len(text) <= 40 else f"{text[:37]}..."
    return repr(text) if isinstance(value, str) else text


def number(value: Any, path: Path, where: str) -> float:
    """A finite number, also where it stands as text; "1,5", true, NaN, text and lists are refused with their place."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        found = _as_float(value)
    elif isinstance(value, str):
        found = _from_text(value, path, where)
    else:
        refuse(path, where, f"{shown(value)} is no number")
    if not math.isfinite(found) or abs(found) > MAX_COORDINATE:
        refuse(path, where, f"{shown(value)} is no number that a picture has")
    return found


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _from_text(text: str, path: Path, where: str) -> float:
    word = text.strip()
    if re.fullmatch(r"[-+]?\d+,\d+", word):
        refuse(path, where, f"{shown(text)} has a decimal comma", "export it with decimal points")
    if "_" in word or not word.isascii():
        refuse(path, where, f"{shown(text)} is no number")
    try:
        return float(word)
    except ValueError:
        refuse(path, where, f"{shown(text)} is no number")


def whole(value: Any, path: Path, where: str) -> int:
    """A whole number, also as 3.0 or "3"."""
    found = number(value, path, where)
    if found != int(found):
        refuse(path, where, f"{shown(value)} is no whole number")
    return int(found)


def load_json(path: Path, problems: Problems | None = None, limit: int = MAX_BYTES) -> Any:
    """A JSON file: strict (no NaN, no key twice), bounded in size and depth."""
    return parse_json(read_text(path, problems, limit), path)


def parse_json(text: str, path: Path, where: str = "") -> Any:
    """JSON text; `where` says which part of the file it is."""
    place = f"{where}, " if where else ""
    try:
        value = strict_decoder().decode(text)
    except json.JSONDecodeError as error:
        refuse(path, f"{place}line {error.lineno}, column {error.colno}", f"it is no JSON ({error.msg})")
    except RecursionError:
        refuse(path, where, f"it is nested deeper than {MAX_DEPTH} levels")
    except ValueError as error:
        line = _line_of(text, str(error))
        refuse(path, f"{place}line {line}" if line else where, f"it is no strict JSON ({error})")
    return check_depth(value, path, where)


def strict_decoder() -> json.JSONDecoder:
    """A decoder that refuses NaN, Infinity and keys that stand twice in one object, with ValueError."""
    return json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_unique)


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} stands for a number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1) if len(names) < 1000 else "a key"
        raise ValueError(f"{shown(twice)} stands twice in one object")
    return made


def _line_of(text: str, message: str) -> int:
    """The line of what a decoder's message speaks of, 0 where that is not clear."""
    word = re.search(r"NaN|-?Infinity", message)
    found = re.search(rf"[\s:,\[]{word[0]}\b", text) if word else None
    return text.count("\n", 0, found.start() + 1) + 1 if found else 0


def check_depth(value: Any, path: Path, where: str = "") -> Any:
    """The value itself; raises FormatError where lists and objects are nested deeper than MAX_DEPTH."""
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(MAX_DEPTH):
        if not level:
            return value
        level = [
            inner for held in level for inner in (held.values() if isinstance(held, dict) else held)
            if isinstance(inner, (dict, list))
        ]  # fmt: skip
    refuse(path, where, f"it is nested deeper than {MAX_DEPTH} levels")


def csv_rows(text: str, path: Path, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of a table's rows that are not empty; whatever the line ends and quotes."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            refuse(path, f"line {reader.line_num}", f"it is no table ({error})")
        if row:
            yield reader.line_num, row
