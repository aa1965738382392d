"""The draft that the parts of the schema editor share: they change it here and hear of each other's changes."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.project.schema_draft import Landmark, SchemaDraft
from app.views.words import told
from engine.errors import UserError


class SchemaEditing(QObject):
    """changed: show the draft anew; selected: another landmark is in hand; refused(sentence), "" when all is well."""

    changed = Signal()
    selected = Signal()
    refused = Signal(str)

    def __init__(self, draft: SchemaDraft, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.draft = draft
        self.current: Landmark | None = None

    def show_draft(self, draft: SchemaDraft) -> None:
        """Edit another draft."""
        self.draft, self.current = draft, None
        self.refused.emit("")
        self.changed.emit()
        self.selected.emit()

    def select(self, landmark: Landmark | None) -> None:
        """Take a landmark in hand."""
        if landmark is not self.current:
            self.current = landmark
            self.selected.emit()

    def attempt(self, change: Callable[[], object]) -> bool:
        """Change the draft; what is refused is said and changes nothing."""
        try:
            change()
        except UserError as error:
            self.refused.emit(told(error))
            self.changed.emit()  # a field may show what was refused
            return False
        if self.current not in self.draft.landmarks:
            self.current = None
        self.refused.emit("")
        self.changed.emit()
        return True

    # ---- what buttons do

    def add(self) -> None:
        """A new landmark after the one in hand, then in hand itself."""
        made: list[Landmark] = []
        if self.attempt(lambda: made.append(self.draft.add("", self.current))):
            self.select(made[0])

    def remove(self) -> None:
        """Take the landmark in hand out; the next one is in hand then."""
        held = self.current
        if held is None:
            return
        at = self.draft.landmarks.index(held)
        if self.attempt(lambda: self.draft.remove(held)):
            self.select(self.draft.landmarks[min(at, len(self.draft.landmarks) - 1)])

    def merge(self, other: Landmark) -> None:
        """Make one of the landmark in hand and another."""
        held = self.current
        if held is not None and self.attempt(lambda: self.draft.merge(held, other)):
            self.selected.emit()

    def move(self, step: int) -> None:
        """Put the landmark in hand earlier or later in the order."""
        held = self.current
        if held is not None:
            self.attempt(lambda: self.draft.move(held, self.draft.landmarks.index(held) + step))
            self.selected.emit()
