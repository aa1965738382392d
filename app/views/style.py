"""The application's one style sheet, made from the tokens. Variants are dynamic properties of widgets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def style_sheet(c: dict[str, str], size: Callable[[int], int], pictures: Path) -> str:
    """Qt style sheet for colours `c`; `size` scales text, `pictures` holds the tick and the arrows."""
    scheme = "dark" if c["text"] == "#E7E9EC" else "light"
    names = ("check", "chevron-down", "chevron-up", "chevron-right")
    picture = {n: (pictures / f"{n}-{scheme}.png").as_posix() for n in names}
    return _base(c, size) + _buttons(c, size) + _fields(c, size, picture) + _lists(c, size) + _regions(c, size)


def tall(size: Callable[[int], int], pixels: int) -> int:
    """The height of a control: it grows with the text, half as fast, so that bars need not grow too."""
    return (pixels + size(pixels)) // 2


def _base(c: dict[str, str], size: Callable[[int], int]) -> str:
    return f"""
QMainWindow, QStackedWidget {{ background: {c["panel"]}; }}
QWidget {{ color: {c["text"]}; }}
QToolTip {{ background: {c["raised"]}; color: {c["text"]}; border: 1px solid {c["border"]}; padding: 4px 8px; }}
QLabel[muted="true"] {{ color: {c["muted"]}; }}
QLabel[small="true"] {{ font-size: {size(12)}px; }}
QLabel[caption="true"] {{ font-size: {size(11)}px; color: {c["muted"]}; }}
QLabel[heading="true"] {{ font-weight: 600; }}
QLabel[tile="true"] {{ font-size: {size(15)}px; font-weight: 600; }}
QLabel[title="true"] {{ font-size: {size(20)}px; font-weight: 600; }}
QLabel[figure="true"] {{ font-size: {size(28)}px; font-weight: 600; }}
QLabel[value="true"] {{ font-weight: 600; }}
QLabel[error="true"] {{ color: {c["error"]}; font-size: {size(12)}px; }}
QLabel[key="true"] {{ font-size: {size(11)}px; color: {c["muted"]}; border: 1px solid {c["outline"]};
  border-radius: 3px; padding: 0px 4px; }}
QLabel[plate="true"] {{ font-size: {size(15)}px; background: {c["raised"]}; border: 1px solid {c["accent"]};
  border-radius: 6px; padding: 11px 16px; }}
QLabel[tag="true"] {{ font-size: {size(11)}px; color: {c["muted"]}; background: {c["raised"]};
  border-radius: 3px; padding: 1px 5px; }}
QLabel[tag="true"][doubt="true"] {{ color: {c["warning"]}; background: {c["warningBg"]}; }}
QSplitter::handle {{ background: {c["border"]}; }}
QMainWindow::separator {{ background: {c["border"]}; width: 1px; height: 1px; }}
QMenu {{ background: {c["raised"]}; border: 1px solid {c["border"]}; padding: 4px; }}
QMenu::item {{ padding: 5px 28px 5px 12px; border-radius: 3px; }}
QMenu::indicator {{ width: 14px; height: 14px; left: 8px; }}
QMenu::icon {{ left: 8px; }}
QMenu::item:selected {{ background: {c["sel"]}; }}
QMenu::item:disabled {{ color: {c["outline"]}; }}
QMenu::separator {{ height: 1px; background: {c["border"]}; margin: 4px 8px; }}
QMenuBar {{ background: transparent; padding: 4px 0px; }}
QMenuBar::item {{ background: transparent; padding: 5px 9px; border-radius: 5px; }}
QMenuBar::item:selected {{ background: {c["hover"]}; }}
"""


def _buttons(c: dict[str, str], size: Callable[[int], int]) -> str:
    return f"""
QPushButton, QToolButton {{ font-weight: 500; min-height: {tall(size, 28)}px; padding: 0px 12px; border-radius: 5px;
  border: 1px solid {c["border"]}; background: {c["raised"]}; }}
