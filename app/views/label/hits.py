"""What lies under the mouse: landmarks and the parts of a box, within reach in viewport pixels."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF

GRAB = 12.0
GRAB_SELECTED = 4.0  # what the selected landmark gets on top
GRAB_BOX = 6.0


def nearest(places: np.ndarray, position: QPointF, selected: int = -1) -> int | None:
    """The landmark within reach of a position, None where none is. places (K, 2), NaN for those without one."""
    if not len(places):
        return None
    away = np.hypot(*(places - [position.x(), position.y()]).T)
    away[np.isnan(away)] = np.inf
    if selected >= 0:
        away[selected] -= GRAB_SELECTED
    found = int(away.argmin())
    return found if away[found] <= GRAB else None


def box_part(rect: QRectF, position: QPointF) -> int | str | None:
    """Corner 0 to 3, clockwise from the top left, "edge", or None."""
    for n, corner in enumerate((rect.topLeft(), rect.topRight(), rect.bottomRight(), rect.bottomLeft())):
        if max(abs(position.x() - corner.x()), abs(position.y() - corner.y())) <= GRAB_BOX + 2:
            return n
    outer = rect.adjusted(-GRAB_BOX, -GRAB_BOX, GRAB_BOX, GRAB_BOX)
    inner = rect.adjusted(GRAB_BOX, GRAB_BOX, -GRAB_BOX, -GRAB_BOX)
    return "edge" if outer.contains(position) and not inner.contains(position) else None
