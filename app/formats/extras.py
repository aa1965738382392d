"""Libraries that only some formats need: where one is missing, a sentence says which extra brings it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from app.formats.registry import FormatError


@contextmanager
def needs(library: str, what: str) -> Iterator[None]:
    """Around the import of an optional library; raises FormatError that names it and the extra."""
    try:
        yield
    except ImportError as error:
        raise FormatError(f"{what} needs {library}; install it with: pip install 'hourbit[formats]'.") from error


def available(*modules: str) -> bool:
    """Whether modules can be imported, without importing them."""
    return all(find_spec(module) is not None for module in modules)
