"""How a project's pictures were looked at last, kept in the settings from one start to the next."""

from __future__ import annotations

from pathlib import Path

from app.settings import Settings

KEY, MOST = "looks", 50


class KeptLook:
    """Whole numbers and switches by name; what is as it is at first (0, off) is not written down."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def _held(self) -> dict[str, dict[str, int]]:
        """Project -> values, the one that was changed last at the end; damaged entries are passed over."""
        found = {}
        for entry in self._settings.get(KEY, []):
            match entry:
                case [str(project), {**values}]:
                    found[project] = {name: int(value) for name, value in values.items() if isinstance(value, int)}
        return found

    def of(self, project: Path) -> dict[str, int]:
        """What is kept of a project."""
        return self._held().get(str(project), {})

    def keep(self, project: Path, values: dict[str, int]) -> None:
        """Remember a project's values; those of the projects that were changed longest ago give way."""
        held = self._held()
        before = held.pop(str(project), {})
        wanted = {name: int(value) for name, value in values.items() if value}
        if wanted == before:
            return
        if wanted:
            held[str(project)] = wanted
        self._settings.set(KEY, [[project, values] for project, values in list(held.items())[-MOST:]])
