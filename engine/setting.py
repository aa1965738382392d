"""One setting of a recipe as people write it: NAME=VALUE."""

from __future__ import annotations

import math
import re
import tomllib
from typing import Any

from engine.errors import UserError

WORD = re.compile(r"[A-Za-z][\w./\\:-]*")


def setting(text: str) -> tuple[str, Any]:
    """Name and value, the value as TOML has it, or a word without quotes; raises UserError."""
    key, equals, value = text.partition("=")
    try:
        if not equals:
            raise ValueError("there is no =")
        if WORD.fullmatch(value.strip()) and value.strip() not in ("true", "false", "nan", "inf"):
            return key.strip(), value.strip()
        found = tomllib.loads(f"value = {value}")["value"]
        if not _usable(found):
            raise ValueError("no setting has such a value")
        return key.strip(), found
    except ValueError as error:
        raise UserError(f"--set wants NAME=VALUE, such as steps=200, not {text!r} ({error}).") from error


def _usable(value: Any) -> bool:
    if isinstance(value, list):  # of pairs of numbers
        return bool(value) and all(isinstance(pair, list) and all(_is_number(n) for n in pair) for pair in value)
    return isinstance(value, (bool, int, str)) or _is_number(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
