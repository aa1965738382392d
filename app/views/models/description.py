"""What an ONNX file cannot say itself, asked for when it is imported."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from app.library import Entry
from app.views.context import Context
from app.views.words import tr
from engine.external import SUFFIX, description_path, read_description, read_external
from engine.runtime import open_runtime
from engine.schema import Schema, load_schema, schema_names

WIDTH = 420


def take_in(context: Context, path: Path, parent: QWidget | None = None) -> Entry | None:
    """Take a model file into the library, after asking for what an ONNX file lacks; None where nothing is answered.

    Raises UserError for a file that does not fit, or a network that does not run.
    """
    description: dict[str, Any] | None = None
    if path.suffix.lower() == SUFFIX:
        if os.path.isfile(description_path(path)):
            description = read_description(path)
        else:
            document = context.document
            dialog = DescriptionDialog(path.name, document.schema if document is not None else None, parent)
            if not dialog.exec():
                return None
            description = dialog.description()
        open_runtime(read_external(path, description))
    return context.library.import_file(path, description=description)


class DescriptionDialog(QDialog):
    """Landmarks, crop and how pixels and maps are to be read, as `engine.external` takes them."""

    def __init__(self, name: str, schema: Schema | None = None, parent: QWidget | None = None) -> None:
        """`schema`, the open project's, is offered first."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Import model"))
        self.setMinimumWidth(WIDTH)
        self._schemas = ([schema] if schema is not None else []) + [
            shipped for shipped in map(load_schema, schema_names()) if schema is None or shipped.name != schema.name
        ]
        self.schema, self.crop = QComboBox(), QDoubleSpinBox()
        self.crop.setRange(0.5, 10)
        self.crop.setSingleStep(0.1)
        self.crop.setToolTip(self.tr("Side of the crop over the side of the box around the landmarks"))
        for choice in self._schemas:
            self.schema.addItem(tr(choice.title))
        self.output = self._choice({"probability": self.tr("0 to 1"), "logits": self.tr("Logits, before the sigmoid")})
        self.colour = self._choice({"RGB": "RGB", "BGR": "BGR"})
        self.range = self._choice({1: self.tr("0 to 1"), 255: self.tr("0 to 255")})
        form = QFormLayout()
        for words, field in (
            (self.tr("Landmarks"), self.schema), (self.tr("Crop"), self.crop), (self.tr("Heatmaps"), self.output),
            (self.tr("Colours"), self.colour), (self.tr("Pixels"), self.range),
        ):  # fmt: skip
            field.setAccessibleName(words)
            field.setAccessibleDescription(words)
            form.addRow(words, field)
        lead = QLabel(self.tr("{0} does not say how it is to be used.").format(name))
        lead.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.button(QDialogButtonBox.StandardButton.Ok).setText(self.tr("Import"))
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.setSpacing(16)
        column.addWidget(lead)
        column.addLayout(form)
        column.addWidget(buttons)
        self.schema.currentIndexChanged.connect(self._default_crop)
        self._default_crop(0)

    def description(self) -> dict[str, Any]:
        """What was answered."""
        schema = self._schemas[self.schema.currentIndex()]
        shipped = schema.name in schema_names()
        return {
            "schema": schema.name if shipped else schema.to_json(), "crop": self.crop.value(),
            "output": self.output.currentData(), "colour": self.colour.currentData(),
            "range": self.range.currentData(),
        }  # fmt: skip

    def _default_crop(self, index: int) -> None:
        self.crop.setValue(self._schemas[index].crop)

    def _choice(self, words: dict[Any, str]) -> QComboBox:
        box = QComboBox()
        for value, text in words.items():
            box.addItem(text, value)
        return box
