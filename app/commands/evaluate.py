"""`hourbit evaluate`: a model's accuracy on labelled pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from app.commands.lookup import ModelName, find_model
from app.commands.output import Json, columns, emit, progress, say
from engine.errors import UserError


def register(cli: typer.Typer) -> None:
    cli.command("evaluate", epilog="Example: hourbit evaluate face68 helen_test.npz --metric nme --json")(evaluate)


def evaluate(
    model: ModelName,
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A pack (.npz) or a COCO keypoints file (.json).")],
    form: Annotated[str | None, typer.Option("--format", help="pack or coco; else by the file's name.")] = None,
    metric: Annotated[str | None, typer.Option(help="nme or pck; else by the schema.")] = None,
    normalise: Annotated[
        str | None, typer.Option(help="interocular, interpupil, box, diagonal or torso; else by the metric.")
    ] = None,
    threshold: Annotated[float | None, typer.Option(help="Of pck, as a share of the normaliser; else 0.2.")] = None,
    detector: Annotated[str, typer.Option(help="file: the file's boxes; or face, person, whole.")] = "file",
    flip: Annotated[bool, typer.Option("--flip", help="Average with the mirrored picture: slower, better.")] = False,
    as_json: Json = False,
) -> None:
    """Measure accuracy in percent, in all and by landmark."""
    from engine.evaluate import evaluate as measure
    from engine.runtime import open_runtime

    if not data.is_file():
        raise UserError(f"There is no data file {data}; check its place.")
    runtime = open_runtime(find_model(model))
    if runtime.notice:
        say(runtime.notice)
    with progress("Evaluating") as show:
        value = measure(runtime, data, form, metric, normalise, threshold, detector, flip, show)
    emit(value, as_json, _lines(value))


def _lines(value: dict[str, Any]) -> list[str]:
    rows = [(f"{value['metric']}, mean", _number(value["mean"]))]
    rows += [(name, _number(value.get(key))) for name, key in (("auc", "auc"), ("failure rate", "failure_rate"))]
    rows += [(name.replace("_", " "), str(value[name])) for name in ("n", "missed", "left_out")]
    return columns([*rows, *((f"  {name}", _number(error)) for name, error in value["per_landmark"].items())])


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
