"""Painting that cannot take the program down."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any


def painted(paint: Callable[..., None]) -> Callable[..., None]:
    """A paint method whose errors go to the crash report and leave the painter as it was.

    An exception that leaves a paint method of ours would end painting of the whole view with an open
    QPainter, which Qt does not survive.
    """

    @functools.wraps(paint)
    def guarded(self: Any, painter: Any, *rest: Any) -> None:
        painter.save()
        try:
            paint(self, painter, *rest)
        except Exception:  # reported whole; the next paint tries again
            sys.excepthook(*sys.exc_info())
        finally:
            painter.restore()

    return guarded