QPushButton:hover, QToolButton:hover {{ background: {c["hover"]}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {c["border"]}; }}
QPushButton:checked, QToolButton:checked {{ background: {c["sel"]}; }}
QPushButton:focus, QToolButton:focus {{ border: 1px solid {c["focus"]}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {c["outline"]}; }}
QPushButton[primary="true"] {{ background: {c["accent"]}; color: {c["onaccent"]}; border-color: {c["accent"]};
  font-weight: 600; }}
QPushButton[primary="true"]:hover {{ background: {c["accentHover"]}; border-color: {c["accentHover"]}; }}
QPushButton[primary="true"]:focus {{ border: 1px solid {c["text"]}; }}
QPushButton[primary="true"]:disabled {{ background: {c["raised"]}; color: {c["outline"]};
  border-color: {c["border"]}; }}
QPushButton[flat="true"], QToolButton[flat="true"] {{ background: transparent; border-color: transparent; }}
QPushButton[flat="true"]:hover, QToolButton[flat="true"]:hover {{ background: {c["hover"]}; }}
QPushButton[flat="true"]:focus, QToolButton[flat="true"]:focus {{ border: 1px solid {c["focus"]}; }}
QPushButton[link="true"] {{ background: transparent; border-color: transparent; color: {c["accent"]}; padding: 0px; }}
QToolButton {{ min-height: {tall(size, 28)}px; padding: 0px; min-width: {tall(size, 28)}px; background: transparent;
  border-color: transparent; }}
QToolButton:checked {{ background: {c["sel"]}; }}
QToolButton::menu-indicator {{ image: none; }}
QToolButton[split="true"], QToolButton[seg], QToolButton[chip="true"] {{ min-height: {tall(size, 28)}px; }}
QToolButton[split="true"] {{ background: {c["raised"]}; border: 1px solid {c["border"]}; padding: 0px 26px 0px 10px; }}
QToolButton[split="true"]:hover {{ background: {c["hover"]}; }}
QToolButton[split="true"]::menu-button {{ border: none; border-left: 1px solid {c["border"]}; width: 20px; }}
QPushButton[seg], QToolButton[seg] {{ background: {c["field"]}; border: 1px solid {c["border"]}; border-radius: 0px;
  padding: 0px 8px; }}
QPushButton[seg="first"], QToolButton[seg="first"] {{ border-top-left-radius: 5px; border-bottom-left-radius: 5px; }}
QPushButton[seg="mid"], QToolButton[seg="mid"], QPushButton[seg="last"], QToolButton[seg="last"] {{
  border-left-width: 0px; }}
QPushButton[seg="last"], QToolButton[seg="last"] {{ border-top-right-radius: 5px; border-bottom-right-radius: 5px; }}
QPushButton[seg]:hover, QToolButton[seg]:hover {{ background: {c["hover"]}; }}
QPushButton[seg]:checked, QToolButton[seg]:checked {{ background: {c["sel"]}; font-weight: 600; }}
QPushButton[seg]:focus, QToolButton[seg]:focus {{ border: 1px solid {c["focus"]}; }}
QPushButton[chip="true"], QToolButton[chip="true"] {{ background: transparent; border: 1px solid {c["border"]};
  min-height: {tall(size, 22)}px; padding: 0px 8px; color: {c["muted"]}; font-size: {size(12)}px; }}
QPushButton[chip="true"]:focus, QToolButton[chip="true"]:focus {{ border: 2px solid {c["focus"]}; padding: 0px 7px; }}
QPushButton[chip="true"]:checked, QToolButton[chip="true"]:checked {{ background: {c["sel"]}; color: {c["text"]};
  border-color: {c["accent"]}; }}
QToolButton[rail="true"] {{ min-height: {size(52)}px; padding: 4px 0px; border-radius: 0px;
  border-left: 3px solid transparent; border-top: none; border-right: none; border-bottom: none;
  font-size: {size(11)}px; color: {c["muted"]}; background: transparent; }}
