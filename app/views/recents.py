"""Which projects were open before, kept in the settings."""

from __future__ import annotations

import os
import time
from pathlib import Path

from app.project.document import Document
from app.project.values import ACCEPTED
from app.services.projects import MOST_RECENT, Recent
from app.views.context import Context
from engine.errors import UserError


class Recents:
    """The list behind the first page and the File menu."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def listed(self) -> list[Recent]:
        """Projects that were open before and still exist, newest first."""
        found = []
        for entry in self.context.settings.get("recent", []):
            try:
                recent = Recent(Path(entry["path"]), str(entry["name"]), int(entry["done"]), int(entry["total"]),
                                float(entry["when"]), str(entry.get("picture", "")),
                                str(entry.get("model", "")))  # fmt: skip
            except (AttributeError, KeyError, TypeError, ValueError):
                continue
            if os.path.isfile(recent.path):
                found.append(recent)
        return found

    def remember(self) -> None:
        """Note the open project as it is now, if there is one."""
        document = self.context.document
        if document is None or document.read_only:
            return
        counts, images = document.counts(), document.images()
        entry = {
            "path": str(document.path.resolve()), "name": document.name, "total": sum(counts.values()),
            "done": sum(counts[state] for state in ACCEPTED), "when": time.time(),
            "picture": images[0].path if images else "", "model": self._model(document),
        }  # fmt: skip
        others = [e for e in self.context.settings.get("recent", []) if e.get("path") != entry["path"]]
        self.context.settings.set("recent", [entry, *others][:MOST_RECENT])

    def _model(self, document: Document) -> str:
        try:
            return self.context.library.in_use(document.schema.name).title
        except UserError:
            return ""
