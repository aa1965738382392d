"""XML files of annotation tools: read element by element in bounded memory, and written safely."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, TreeBuilder
from xml.sax.saxutils import quoteattr

from app.formats.registry import FormatError
from engine.label_reading import MAX_DEPTH, number, refuse, shown
from engine.regular import open_regular

MAX_FILE, CHUNK = 2 << 30, 1 << 18
MAX_ELEMENTS = 20_000_000  # in one of the parts that are read at once
ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Placed(Element):
    """An element that knows its line."""

    line = 0


class _Parts:
    """Takes an XML parser's events and keeps the elements that are wanted, once they are complete."""

    def __init__(self, path: Path, root: str, wanted: frozenset[str]) -> None:
        self.path, self.root, self.wanted = path, root, wanted
        self.ready: list[Placed] = []
        self.parser = None
        self._builder: TreeBuilder | None = None
        self._depth = self._inner = self._count = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        line = self.parser.parser.CurrentLineNumber if self.parser is not None else 0
        if self._depth == 1 and tag != self.root:
            refuse(self.path, f"line {line}", f"it begins with {shown(tag)} and not with {shown(self.root)}")
        if self._depth > MAX_DEPTH:
            refuse(self.path, f"line {line}", f"it is nested deeper than {MAX_DEPTH} levels")
        if self._builder is None and tag in self.wanted:
            self._builder, self._inner, self._count = TreeBuilder(element_factory=Placed), 0, 0
        if self._builder is not None:
            self._inner += 1
            self._count += 1
            if self._count > MAX_ELEMENTS:
                refuse(self.path, f"line {line}", f"{shown(tag)} is one of more than {MAX_ELEMENTS} in one part")
            self._builder.start(tag, attributes).line = line

    def end(self, tag: str) -> None:
        self._depth -= 1
        if self._builder is not None:
            self._builder.end(tag)
            self._inner -= 1
            if self._inner == 0:
                self.ready.append(self._builder.close())
                self._builder = None

    def data(self, text: str) -> None:
        if self._builder is not None:
            self._builder.data(text)

    def close(self) -> None:
        pass


def stream_xml(path: Path, root: str, wanted: frozenset[str]) -> Iterator[Placed]:
    """The outermost elements with these names, in order; entities that a file declares itself are refused.

    Raises FormatError with the line where it is no such XML.
    """
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    parts = _Parts(path, root, wanted)
    parser = DefusedXMLParser(target=parts, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    parts.parser = parser
    try:
        for data in _chunks(path):
            parser.feed(data)
            yield from parts.ready
            parts.ready = []
        parser.close()
        yield from parts.ready
    except ParseError as error:
        line, column = error.position
        refuse(path, f"line {line}, column {column + 1}", f"it is no XML ({str(error).split(':')[0]})")
    except DefusedXmlException:
        refuse(path, "", "it declares entities of its own, which may be a trap", "remove its DOCTYPE")
    except (LookupError, ValueError) as error:  # an encoding that nobody knows
        refuse(path, "line 1", f"it is no XML that can be read ({error})")


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        if path.stat().st_size > MAX_FILE:
            refuse(path, "", f"it is larger than {MAX_FILE >> 30} GB", "split it")
        with open_regular(path) as file:
            while data := file.read(CHUNK):
                yield data
    except IsADirectoryError:
        refuse(path, "", "it is a folder", "name the label file in it")
    except OSError as error:
        raise FormatError(f"{path} cannot be read ({error.strerror or error}); check its place.") from error


def xml_number(element: Placed, name: str, path: Path) -> float:
    """An attribute that is a number; refused with its line where it is none or not there."""
    return number(required(element, name, path), path, f"line {element.line}, {name} of {shown(element.tag)}")


def required(element: Placed, name: str, path: Path) -> str:
    """An attribute that must be there."""
    value = element.get(name)
    if value is None:
        refuse(path, f"line {element.line}", f"{shown(element.tag)} has no {name}")
    return value


def flag(element: Placed, name: str, path: Path) -> bool:
    """An attribute that is 0 or 1 (or true or false); False where it is not there."""
    word = element.get(name, "0").strip().lower()
    if word not in ("0", "1", "true", "false"):
        refuse(path, f"line {element.line}, {name} of {shown(element.tag)}", f"{shown(word)} is neither 0 nor 1")
    return word in ("1", "true")


def size_from(element: Placed, path: Path) -> tuple[int, int] | None:
    """width and height, None where they are not there."""
    if element.get("width") is None or element.get("height") is None:
        return None
    wide, high = xml_number(element, "width", path), xml_number(element, "height", path)
    if wide < 1 or high < 1 or wide % 1 or high % 1:
        refuse(path, f"line {element.line}", f"{shown(f'{wide:g} x {high:g}')} is no size of a picture")
    return int(wide), int(high)


def quoted(text: str) -> str:
    """Text as an attribute's value with its quotes; raises FormatError for characters that XML has no room for."""
    if ILLEGAL.search(text):
        raise FormatError(f"{shown(text)} has characters that XML cannot hold; give it another name.")
    return quoteattr(text, {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
