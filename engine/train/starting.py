"""What every kind of training takes from its start line and from whoever runs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from engine.errors import UserError
from engine.modelfile import Model, read_model

Send = Callable[..., None]


class Orders(Protocol):
    """What may be asked for meanwhile: `go` is clear while paused."""

    stopping: bool
    go: Any


def parent_of(start: Mapping[str, Any]) -> Model | None:
    """The model to go on from, None where the start line names none; raises UserError."""
    if not start.get("from"):
        return None
    try:
        return read_model(str(start["from"]))
    except OSError as error:
        raise UserError(f"The model {start['from']} cannot be read ({error.strerror}); choose another one.") from error
