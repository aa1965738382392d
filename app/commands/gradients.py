"""`hourbit gradients`: how large gradients are, real against binary networks and cross-entropy against L2."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from app.commands.output import Json, emit, plain, say
from engine.setting import setting

COLUMNS = ("real_bce", "real_l2", "binary_bce", "binary_l2")


def register(cli: typer.Typer) -> None:
    cli.command("gradients", epilog="Example: hourbit gradients labels.npz --schema ibug68 --steps 100")(gradients)


def gradients(
    data: Annotated[list[Path], typer.Argument(metavar="DATA...", help="Packs, snapshots, data sets, or: samples.")],
    schema: Annotated[str, typer.Option(help="Landmark schema of the data, such as ibug68.")],
    recipe: Annotated[str | None, typer.Option(help="A recipe that ships, or a .toml file.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A recipe's.")] = None,
    steps: Annotated[int, typer.Option(min=0, help="Steps of training before it is measured.")] = 0,
    batches: Annotated[int, typer.Option(min=1, help="Over how many batches.")] = 4,
    form: Annotated[str | None, typer.Option("--format", help="Of the data; else by its look.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of weights and data order.")] = 0,
    as_json: Json = False,
) -> None:
    """Compare the gradients of real and binary networks, with cross-entropy and with L2.

    Four networks with the same start values see the same pictures; for each group of layers it prints the norm of
    the gradient of the convolutions' weights (Sec. 4.5 and 6 of the paper).
    """
    from app.commands.train import check_data, follow, start_line
    from app.commands.worker import Worker, WorkerError
    from engine.schema import load_schema

    load_schema(schema)
    check_data(data)
    changes = dict(setting(text) for text in settings or [])
    with tempfile.TemporaryDirectory(prefix="hourbit-") as folder:
        start = start_line(data, schema, Path(folder), recipe, None, changes)
        start |= {"task": "gradients", "steps": steps, "batches": batches, "seed": seed, "format": form}
        listener = _Last()
        try:
            with Worker(start, Path(folder) / "worker.log") as worker:
                follow(worker, listener, "Measuring")
        except WorkerError as error:
            say(str(error))
            raise typer.Exit(1) from error
    done = {name: value for name, value in listener.record.items() if name != "type"}
    emit(plain(done), as_json, lines(done))


class _Last:
    """Keeps the last record, and shows remarks."""

    def __init__(self) -> None:
        self.record: dict[str, Any] = {}

    def hear(self, record: dict[str, Any]) -> None:
        self.record = record
        if record["type"] == "notice":
            say(str(record.get("text")))


def lines(done: dict[str, Any]) -> list[str]:
    """The result as a table for people."""
    width = max(len(row["group"]) for row in done["rows"])
    told = [f"Norm of the gradient after {done['steps']} steps, over {done['batches']} batches:", ""]
    told.append("".join([f"{'layers':<{width}}", *(f"{name.replace('_', ', '):>14}" for name in COLUMNS)]))
    for row in done["rows"]:
        told.append("".join([f"{row['group']:<{width}}", *(f"{row[name]:>14.3e}" for name in COLUMNS)]))
    told.append("")
    told += [f"{name}: {'none in the second' if value is None else format(value, '.2f')}"
             for name, value in done["ratios"].items()]  # fmt: skip
    return [*told, done["paper"]]
