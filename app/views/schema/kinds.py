"""What a new project is about: faces, bodies, or any other schema."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from app.services.own_schemas import find_schema
from app.services.projects import BODIES, FACES
from app.views.context import Context
from app.views.schema import choose_schema
from app.views.words import tr
from engine.schema import SchemaError

LONGEST = 24  # letters of another schema's title on the button


class Kinds(QWidget):
    """Three segments; the last asks which. It shows what the settings say: `refresh` after they may have changed."""

    chosen = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.context = context
        caption = QLabel(self.tr("New projects are about"))
        caption.setProperty("muted", True)
        self.faces, self.bodies = QPushButton(self.tr("Faces")), QPushButton(self.tr("Bodies"))
        self.other = QPushButton()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(caption)
        row.addSpacing(12)
        for button, place in ((self.faces, "first"), (self.bodies, "mid"), (self.other, "last")):
            button.setCheckable(True)
            button.setAutoExclusive(True)
            button.setProperty("seg", place)
            row.addWidget(button)
        row.addStretch(1)
        self.faces.clicked.connect(lambda: self._take(FACES))
        self.bodies.clicked.connect(lambda: self._take(BODIES))
        self.other.clicked.connect(self._ask)
        self.refresh()

    @property
    def schema(self) -> str:
        """The name of a new project's schema."""
        return str(self.context.settings.get("subject", FACES))

    def refresh(self) -> None:
        """Show what is chosen."""
        name, title = self.schema, ""
        if name not in (FACES, BODIES):
            try:
                title = tr(find_schema(name).title)
            except SchemaError:  # one's own, gone meanwhile
                self.context.settings.set("subject", FACES)
        button = self.other if title else self.bodies if name == BODIES else self.faces
        button.setChecked(True)
        short = title if len(title) <= LONGEST else f"{title[:LONGEST - 1].rstrip()}\u2026"
        self.other.setText(short or self.tr("Other\u2026"))
        self.other.setToolTip(title or self.tr("Any other landmarks, also your own"))

    def _take(self, name: str) -> None:
        self.context.settings.set("subject", name)
        self.refresh()
        self.chosen.emit()

    def _ask(self) -> None:
        choose_schema(self.context, self.window())
        self.refresh()
        self.chosen.emit()
