"""`hourbit train`: train from scratch or go on from a model, in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from app.commands.lookup import find_own_model
from app.commands.output import Json, columns, plain, progress, say
from engine.errors import UserError
from engine.setting import setting

if TYPE_CHECKING:
    from app.commands.worker import Worker


def register(cli: typer.Typer) -> None:
    cli.command("train", epilog="Example: hourbit train labels.npz --schema ibug68 --from face68 --out run1")(train)


class Listener(Protocol):
    """Who is told each record."""

    def hear(self, record: dict[str, Any]) -> None: ...


@dataclass
class Report:
    """What people see of a training: a bar while it runs, then its result."""

    as_json: bool
    last: dict[str, Any] = field(default_factory=dict)

    def hear(self, record: dict[str, Any]) -> None:
        """Show one record."""
        if self.as_json:
            print(json.dumps(plain(record), allow_nan=False), flush=True)
        elif record["type"] == "notice":
            say(str(record.get("text")))
        elif record["type"] == "metric":
            say(", ".join(f"{k} {v:.4g}" for k, v in record.items() if isinstance(v, (int, float))))
        elif record["type"] == "done":
            print(f"Wrote {record.get('model')}")
            for line in told(record.get("metrics") or {}):
                print(line)
        self.last = record


def told(metrics: dict[str, Any]) -> list[str]:
    """What a training reached, for people: figures by name, those of several parts below each other.

    The errors of single images are left to --json.
    """
    rows: list[tuple[str, str]] = []
    for name, value in metrics.items():
        if isinstance(value, dict):
            rows += [(f"{name.replace('_', ' ')}, {part}", _word(v)) for part, v in value.items()]
        elif not isinstance(value, list):
            rows.append((name.replace("_", " "), _word(value)))
    return [f"  {line}" for line in columns(rows)]


def _word(value: object) -> str:
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


class Silence(Report):
    """The report of a process that is not the first of its group."""

    def __init__(self) -> None:
        super().__init__(False)

    def hear(self, record: dict[str, Any]) -> None:
        """The first process tells the same."""


def train(
    data: Annotated[list[Path], typer.Argument(metavar="DATA...", help="Packs, snapshots, data sets, or: samples.")],
    schema: Annotated[str, typer.Option(help="Landmark schema of the data, such as ibug68; for scenes: detect.")],
    out: Annotated[Path, typer.Option(metavar="RUN", help="Folder of this training; made where it is missing.")],
    recipe: Annotated[str | None, typer.Option(help="A recipe that ships, or a .toml file.")] = None,
    start: Annotated[str | None, typer.Option("--from", metavar="M", help="Model to go on from.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the run's last checkpoint.")] = False,
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A recipe's.")] = None,
    form: Annotated[str | None, typer.Option("--format", help="Of the data; else by its look.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of weights and data order.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int, typer.Option(min=1, help="Of the arithmetic.")] = 1,
    workers: Annotated[int | None, typer.Option(min=0, help="Threads that make batches ahead.")] = None,
    as_json: Json = False,
) -> None:
    """Train a network, or fine-tune a model.

    It runs in a process of its own; Ctrl+C stops it in good order. Under torchrun several processes train together.
    """
    from app.commands.worker import Worker, WorkerError
    from app.services.launch import need_torch
    from engine.schema import load_schema
    from engine.squares import NAME

    need_torch()
    if schema != NAME:
        load_schema(schema)
    check_data(data)
    rank = os.environ.get("RANK", "0")  # torchrun's
    if rank == "0" and os.path.exists(out / "latest.safetensors") and not resume:
        raise UserError(f"{out} holds a training already; go on with --resume, or choose another folder.")
    first = start_line(data, schema, out, recipe, start, dict(setting(text) for text in settings or []))
    first |= {"resume": resume, "seed": seed, "device": device, "threads": threads, "workers": workers, "format": form}
    log = out / ("worker.log" if rank == "0" else f"worker-{rank}.log")
    with Worker(first, log) as worker:
        try:
            follow(worker, Report(as_json) if rank == "0" else Silence())
        except WorkerError as error:
            say(str(error))
            raise typer.Exit(1) from error


def check_data(data: list[Path]) -> None:
    """Raise UserError where there is nothing to train with."""
    from engine.labelled import is_samples

    for path in data:
        if not os.path.exists(path) and not is_samples(path):
            raise UserError(f"There is no data file {path}; check its place.")


def start_line(
    data: list[Path], schema: str, out: Path, recipe: str | None, start: str | None, changes: dict[str, Any]
) -> dict[str, Any]:
    """The worker's first message, without seed and resume."""
    from engine.labelled import is_samples

    if recipe is not None and recipe.endswith(".toml"):
        recipe = str(Path(recipe).resolve())
    origin = find_own_model(start).path if start else None
    places = [str(path if is_samples(path) else path.resolve()) for path in data]
    return {
        "snapshot": places, "schema": schema, "recipe": recipe, "settings": changes,
        "from": str(origin.resolve()) if origin else None, "out": str(out.resolve()),
    }  # fmt: skip


@contextlib.contextmanager
def gentle_interrupt(worker: Worker) -> Iterator[None]:
    """Ctrl+C asks the worker to stop, and it says what it reached; a second one leaves at once."""

    def first(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        say("Stopping; what was learnt is kept. Ctrl+C once more leaves at once.")
        worker.stop()

    before = signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def follow(worker: Worker, report: Listener, title: str = "Training") -> None:
    """Show the records of a training to its end."""
    with gentle_interrupt(worker), progress(title) as show:
        for record in worker:
            if record["type"] == "progress":
                show(record.get("done", 0.0), 1.0)
            report.hear(record)
