"""Label Studio's places: percent of the picture as it was shown; and the pictures' names."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from engine.images import IMAGE_SUFFIXES

UPLOADED = re.compile(r"^[0-9a-f]{8}-(?=.)")  # what Label Studio puts before the names of uploads
SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://")


def turned_back(x: float, y: float, turn: int) -> tuple[float, float]:
    """Shares of a picture's sides, from shares of the picture turned clockwise by 0, 90, 180 or 270 degrees."""
    return {0: (x, y), 90: (y, 1 - x), 180: (1 - x, 1 - y), 270: (1 - y, x)}[turn]


def picture_names(word: str) -> list[str]:
    """What a picture may be called, the likeliest first: the file of an address, and without an upload's prefix."""
    name = word
    if word.startswith("/data/local-files") or "/data/local-files/?" in word:
        held = parse_qs(urlsplit(word).query).get("d")
        name = held[0] if held else word
    elif SCHEME.match(word):
        name = _path_of(word)
    elif word.startswith("/data/"):
        name = unquote(word.removeprefix("/data/").partition("?")[0])
    last = name.replace("\\", "/").rpartition("/")[2]
    made = [name, last] if SCHEME.match(word) or word.startswith("/data/upload") else [name]
    return list(dict.fromkeys([*made, *(UPLOADED.sub("", one) for one in [last] if UPLOADED.match(one))]))


def _path_of(word: str) -> str:
    try:
        return unquote(urlsplit(word).path).lstrip("/") or word
    except ValueError:
        return word


def picture_of(data: dict[str, Any]) -> str | None:
    """The address of a task's picture: what is called image, else the first text with a picture's suffix."""
    texts = {key: value for key, value in data.items() if isinstance(value, str) and value}
    for key in ("image", "img"):
        if key in texts:
            return texts[key]
    for value in texts.values():
        plain = value.partition("?")[0] if "?d=" not in value else value
        if any(plain.lower().endswith(suffix) for suffix in IMAGE_SUFFIXES):
            return value
    return None
