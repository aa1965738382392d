"""`hourbit sheet`: pages of pictures to look at, after Figs. 2 and 3 of the paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.lookup import ModelName, find_model, find_own_model
from app.commands.output import Json, emit, progress, say, several
from engine.errors import UserError

if TYPE_CHECKING:
    import numpy as np

    from engine.evaluate import Evaluation
    from engine.modelfile import Model
    from engine.schema import Schema

cli = typer.Typer(
    help="Pages of pictures: failures of two models side by side, features around a 1x1 layer.",
    epilog="Example: hourbit sheet failures face68 face68 samples failures.png",
)
Out = Annotated[Path, typer.Argument(metavar="OUT.png", help="The picture to write.")]


@cli.command("failures", epilog="Example: hourbit sheet failures face68 mine.hourbit samples failures.png")
def failures(
    first: Annotated[str, typer.Argument(metavar="A", help="The model whose failures are shown.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The model to compare with, on the same pictures.")],
    data: Annotated[str, typer.Argument(metavar="DATA", help="A pack, a COCO keypoints file, or: samples.")],
    out: Out,
    count: Annotated[int, typer.Option(min=1, max=64, help="How many subjects.")] = 8,
    by: Annotated[str, typer.Option(help="a: where A is worst; gap: where A is worst beside B.")] = "a",
    as_json: Json = False,
) -> None:
    """Show where one model fails beside what another does there (Fig. 2): label, A, B, worst first."""
    import numpy as np

    from app.plugins import load_plugins
    from app.services.labelled import load_subjects

    if by not in ("a", "gap"):
        raise UserError(f"There is no order {by!r}; use --by a or --by gap.")
    _check(out, [Path(first), Path(second), Path(data)])
    models = [find_model(name) for name in (first, second)]
    schema = models[0].schema
    if models[1].schema.landmarks != schema.landmarks:
        raise UserError(f"{models[0].name} and {models[1].name} have different landmarks; choose two of one kind.")
    load_plugins()
    labelled = load_subjects(data, schema)
    done = [_measured(model, labelled) for model in models]
    means = np.stack([_means(d.errors) for d in done])
    rank = means[0] if by == "a" else means[0] - means[1]
    order = [int(n) for n in np.argsort(-np.nan_to_num(rank, nan=-np.inf), kind="stable") if np.isfinite(rank[n])]
    if not order:
        raise UserError(f"Nothing in {data} could be measured; choose other data.")
    order = order[:count]
    _write(out, [_failure_row(n, models, done, means[:, n], schema) for n in order])
    value = {
        "path": str(out.resolve()), "models": [m.name for m in models],
        "subjects": [{"subject": labelled.name(n), "a": float(means[0, n]), "b": float(means[1, n])} for n in order],
    }  # fmt: skip
    emit(value, as_json, f"{several(len(order), 'subject')} in {out}")


@cli.command("features", epilog="Example: hourbit sheet features face68 portrait.jpg features.png")
def features(
    model: ModelName,
    picture: Annotated[Path, typer.Argument(metavar="PICTURE", help="A picture with a subject.")],
    out: Out,
    node: Annotated[str | None, typer.Option(help="A 1x1 convolution by name; else the last one.")] = None,
    detector: Annotated[
        str | None, typer.Option(help="detect, face, person or whole; else by the model's subject.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=128, help="How many channels.")] = 16,
    as_json: Json = False,
) -> None:
    """Show feature maps before and after a 1x1 convolution (Fig. 3), the most varied channels first."""
    from app.commands.sheet_pages import feature_rows
    from engine import crop
    from engine.detect import DEFAULTS, make_detector, whole_box
    from engine.features import features as around
    from engine.images import load_image
    from engine.runtime import open_runtime

    _check(out, [picture, Path(model)])
    read = find_own_model(model)
    pixels = load_image(picture)
    name = detector or (DEFAULTS["face"] if read.schema.subject == "face" else "whole")
    boxes = make_detector(name, open_runtime(read) if name in ("detect", "person") else None).detect(pixels)
    if not boxes:
        say(f"No {read.schema.subject} was found; the whole picture is shown.")
    box = boxes[0] if boxes else whole_box(pixels, read.crop)
    side = read.architecture.side
    cut = crop.sample(pixels, crop.matrix(box.cx, box.cy, box.side * read.crop, side), side)
    found = around(read, cut, node)
    _write(out, feature_rows(found, cut, count))
    value = {
        "path": str(out.resolve()), "node": found.node, "before": found.source, "side": len(found.after),
        "channels": [found.before.shape[2], found.after.shape[2]], "kept": found.kept(),
    }  # fmt: skip
    text = f"{found.source} before and {found.node} after in {out}; an output map correlates with its closest input"
    emit(value, as_json, f"{text} by {value['kept']:.2f} on average")


def _measured(model: Model, labelled: Any) -> Evaluation:
    from engine.evaluate import Options, measure
    from engine.runtime import open_runtime

    runtime = open_runtime(model)
    if runtime.notice:
        say(runtime.notice)
    with progress(model.name) as show:
        return measure(runtime, labelled, Options(metric="nme"), None, show)


def _means(errors: np.ndarray) -> np.ndarray:
    """(N,) mean error of each subject in percent; NaN where nothing was measured."""
    import numpy as np

    known = np.isfinite(errors)
    total = np.where(known, errors, 0).sum(1)
    return np.divide(total, known.sum(1), out=np.full(len(errors), np.nan), where=known.any(1))


def _failure_row(
    n: int, models: list[Model], done: list[Evaluation], means: np.ndarray, schema: Schema
) -> list[np.ndarray]:
    import numpy as np

    from app.commands.sheet_pages import subject_tile
    from engine.types import Box

    labelled = done[0].labelled
    picture, box = labelled.picture(n), Box(*(float(v) for v in labelled.box[n]))
    known, every = labelled.weight[n] > 0, np.ones(len(schema), bool)
    row = [subject_tile(picture, box, 1.6, labelled.points[n], known, schema, f"label: {labelled.name(n)[-20:]}")]
    for model, one, mean in zip(models, done, means, strict=True):
        shown = every if one.seen.found[n] else ~every
        row.append(subject_tile(picture, box, 1.6, one.seen.points[n], shown, schema, f"{model.name}: {mean:.1f} %"))
    return row


def _check(out: Path, inputs: list[Path]) -> None:
    from app.files import check_place, refuse_inputs

    if out.suffix.lower() != ".png":
        raise UserError(f"The sheet is a PNG picture; name it {out.stem}.png, not {out.name}.")
    check_place(out)
    refuse_inputs(out, inputs)


def _write(out: Path, rows: list[list[np.ndarray]]) -> None:
    from app.commands.sheet_pages import page
    from app.files import atomic_write
    from engine.images import encode_png

    atomic_write(out, encode_png(page(rows)))
