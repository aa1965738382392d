"""Two landmarks become one: the button that asks with which."""

from __future__ import annotations

from PySide6.QtWidgets import QInputDialog, QPushButton

from app.views.schema.editing import SchemaEditing
from app.views.theme import icon
from app.views.words import named


class MergeButton(QPushButton):
    """Merges the landmark in hand with one that is asked for."""

    def __init__(self, editing: SchemaEditing) -> None:
        super().__init__(icon("call-merge", 16, "text"), "")
        self.setText(self.tr("Merge with\u2026"))
        self.setToolTip(self.tr("Make one of this landmark and another, in the middle where both are there"))
        self.setAutoDefault(False)
        self._editing = editing
        editing.selected.connect(self._look)
        editing.changed.connect(self._look)
        self.clicked.connect(self._ask)
        self._look()

    def _look(self) -> None:
        self.setEnabled(self._editing.current is not None)

    def _ask(self) -> None:
        """The next one is offered first."""
        held, landmarks = self._editing.current, self._editing.draft.landmarks
        others = [(n, one) for n, one in enumerate(landmarks) if one is not held]
        names = [f"{n + 1}  {named(one.name)}" for n, one in others]
        near = min(landmarks.index(held), len(others) - 1)
        words = self.tr("Make one of {0} and").format(named(held.name))
        chosen, agreed = QInputDialog.getItem(self, self.tr("Merge landmarks"), words, names, near, False)
        if agreed:
            self._editing.merge(others[names.index(chosen)][1])
