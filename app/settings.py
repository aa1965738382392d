"""Settings: a small JSON file that survives damage."""

from __future__ import annotations

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
        self._values = self._read()

    def get(self, key: str, default: Any = None) -> Any:
        """The value of `key`, or `default` where it is missing or of another type than `default`."""
        value = self._values.get(key, default)
        if default is None or isinstance(value, type(default)):
            return value
        return float(value) if isinstance(default, float) and type(value) is int else default

    def set(self, key: str, value: Any) -> None:
        """Keep a JSON value; a disk that refuses is no reason to stop, the value then holds for this session."""
        if key in self._values and self._values[key] == value:
            return
        self._values[key] = value
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(self.path, json.dumps(self._values, indent=1, sort_keys=True).encode())
        except (UserError, OSError):
            return

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
            pass
        aside = self.path.with_name(f"{self.path.name}.damaged-{time.time_ns()}")
        try:
            self.path.rename(aside)
        except OSError:
            return {}
        return {}
