"""`hourbit export`: a project's labels in a format that others read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.output import Json, emit, say
from engine.errors import UserError

if TYPE_CHECKING:
    from app.formats import Exporter, ExportReport
    from app.project.values import State


def register(cli: typer.Typer) -> None:
    cli.command("export", epilog="Example: hourbit export faces.hourbit-project faces.json --format coco")(export)


def find_exporter(name: str) -> Exporter:
    """The exporter of that name, shipped or from a plugin; raises UserError where there is none."""
    from app import api
    from app.plugins import load_plugins

    for sentence in load_plugins().values():
        say(sentence)
    return api.exporter(name)


def chosen_states(name: str) -> frozenset[State]:
    """States by name; "accepted" are those that a person has confirmed. Raises UserError."""
    from app.project.values import ACCEPTED, State

    named = {state.value: frozenset({state}) for state in State} | {"accepted": ACCEPTED, "all": frozenset(State)}
    if name not in named:
        raise UserError(f"There is no state {name!r}; choose one of: {', '.join(named)}.")
    return named[name]


def report_lines(report: ExportReport, out: Path) -> list[str]:
    """What was written and what the format could not hold, as lines."""
    return [
        f"Wrote {report.instances} instances in {report.images} images to {out}",
        *(f"Lost: {lost['what']}, {lost['count']} times: {lost['why']}" for lost in report.lost),
    ]


def export(
    project: Annotated[Path, typer.Argument(metavar="PROJECT", help="A .hourbit-project file.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write.")],
    form: Annotated[str, typer.Option("--format", help="coco, csv or a plugin's.")] = "coco",
    state: Annotated[str, typer.Option(help="Which images: accepted, all, or one state by name.")] = "accepted",
    as_json: Json = False,
) -> None:
    """Write a project's accepted labels."""
    from app.project.document import Document

    exporter, states = find_exporter(form), chosen_states(state)
    if not project.is_file():
        raise UserError(f"There is no project {project}; check its place.")
    document = Document.open(project)
    try:
        report = exporter.export(document, out, states)
    finally:
        document.close()
    value = {"instances": report.instances, "images": report.images, "lost": list(report.lost)}
    emit(value, as_json, report_lines(report, out))
