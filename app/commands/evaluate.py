"""`hourbit evaluate`: a model's accuracy on labelled pictures, or a detector's on scenes."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.lookup import find_entry, find_model, find_own_model
from app.commands.output import Json, columns, emit, progress, say, say_problems
from engine.errors import UserError

if TYPE_CHECKING:
    from engine.evaluate import Evaluation, Options
    from engine.runtime import Runtime
    from engine.scenes import ScenePack

SAMPLES = "samples"


def register(cli: typer.Typer) -> None:
    cli.command("evaluate", epilog="Example: hourbit evaluate face68 samples --flip --json")(evaluate)


def evaluate(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="By name or file; for scenes a detector, such as detect.")
    ],
    data: Annotated[
        str, typer.Argument(metavar="DATA", help="Pack or scene pack, COCO file, data set, or: samples.")
    ],
    form: Annotated[
        str | None, typer.Option("--from", "--format", help="pack, coco, 300w or another format; else by its look.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Of data with splits: train, validation or test.")] = None,
    metric: Annotated[str | None, typer.Option(help="nme, pck, pckh, oks or miou; else by the model.")] = None,
    normalise: Annotated[
        str | None,
        typer.Option(help="interocular, interpupil, box, file, diagonal, head or torso; else by the metric."),
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Of pck (0.2) and pckh (0.5), as a share of the normaliser.")
    ] = None,
    detector: Annotated[str, typer.Option(help="file: its boxes; or detect, closer, face, person, whole.")] = "file",
    flip: Annotated[bool, typer.Option("--flip", help="Average with the mirrored picture: slower, better.")] = False,
    decode: Annotated[str, typer.Option(help="parabola, or quarter as in the paper's code.")] = "parabola",
    auc_to: Annotated[float, typer.Option(help="Percent to which the area under the NME curve is taken.")] = 7.0,
    failure_over: Annotated[float, typer.Option(help="Percent over which a picture counts as a failure.")] = 8.0,
    runtime: Annotated[str, typer.Option(help="packed, reference or onnx.")] = "packed",
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write each subject's errors into a table.")] = None,
    doubt: Annotated[
        bool, typer.Option("--doubt", help="Tell how many of the worst each criterion of doubt finds.")
    ] = False,
    paper: Annotated[bool, typer.Option("--paper", help="Print the paper's tables beside the result.")] = False,
    as_json: Json = False,
) -> None:
    """Measure accuracy in percent, in all and by landmark; on scene packs what a detector finds."""
    from engine.evaluate import Options

    scenes = _scenes(model, data)
    if scenes is not None:
        emit_scenes(model, scenes, as_json)
        return
    if paper:
        find_own_model(model)  # the tables are about networks of this kind
    options = Options(metric, normalise, threshold, detector, flip, decode, auc_to / 100, failure_over / 100, doubt)
    done, opened = _measured(model, data, (form, split), options, runtime, csv)
    told = [{"where": problem.where, "what": problem.what} for problem in done.labelled.problems]
    value = done.figures | {"problems": told}
    lines = _lines(value)
    if csv is not None:
        from app.commands.tables import write_errors

        write_errors(csv, done, opened.model.schema)
    if paper:
        from engine.layouts import sniff
        from engine.paper import Run, beside, known_as, table_lines

        layouts = (form,) if form else sniff(data) if os.path.exists(data) else ()
        own = known_as(layouts, len(done.labelled))
        rows = beside(Run(opened.model.architecture, value, Path(data).name, own))
        value = value | {"paper": [_paper_json(row) for row in rows]}
        lines += ["", *columns(table_lines(rows))]
    emit(value, as_json, lines)


def _measured(
    model: str, data: str, form: tuple[str | None, str | None], options: Options, runtime: str, csv: Path | None
) -> tuple[Evaluation, Runtime]:
    from app.files import check_place, refuse_inputs
    from app.plugins import load_plugins
    from app.services.labelled import load_subjects
    from engine.evaluate import choose, measure
    from engine.parts import label_schema
    from engine.runtime import open_runtime

    read = find_model(model)
    labels = label_schema(read)
    options = choose(labels, options, read.head)
    if csv is not None:
        check_place(csv)
        refuse_inputs(csv, [Path(data), Path(model)])
    load_plugins()
    subjects = load_subjects(data, labels, *form)
    say_problems(subjects.problems)
    opened = open_runtime(read, runtime)
    if opened.notice:
        say(opened.notice)
    with progress("Evaluating") as show:
        return measure(opened, subjects, options, None, show), opened


def _scenes(model: str, data: str) -> ScenePack | None:
    """The scenes that a detector is measured on; None where a landmark model is to be measured."""
    from engine.detect import DETECTORS
    from engine.scenes import is_scenes, load_scenes, sample_scenes
    from engine.squares import NAME

    if data == SAMPLES and not os.path.exists(data):
        return sample_scenes() if model in DETECTORS else None
    if not os.path.isfile(data):
        return None
    if is_scenes(Path(data)):
        return load_scenes(data)
    if model == NAME or model in DETECTORS and find_entry(model) is None:
        raise UserError(f"{Path(data).name} is no scene pack, on which detectors are measured; choose another file.")
    return None


def emit_scenes(name: str, scenes: ScenePack, as_json: bool) -> None:
    """Measure a detector and print what it found."""
    from app.plugins import load_plugins
    from engine.detect import DETECTORS, make_detector
    from engine.runtime import open_runtime
    from engine.scenes import CLASSES, evaluate_detector

    body = open_runtime(find_model("pose16")) if name == "person" else None
    if name not in DETECTORS:
        load_plugins()
        entry = find_entry(name)
        name = str(entry.path) if entry is not None else name
    detector = make_detector(name, body)
    looks_for = getattr(detector, "classes", tuple(c for c in CLASSES if c == name) or CLASSES)
    with progress("Looking") as show:
        value = {"detector": name} | evaluate_detector(detector, looks_for, scenes, show)
    emit(value, as_json, _scene_lines(value, looks_for))


def _scene_lines(value: dict[str, Any], looks_for: Collection[str]) -> list[str]:
    names = {
        "recall_human": "recall of human boxes", "n_human": "human boxes", "recall_all": "recall of all boxes",
        "n_all": "boxes", "mean_iou": "mean overlap of human hits", "false_alarms_per_picture":
        "false alarms a picture", "doubles_per_picture": "doubles a picture", "threshold": "threshold",
        "pictures": "pictures",
    }  # fmt: skip
    rows: list[tuple[str, str]] = []
    for name in ("face", "person"):
        if value[name] is not None:
            rows.append((name, ""))
            rows += [(f"  {words}", _word(value[name][key])) for key, words in names.items()]
        elif name in looks_for:
            rows.append((name, "these pictures have no labels of it"))
    return columns([*rows, ("ms a picture", _number(value["ms"]))])


def _paper_json(row: Any) -> dict[str, Any]:
    told = row.paper
    return {
        "table": told.table, "row": told.name, "metric": told.metric, "parameters": told.parameters,
        "paper": told.figure, "ours": row.ours, "run": row.run, "note": told.note,
    }  # fmt: skip


def _lines(value: dict[str, Any]) -> list[str]:
    of = "" if value["metric"] in ("oks", "miou") else f" by {value['normalise']}"
    rows = [(f"{value['metric']}{of}, mean, %", _number(value["mean"]))]
    rows += [(f"  mean, {name.replace('_', ', ')} landmarks", _number(v)) for name, v in value.get("means", {}).items()]
    rows += [(f"  {name}", _number(v)) for name, v in value.get("columns", {}).items()]
    curve_keys = ("auc", "auc_1000_steps", "failure_rate", "oks", "ap50", "ap75", "ar")
    parts = value["metric"] == "miou"
    for key in ("visible", "all", "without_background", "pixels_right", "median", *curve_keys):
        if key in value and (value[key] is not None or (key in ("auc", "failure_rate") and not parts)):
            rows.append((key.replace("_", " "), _number(value[key])))
    for name, part in (("yaw", value.get("yaw")), ("yaw, balanced", (value.get("yaw") or {}).get("balanced"))):
        if part:
            rows += [(f"{name} {low}", f"{_number(v)}  n {part['n'][low]}") for low, v in part["bins"].items()]
            rows.append((f"{name}, mean of bins", _number(part["mean_of_bins"])))
    rows += [(name.replace("_", " "), str(value[name])) for name in ("n", "missed", "left_out")]
    if value["problems"]:
        rows.append(("problems in the labels", str(len(value["problems"]))))
    if value["predicted"]:
        rows.append(("labels placed by", "a model, not people"))
    if value.get("doubt"):
        rows += _doubt_rows(value["doubt"])
    told = value["speed"]
    rows.append(("speed", f"{_number(told['ms_per_crop'])} ms a crop, {_number(told['pictures_per_second'])} pictures "
                 f"a second ({told['runtime']}, {told['isa']})"))  # fmt: skip
    return columns([*rows, *((f"  {name}", _number(error)) for name, error in value["per_landmark"].items())])


def _doubt_rows(value: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [("worst tenth by error found in the first fifth by doubt", "")]
    for name, told in value["criteria"].items():
        rows.append((f"  {name}", f"{_number(told['caught'])}  rank correlation {_number(told['correlation'])}"))
    return rows


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _word(value: float | int | None) -> str:
    return str(value) if isinstance(value, int) else "-" if value is None else f"{value:.3f}".rstrip("0").rstrip(".")
