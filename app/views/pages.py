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
    QPushButton,
    QScrollArea,
    QSpinBox,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.views.actions import ACTIONS, MENUS, title
from app.views.context import Context
from app.views.keymap import KeyMap, shown
from app.views.keys_page import KeysEditor
from app.views.theme import CHOICES, SCALES, theme
from app.views.widgets import key_cap
from app.views.words import SYSTEM, language, languages, spoken, tr


class SettingsPage(QDialog):
    """Theme, size of text, language, the annotator's name, and the keys; all but the language hold at once."""

    def __init__(self, context: Context, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Settings"))
        self.context = context
        self.scheme, self.scale, self.annotator = QComboBox(), QSpinBox(), QLineEdit()
        self.language, self.later = QComboBox(), QLabel(self.tr("The new language shows at the next start"))
        for choice, text in zip(CHOICES, (self.tr("As the system"), self.tr("Dark"), self.tr("Light")), strict=True):
            self.scheme.addItem(text, choice)
        self.scheme.setCurrentIndex(CHOICES.index(theme().choice))
        self.scale.setRange(SCALES[0], theme().largest())
        self.scale.setSingleStep(10)
        self.scale.setSuffix(" %")
        self.scale.setValue(theme().scale)
        for code, name in {SYSTEM: self.tr("As the system"), **languages()}.items():
            self.language.addItem(name, code)
        self.language.setCurrentIndex(max(0, self.language.findData(context.settings.get("language", SYSTEM))))
        self.later.setProperty("muted", True)
        self.annotator.setText(str(context.settings.get("annotator", "")))
        self.annotator.setPlaceholderText(self.tr("Stored with each label"))
        general = QWidget()
        form = QFormLayout(general)
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
        self.tabs, self.editor = QTabWidget(), KeysEditor(context.keys)
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(general, self.tr("General"))
        self.tabs.addTab(self.editor, self.tr("Keys"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.tabs)
        theme().fit(self, 560, 600)
        self.form = form
        self.scheme.currentIndexChanged.connect(self._look)
        self.language.activated.connect(self._speak)
        self.scale.valueChanged.connect(self._look)
        self.annotator.editingFinished.connect(self._name)

    def show_keys(self) -> None:
        """Turn to the page of keys."""
        self.tabs.setCurrentWidget(self.editor)
        self.editor.search.setFocus()

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


def show_settings(context: Context, parent: QWidget, keys: bool = False) -> None:
    """Ask for settings until the page is closed; `keys` turns to the keys at once."""
    page = SettingsPage(context, parent)
    if keys:
        page.show_keys()
    page.exec()


def show_keys(context: Context, parent: QWidget) -> None:
    """List every key; go on to change them where that is wanted."""
    if KeysPage(context.keys, parent).exec() == QDialog.DialogCode.Accepted:
        show_settings(context, parent, keys=True)


class KeysPage(QDialog):
    """Every key, by menu; accepted when keys are to be changed."""

    def __init__(self, keys: KeyMap, parent: QWidget) -> None:
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
                if spec.menu == menu and keys.keys(spec.name):
                    grid.addWidget(QLabel(title(spec)), row, 0)
                    grid.addLayout(_caps(keys.keys(spec.name)), row, 1)
                    row += 1
        more = QLabel(self.tr("Arrows nudge the selected landmark by 1 pixel, with Shift 10, with Ctrl 0.1. "
                              "Wheel zooms at the cursor; middle drag or Space and drag pans."))  # fmt: skip
        more.setProperty("muted", True)
        more.setWordWrap(True)
        grid.setRowMinimumHeight(row, 16)
        grid.addWidget(more, row + 1, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        area = QScrollArea()
        area.setAccessibleName(self.tr("Keys"))
        area.setWidget(holder)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(area)
        change = QPushButton(self.tr("Change keys\u2026"))
        change.clicked.connect(self.accept)
        foot = QHBoxLayout()
        foot.setContentsMargins(24, 12, 24, 16)
        foot.addStretch(1)
        foot.addWidget(change)
        column.addLayout(foot)
        theme().fit(self, 460, 640)


def _caps(keys: tuple[str, ...]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(4)
    for key in keys:
        row.addWidget(key_cap(shown(key)))
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
