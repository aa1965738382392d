"""What every command does alike: its JSON on stdout, all talk on stderr, progress on a terminal."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from engine.labels import Problem

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value on stdout; all else goes to stderr.")]
T = TypeVar("T")
SHOWN = 20  # problems that are printed one by one


def plain(value: Any) -> Any:
    """A value that strict JSON can hold: paths as text, tuples as lists, numbers that are not finite as null."""
    if isinstance(value, dict):
        return {str(key): plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "item"):  # NumPy scalars
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def several(number: int, one: str, many: str = "") -> str:
    """ "1 image", "2 images": a number with the word that fits it; many: where no s makes it."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def emit(value: Any, as_json: bool, text: str | Iterable[str]) -> None:
    """Print a command's result: the value as JSON where asked for, else the text (lines)."""
    if as_json:
        print(json.dumps(plain(value), allow_nan=False), flush=True)
        return
    for line in [text] if isinstance(text, str) else text:
        print(line)


def say(text: str) -> None:
    """A remark for the person at the terminal; never on stdout."""
    print(text, file=sys.stderr, flush=True)


def say_problems(problems: tuple[Problem, ...]) -> None:
    """The first of what was not read as it stands, on stderr."""
    for problem in problems[:SHOWN]:
        say(f"{problem.where}: {problem.what}")
    if len(problems) > SHOWN:
        say(f"{len(problems) - SHOWN} further problems; hourbit validate --json lists them.")


@contextmanager
def progress(title: str) -> Iterator[Callable[[float, float | None], None]]:
    """A progress bar on stderr, silent where that is no terminal; call what it gives with done and total."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def track(items: Iterable[T], title: str, total: int | None = None) -> Iterator[T]:
    """Go through items with a progress bar."""
    with progress(title) as show:
        for done, item in enumerate(items):
            show(done, total)
            yield item


def columns(rows: list[tuple[str, ...]]) -> list[str]:
    """Rows of words as lines with aligned columns."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))] if rows else []
    return ["  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip() for row in rows]
