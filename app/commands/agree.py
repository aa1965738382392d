"""`hourbit agree`: how far two people, or a person and a model, place the same landmarks apart."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.lookup import find_model
from app.commands.output import Json, columns, emit, progress
from engine.errors import UserError

if TYPE_CHECKING:
    from engine.labels import LabelSet


def register(cli: typer.Typer) -> None:
    cli.command("agree", epilog="Example: hourbit agree anna.hourbit-project ben.hourbit-project")(agree)


def agree(
    first: Annotated[Path, typer.Argument(metavar="LABELS", help="A project, or a label file of any format.")],
    second: Annotated[str, typer.Argument(metavar="OTHER", help="Another of the same pictures, or a model's name.")],
    worst: Annotated[int, typer.Option(min=0, help="How many of the worst pictures to list.")] = 10,
    as_json: Json = False,
) -> None:
    """Measure agreement by landmark, with the sigmas that OKS asks for, and list the worst pictures."""
    from engine.agreement import SAME_SUBJECT, figures, pair
    from engine.models import SUFFIXES

    labels, other = read(first), Path(second)
    model = not other.exists() or other.suffix in SUFFIXES
    found = _predicted(labels, second) if model else read(other)
    value = figures(pair(labels, found, math.inf if model else SAME_SUBJECT), model, worst)
    emit(value, as_json, lines(value))


def read(path: Path) -> LabelSet:
    """The labels of a project or a file of any format; raises UserError."""
    from app.formats import registry
    from app.formats.reading import head_of
    from app.plugins import load_plugins

    if not path.exists():
        raise UserError(f"There is no label file {path}; check its place.")
    load_plugins()
    head = head_of(path)
    chosen = next((form for form in registry.formats() if form.claims(path, head)), None)
    if chosen is None:
        raise UserError(f"{path.name} is of no known format; see docs/formats.md.")
    return chosen.read(path, registry.ReadOptions())


def _predicted(labels: LabelSet, name: str) -> LabelSet:
    """What a model finds in the boxes of the labelled subjects."""
    from engine.images import load_image
    from engine.labels import ABSENT, LabelSet, Skeleton
    from engine.metrics import tight_boxes
    from engine.predictor import Predictor
    from engine.rows import Rows
    from engine.runtime import open_runtime
    from engine.types import Box

    runtime = open_runtime(find_model(name))
    predictor, schema = Predictor(runtime, "whole"), runtime.model.schema
    rows = Rows(Skeleton(schema.subject, schema.landmarks))
    table = max(labels.tables, key=len)
    known = table.visibility != ABSENT
    usable = [n for n in range(len(table)) if known[n].sum() > 1 and labels.pictures[table.picture[n]].path]
    if not usable:
        raise UserError("No picture of these labels is where it should be; put the pictures back.")
    boxes, last, pixels = tight_boxes(table.points, known), None, None
    with progress("Predicting") as show:
        for done, n in enumerate(usable):
            path = labels.pictures[int(table.picture[n])].path
            if path != last:
                last, pixels = path, load_image(path)
            cx, cy, side = (float(v) for v in boxes[n])
            found = predictor.predict_box(pixels, Box(cx, cy, max(side, 2.0))).landmarks
            seen = [2] * len(schema)
            rows.add(int(table.picture[n]), found[:, :2], seen, score=found[:, 2], hand=False)
            show(done + 1, len(usable))
    return LabelSet(labels.pictures, (rows.table(),))


def lines(value: dict[str, Any]) -> list[str]:
    """The figures as a table for people."""
    rows = [
        ("subjects that both have", str(value["instances"])),
        ("only the first, only the second", f"{value['only_first']}, {value['only_second']}"),
        ("mean distance", f"{_number(value['pixels'])} px, {_number(value['percent'])} % of the subject's size"),
    ]
    for name, told in value["landmarks"].items():
        sigma = "-" if told["sigma"] is None else f"{told['sigma']:.4f}"
        rows.append((f"  {name}", f"{_number(told['pixels'])} px  {_number(told['percent'])} %  sigma {sigma}"))
    rows += [(f"worst: {told['picture']}", f"{told['percent']:.2f} %, {told['landmark']}") for told in value["worst"]]
    return columns(rows)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
