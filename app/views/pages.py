"""Small dialogs: settings, the list of keys, and what Hourbit is."""

from __future__ import annotations

from importlib import metadata

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QDialog,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.views.actions import ACTIONS, MENUS, title
from app.views.context import Context
from app.views.theme import CHOICES, SCALES, theme
from app.views.widgets import key_cap
from app.views.words import SYSTEM, language, languages, spoken, tr


class SettingsPage(QDialog):
    """Theme, size of text, and the annotator's name; each holds at once."""

    def __init__(self, context: Context, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Settings"))
        self.context = context
        self.scheme, self.scale, self.annotator = QComboBox(), QSpinBox(), QLineEdit()
        self.language, self.later = QComboBox(), QLabel(self.tr("The new language shows at the next start"))
        for choice, text in zip(CHOICES, (self.tr("As the system"), self.tr("Dark"), self.tr("Light")), strict=True):
            self.scheme.addItem(text, choice)
        self.scheme.setCurrentIndex(CHOICES.index(theme().choice))
        self.scale.setRange(*SCALES)
        self.scale.setSingleStep(10)
        self.scale.setSuffix(" %")
        self.scale.setValue(theme().scale)
        for code, name in {SYSTEM: self.tr("As the system"), **languages()}.items():
            self.language.addItem(name, code)
        self.language.setCurrentIndex(max(0, self.language.findData(context.settings.get("language", SYSTEM))))
        self.later.setProperty("muted", True)
        self.annotator.setText(str(context.settings.get("annotator", "")))
        self.annotator.setPlaceholderText(self.tr("Stored with each label"))
        form = QFormLayout(self)
        form.setContentsMargins(24, 24, 24, 24)
        form.setSpacing(12)
        form.setHorizontalSpacing(24)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.addRow(self.tr("Theme"), self.scheme)
        form.addRow(self.tr("Text size"), self.scale)
        form.addRow(self.tr("Language"), self.language)
        form.addRow("", self.later)
        form.setRowVisible(self.later, False)
        form.addRow(self.tr("Annotator"), self.annotator)
        self.setMinimumWidth(400)
        self.form = form
        self.scheme.currentIndexChanged.connect(self._look)
        self.language.activated.connect(self._speak)
        self.scale.valueChanged.connect(self._look)
        self.annotator.editingFinished.connect(self._name)

    def _look(self) -> None:
        choice, scale = self.scheme.currentData(), self.scale.value()
        self.context.settings.set("theme", choice)
        self.context.settings.set("text size", scale)
        theme().apply(QApplication.instance(), choice, scale)

    def _speak(self) -> None:
        self.context.settings.set("language", self.language.currentData())
        self.form.setRowVisible(self.later, language(self.language.currentData()) != spoken())

    def _name(self) -> None:
        name = self.annotator.text().strip()
        self.context.settings.set("annotator", name)
        if self.context.document is not None:
            self.context.document.annotator = name


class KeysPage(QDialog):
    """Every key, by menu."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Keys"))
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(24, 24, 24, 24)
        grid.setHorizontalSpacing(24)
        row = 0
        for menu in MENUS:
            heading = QLabel(tr(menu))
            heading.setProperty("heading", True)
            if row:
                grid.setRowMinimumHeight(row, 16)
                row += 1
            grid.addWidget(heading, row, 0)
            row += 1
            for spec in ACTIONS:
                if spec.menu == menu and spec.keys:
                    grid.addWidget(QLabel(title(spec)), row, 0)
                    grid.addLayout(_caps(spec.keys), row, 1)
                    row += 1
        more = QLabel(self.tr("Arrows nudge the selected landmark by 1 pixel, with Shift 10, with Ctrl 0.1. "
                              "Wheel zooms at the cursor; middle drag or Space and drag pans."))  # fmt: skip
        more.setProperty("muted", True)
        more.setWordWrap(True)
        grid.setRowMinimumHeight(row, 16)
        grid.addWidget(more, row + 1, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        area = QScrollArea()
        area.setWidget(holder)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(area)
        self.resize(460, 640)


def _caps(keys: tuple[str, ...]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(4)
    for key in keys:
        row.addWidget(key_cap("Enter" if key == "Return" else key))
    row.addStretch(1)
    return row


class AboutPage(QDialog):
    """Version, and what the program stands on."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("About Hourbit"))
        try:
            version = metadata.version("hourbit")
        except metadata.PackageNotFoundError:
            version = self.tr("from a checkout")
        words = QLabel(self.tr(
            "Finds, corrects and learns landmarks of faces and bodies with the binarized hourglass network of "
            "Bulat and Tzimiropoulos (ICCV 2017), on the processor alone. Nothing leaves this computer."
        ))  # fmt: skip
        words.setWordWrap(True)
        name = QLabel(f"Hourbit {version}")
        name.setProperty("title", True)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(12)
        column.addWidget(name)
        column.addWidget(words)
        self.setMinimumWidth(420)