QToolButton[rail="true"]:hover {{ background: {c["hover"]}; }}
QToolButton[rail="true"]:checked {{ color: {c["text"]}; background: transparent;
  border-left: 3px solid {c["accent"]}; }}
QToolButton[rail="true"]:focus {{ background: {c["hover"]}; border-top: none; border-right: none;
  border-bottom: none; }}
QPushButton[tile="true"] {{ text-align: left; border-radius: 6px; padding: 0px; min-height: 70px; }}
QPushButton[row="true"] {{ min-height: 50px; padding: 0px 4px; }}
QPushButton[command="true"] {{ background: {c["field"]}; text-align: left;
  min-height: {size(24)}px; max-height: {size(24)}px; color: {c["muted"]}; font-weight: 400; }}
"""


def _fields(c: dict[str, str], size: Callable[[int], int], picture: dict[str, str]) -> str:
    return f"""
QComboBox {{ min-height: {tall(size, 28)}px; padding: 0px 8px; border: 1px solid {c["border"]}; border-radius: 5px;
  background: {c["field"]}; font-weight: 500; }}
QComboBox:hover {{ background: {c["hover"]}; }}
QComboBox:focus, QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus {{ border: 1px solid {c["focus"]}; }}
QComboBox:disabled {{ color: {c["outline"]}; }}
QComboBox::drop-down {{ border: none; width: 24px; }}
QComboBox::down-arrow {{ image: url("{picture["chevron-down"]}"); width: 16px; height: 16px; }}
QComboBox QAbstractItemView {{ background: {c["raised"]}; border: 1px solid {c["border"]}; padding: 4px;
  selection-background-color: {c["sel"]}; outline: none; }}
QLineEdit, QSpinBox, QDoubleSpinBox {{ min-height: {tall(size, 28)}px; padding: 0px 8px;
  border: 1px solid {c["border"]}; border-radius: 5px; background: {c["field"]};
  selection-background-color: {c["accent"]}; selection-color: {c["onaccent"]}; }}
QLineEdit {{ placeholder-text-color: {c["muted"]}; }}
QAbstractSpinBox QLineEdit {{ min-height: 0px; padding: 0px; border: none; background: transparent; }}
QSpinBox QLineEdit, QDoubleSpinBox QLineEdit {{ min-height: 0px; padding: 0px; border: none;
  background: transparent; }}
QLineEdit QToolButton {{ min-height: 0px; min-width: 0px; padding: 0px; border: none; }}
QLineEdit[cell="true"] {{ min-height: 20px; padding: 0px 2px; border-radius: 0px; }}
QSpinBox, QDoubleSpinBox {{ min-height: {tall(size, 25)}px; }}
QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button {{
  border: none; width: 18px; background: transparent; }}
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow {{ image: url("{picture["chevron-up"]}"); width: 12px; height: 12px; }}
QSpinBox::down-arrow, QDoubleSpinBox::down-arrow {{ image: url("{picture["chevron-down"]}"); width: 12px;
  height: 12px; }}
QMenu::right-arrow {{ image: url("{picture["chevron-right"]}"); width: 14px; height: 14px; right: 4px; }}
QTabWidget::pane {{ border: none; border-top: 1px solid {c["border"]}; }}
QTabBar {{ qproperty-drawBase: 0; }}
QTabBar::tab {{ padding: 9px 16px; background: transparent; border: none; border-bottom: 2px solid transparent;
  color: {c["muted"]}; font-weight: 500; }}
QTabBar::tab:hover {{ background: {c["hover"]}; }}
QTabBar::tab:selected {{ color: {c["text"]}; border-bottom: 2px solid {c["accent"]}; }}
QTabBar::tab:focus {{ border-bottom: 2px solid {c["focus"]}; }}
QCheckBox {{ spacing: 8px; }}
QCheckBox::indicator {{ width: 14px; height: 14px; border: 1px solid {c["outline"]}; border-radius: 3px;
  background: {c["field"]}; }}
