"""`hourbit agree`: how far two people, or a person and a model, place the same landmarks apart."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.lookup import find_model
from app.commands.output import Json, columns, emit, progress, say_problems
from engine.errors import UserError

if TYPE_CHECKING:
    from engine.agreement import Pairs


def register(cli: typer.Typer) -> None:
    cli.command("agree", epilog="Example: hourbit agree anna.hourbit-project ben.hourbit-project")(agree)


def agree(
    first: Annotated[
        str, typer.Argument(metavar="LABELS", help="A project, a pack, a label file of any format, or: samples.")
    ],
    second: Annotated[str, typer.Argument(metavar="OTHER", help="Another of the same pictures, or a model's name.")],
    form: Annotated[str | None, typer.Option("--from", help="The format of LABELS; else by its look.")] = None,
    other_form: Annotated[str | None, typer.Option("--other-from", help="The format of OTHER.")] = None,
    split: Annotated[str | None, typer.Option(help="Beside a model, of data with splits: train, test ...")] = None,
    worst: Annotated[int, typer.Option(min=0, help="How many of the worst pictures to list.")] = 10,
    as_json: Json = False,
) -> None:
    """Measure agreement by landmark, with the sigmas that OKS asks for, and list the worst pictures."""
    from app.formats.converting import read_labels
    from app.formats.registry import ReadOptions
    from app.plugins import load_plugins
    from engine.agreement import figures, pair
    from engine.labelled import is_samples
    from engine.models import SUFFIXES

    load_plugins()
    if not os.path.exists(second) or Path(second).suffix in SUFFIXES:
        pairs = _beside_model(first, second, form, split)
    elif is_samples(first):
        raise UserError("The sample pictures can be compared with a model alone; name one, such as face68.")
    else:
        with progress("Reading") as show:
            one, _ = read_labels(Path(first), form, ReadOptions(progress=show))
            other, _ = read_labels(Path(second), other_form, ReadOptions(progress=show))
        say_problems((*one.problems, *other.problems))
        pairs = pair(one, other)
    value = figures(pairs, worst)
    emit(value, as_json, lines(value))


def _beside_model(data: str, name: str, form: str | None, split: str | None) -> Pairs:
    from app.services.labelled import load_subjects
    from engine.agreement import with_model
    from engine.predictor import Predictor
    from engine.runtime import open_runtime

    predictor = Predictor(open_runtime(find_model(name)), "whole")
    subjects = load_subjects(data, predictor.runtime.model.schema, form, split)
    say_problems(subjects.problems)
    with progress("Predicting") as show:
        return with_model(subjects, predictor, show)


def lines(value: dict[str, Any]) -> list[str]:
    """The figures as a table for people."""
    both = "subjects that were labelled" if value["against_model"] else "subjects that both have"
    rows = [(both, str(value["instances"]))]
    if not value["against_model"]:
        rows.append(("only the first, only the second", f"{value['only_first']}, {value['only_second']}"))
    sides = ("the first", *(() if value["against_model"] else ("the second",)))
    placed = [side for side, predicted in zip(sides, value["predicted"], strict=False) if predicted]
    if placed:
        rows.append(("labels that a model placed, not people", " and ".join(placed)))
    if value["unread"]:
        rows.append(("left out, whose pictures cannot be read", str(value["unread"])))
    if value["others"]:
        rows.append(("left out, other pictures of the same names", str(value["others"])))
    rows.append(
        ("mean distance", f"{_number(value['pixels'])} px, {_number(value['percent'])} % of the subject's size")
    )
    for name, told in value["landmarks"].items():
        sigma = "-" if told["sigma"] is None else f"{told['sigma']:.4f}"
        rows.append((f"  {name}", f"{_number(told['pixels'])} px  {_number(told['percent'])} %  sigma {sigma}"))
    rows += [(f"worst: {told['picture']}", f"{told['percent']:.2f} %, {told['landmark']}") for told in value["worst"]]
    return columns(rows)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
