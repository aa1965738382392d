"""Numbers as people read them: their locale, fixed decimals, a true minus sign."""

from __future__ import annotations

import math

from PySide6.QtCore import QLocale

DASH = "\u2013"


def number(value: float, decimals: int) -> str:
    """A number without thousands separators; an en dash where there is none."""
    if not math.isfinite(value):
        return DASH
    locale = QLocale()
    locale.setNumberOptions(QLocale.NumberOption.OmitGroupSeparator)
    return locale.toString(float(value), "f", decimals).replace("-", "\u2212")


def count(value: int) -> str:
    """A whole number with thousands separators."""
    return QLocale().toString(value)


def short_count(value: int) -> str:
    """A whole number where room is short: thousands from 1,000 on, as 87k."""
    return count(value) if value < 1000 else f"{count(value // 1000)}k"


def parse(text: str) -> float | None:
    """The number that somebody typed, in their locale or with a point; None where it is none."""
    plain = text.strip().replace("\u2212", "-")
    value, good = QLocale().toDouble(plain)
    if not good:
        try:
            value = float(plain.replace(",", "."))
        except ValueError:
            return None
    return value if math.isfinite(value) else None