QCheckBox::indicator:checked {{ background: {c["accent"]}; border-color: {c["accent"]};
  image: url("{picture["check"]}"); }}
QCheckBox::indicator:focus {{ border: 1px solid {c["text"]}; }}
QCheckBox:disabled {{ color: {c["outline"]}; }}
QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {c["border"]}; }}
QSlider::sub-page:horizontal {{ height: 4px; border-radius: 2px; background: {c["accent"]}; }}
QSlider::handle:horizontal {{ width: 14px; height: 14px; margin: -5px 0px; border-radius: 7px;
  background: {c["text"]}; }}
QSlider::handle:horizontal:focus {{ background: {c["accent"]}; }}
QSlider::sub-page:horizontal:disabled, QSlider::handle:horizontal:disabled {{ background: {c["outline"]}; }}
QProgressBar {{ min-height: 4px; max-height: 4px; border: none; border-radius: 2px; background: {c["border"]}; }}
QProgressBar::chunk {{ border-radius: 2px; background: {c["accent"]}; }}
"""


def _lists(c: dict[str, str], size: Callable[[int], int]) -> str:
    return f"""
QAbstractItemView {{ background: {c["panel"]}; border: none; outline: none; }}
QTableView, QTreeView {{ font-size: {size(12)}px; }}
QHeaderView {{ background: {c["panel"]}; }}
QHeaderView::section {{ background: {c["panel"]}; color: {c["muted"]}; border: none; font-size: {size(11)}px;
  padding: 0px 4px; }}
QScrollArea {{ border: none; background: {c["panel"]}; }}
QScrollBar:vertical {{ width: 10px; background: transparent; margin: 0px; }}
QScrollBar:horizontal {{ height: 10px; background: transparent; margin: 0px; }}
QScrollBar::handle {{ background: {c["border"]}; border-radius: 3px; margin: 2px; }}
QScrollBar::handle:hover {{ background: {c["outline"]}; }}
QScrollBar::handle:vertical {{ min-height: 32px; }}
QScrollBar::handle:horizontal {{ min-width: 32px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0px; height: 0px; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
"""


def _regions(c: dict[str, str], size: Callable[[int], int]) -> str:
    return f"""
QGraphicsView {{ border: none; }}
QWidget[bar="true"], QWidget#panel, QWidget[panel="true"] {{ background: {c["panel"]}; }}
QWidget[bar="true"] {{ border: none; }}
QWidget[chrome="true"] {{ background: {c["window"]}; }}
QWidget[foot="true"] {{ background: {c["panel"]}; border-top: 1px solid {c["border"]}; }}
QWidget[line="true"], QFrame[line="true"] {{ background: {c["border"]}; border: none; }}
QFrame[separator="true"] {{ background: {c["border"]}; border: none; margin: 0px 4px; }}
QFrame[card="true"] {{ background: {c["panel"]}; border: 1px solid {c["border"]}; border-radius: 6px; }}
QFrame[drop="true"] {{ border: 1px dashed {c["outline"]}; border-radius: 6px; background: transparent; }}
QFrame[banner="error"] {{ background: {c["errorBg"]}; border: none; }}
QFrame[banner="warning"] {{ background: {c["warningBg"]}; border: none; }}
QFrame[banner="success"] {{ background: {c["successBg"]}; border: none; }}
QFrame[banner] QLabel {{ background: transparent; }}
QStatusBar, QWidget#status {{ background: {c["window"]}; font-size: {size(12)}px; color: {c["muted"]}; }}
QWidget#status QPushButton {{ font-size: {size(12)}px; min-height: 20px; border: none; }}
QWidget#status QLabel {{ font-size: {size(12)}px; color: {c["muted"]}; }}
"""
