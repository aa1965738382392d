"""Settings: a small JSON file that survives damage."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

from app.files import atomic_write
from engine.errors import UserError


class Settings:
    """Named values in a JSON file; a damaged file is kept aside and the defaults serve."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.damaged: Path | None = None  # where a damaged file went
        self._values = self._read()

    def get(self, key: str, default: Any = None) -> Any:
        """The value of `key`, or `default` where it is missing or of another type than `default`."""
        value = self._values.get(key, default)
        if isinstance(default, float) and type(value) is int:
            return float(value)
        truth = isinstance(value, bool) == isinstance(default, bool)  # True is no 1 here
        return value if default is None or (isinstance(value, type(default)) and truth) else default

    def set(self, key: str, value: Any) -> None:
        """Keep a JSON value; a disk that refuses is no reason to stop, the value then holds for this session."""
        if key in self._values and self._values[key] == value and type(self._values[key]) is type(value):
            return
        text = json.dumps(self._values | {key: value}, indent=1, sort_keys=True)
        self._values = json.loads(text)  # what was given stays the caller's
        with contextlib.suppress(UserError, OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(self.path, text.encode())

    def _read(self) -> dict[str, Any]:
        try:
            data = self.path.read_bytes()
        except OSError:
            return {}
        try:
            values = json.loads(data)
            if isinstance(values, dict):
                return values
        except (ValueError, RecursionError):
            pass  # kept aside below, as other kinds of JSON are
        with contextlib.suppress(OSError):
            self.damaged = self.path.rename(self.path.with_name(f"{self.path.name}.damaged-{time.time_ns()}"))
        return {}
