"""The list of a project's backups: look at one, or put it in the project's place."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.project.backups import SUFFIX, Backup, backups
from app.views.label.numbers import number
from app.views.theme import theme

ROW = 30  # pixels
NUMBERS = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
LOOK, RESTORE = 2, 3  # what `exec` returns besides 0


class BackupsPage(QDialog):
    """`exec` returns LOOK or RESTORE with the `chosen` backup, or 0."""

    def __init__(self, project: Path, parent: QWidget) -> None:
        super().__init__(parent)
        name = project.name.removesuffix(SUFFIX)
        self.setWindowTitle(self.tr("Backups of {0}").format(name))
        self._backups = backups(project)
        self.list = QTreeWidget()
        self.list.setHeaderLabels([self.tr("Made"), self.tr("Edits"), self.tr("Size")])
        self.list.setRootIsDecorated(False)
        self.list.setAccessibleName(self.windowTitle())
        for backup in self._backups:
            size = backup.path.stat().st_size / 1e6 if os.path.exists(backup.path) else 0
            when = self.tr("{0}, damaged").format(backup.when) if backup.damaged else backup.when
            item = QTreeWidgetItem([when, str(backup.revision), f"{number(size, 1)} MB"])
            item.setSizeHint(0, QSize(0, theme().size(ROW)))
            for column in (1, 2):
                item.setTextAlignment(column, NUMBERS)
            self.list.addTopLevelItem(item)
        self.list.setColumnWidth(0, 240)
        for column in (1, 2):
            self.list.headerItem().setTextAlignment(column, NUMBERS)
        words = QLabel(self._explanation())
        words.setWordWrap(True)
        self.look, self.restore = QPushButton(self.tr("Look at it")), QPushButton(self.tr("Restore"))
        self.look.clicked.connect(lambda: self.done(LOOK))
        self.restore.clicked.connect(lambda: self.done(RESTORE))
        buttons = QDialogButtonBox()
        buttons.addButton(QPushButton(self.tr("Close")), QDialogButtonBox.ButtonRole.RejectRole)
        buttons.addButton(self.look, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self.restore, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.setSpacing(12)
        column.addWidget(words)
        column.addWidget(self.list, 1)
        column.addWidget(buttons)
        theme().fit(self, 520, 380)
        self.list.currentItemChanged.connect(self._enable)
        if self._backups:
            whole = next((row for row, backup in enumerate(self._backups) if not backup.damaged), 0)
            self.list.setCurrentItem(self.list.topLevelItem(whole))
        self._enable()

    @property
    def chosen(self) -> Backup | None:
        """The backup that is selected."""
        row = self.list.indexOfTopLevelItem(self.list.currentItem())
        return self._backups[row] if row >= 0 else None

    def _enable(self) -> None:
        for button in (self.look, self.restore):
            button.setEnabled(self.chosen is not None)

    def _explanation(self) -> str:
        if not self._backups:
            return self.tr("There is no backup yet: one is made whenever a project is opened that has changed.")
        return self.tr("Restoring puts a backup in the project's place; what is there now is kept beside it.")
