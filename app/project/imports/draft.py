"""A project that is made beside its place and comes there only when all has gone well."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from app.project.document import Document
from engine.errors import UserError
from engine.schema import Schema

SUFFIX = ".hourbit-project"


class Draft:
    """An empty project to import into; `keep` brings it to `path`, `close` lets it vanish unless it was kept.

    Raises UserError where it cannot be made there, or where a project came to `path` meanwhile.
    """

    def __init__(self, path: Path, schema: Schema) -> None:
        self.path = Path(path)
        try:
            self._folder = tempfile.TemporaryDirectory(prefix=f".{self.path.name[:40]}.", dir=self.path.parent)
        except OSError as error:
            raise UserError(f"{path} cannot be made ({error.strerror}); choose another place.") from error
        try:
            self.document = Document.create(
                Path(self._folder.name) / self.path.name, schema, self.path.name.removesuffix(SUFFIX), self.path
            )
        except UserError:
            self._folder.cleanup()
            raise

    def keep(self) -> Path:
        """Close the project and bring it to its place."""
        self.document.close()
        try:
            if os.path.exists(self.path):
                raise UserError(f"{self.path.name} was made meanwhile; import into it once more.")
            os.replace(self.document.path, self.path)
        finally:
            self.close()
        return self.path

    def close(self) -> None:
        """Let it go."""
        with contextlib.suppress(OSError):
            self.document.close()
        self._folder.cleanup()
