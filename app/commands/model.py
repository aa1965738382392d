"""`hourbit model ...`: look into one model, make one of random weights, import, check or export one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.lookup import ModelName, find_model, find_own_model
from app.commands.output import Json, columns, emit
from engine.architecture import BLOCKS, POOLS, WITH_MID
from engine.errors import UserError

if TYPE_CHECKING:
    from engine.external import ExternalModel
    from engine.modelfile import Model

cli = typer.Typer(
    help="Look into a model, make, import, check or export one.", epilog="Example: hourbit model info face68"
)


def describe(model: Model) -> dict[str, Any]:
    """A model as JSON: its network in numbers, its size and its card."""
    from engine.graph import count
    from engine.squares import is_detector, thresholds

    counts, network = count(model.graph), model.architecture
    finds = thresholds(model.card) if is_detector(model.schema) else None
    return {
        "name": model.name, "schema": model.schema.name, "landmarks": 0 if finds else network.landmarks,
        **({"finds": finds, "maps": network.landmarks} if finds else {}), "head": network.head, "block": network.block,
        "width": network.width, "stem": network.stem, "mid": network.mid, "stacks": network.stacks,
        "binary": not network.real, "input": network.side, "heatmap": network.heatmap, "pad": network.pad,
        "relu": network.relu, "pool": network.pool, "parameters": counts.parameters,
        "binary_weights": counts.binary_weights, "binary_convolutions": counts.binary_convolutions,
        "macs": {"binary": counts.macs_binary, "real": counts.macs_real}, "bytes": model.size,
        "float_bytes": 4 * counts.parameters, "sha256": model.sha256, "card": dict(model.card),
    }  # fmt: skip


def describe_external(model: ExternalModel) -> dict[str, Any]:
    """Another maker's network as JSON: how it is read, its size and its card."""
    return {
        "name": model.name, "schema": model.schema.name, "landmarks": model.landmarks, "crop": model.crop,
        "input": list(model.reading.size), "heatmap": list(model.reading.cells), "bytes": model.size,
        "sha256": model.sha256, "description": dict(model.description), "card": dict(model.card),
    }  # fmt: skip


def _lines(value: dict[str, Any]) -> list[str]:
    flat = {k: v for k, v in value.items() if k not in ("card", "macs", "description")}
    flat |= {f"MACs, {kind}": number for kind, number in value.get("macs", {}).items()}
    flat |= {f"description: {key}": text for key, text in value.get("description", {}).items()}
    flat |= {"card": value["card"]}
    lines = [line for key, v in flat.items() for line in _card_lines(key, v).items()]
    return columns([(key, f"{v:,}" if type(v) is int else str(v)) for key, v in lines])


def _card_lines(name: str, value: Any) -> dict[str, Any]:
    """A card's entry as lines: nested words under the names above them; numbers, and lists, in one line."""
    if isinstance(value, Mapping) and any(isinstance(inner, (str, Mapping)) for inner in value.values()):
        return {key: text for inner in value for key, text in _card_lines(f"{name}: {inner}", value[inner]).items()}
    if isinstance(value, Mapping):
        return {name: ", ".join(f"{inner} {number}" for inner, number in value.items())}
    return {name: "; ".join(map(str, value)) if isinstance(value, list) else value}


@cli.command(epilog="Example: hourbit model info face68 --json")
def info(model: ModelName, as_json: Json = False) -> None:
    """Show a model's network, size and card."""
    from engine.external import ExternalModel

    found = find_model(model)
    value = describe_external(found) if isinstance(found, ExternalModel) else describe(found)
    emit(value, as_json, _lines(value))


def _check_name(out: Path) -> None:
    if out.suffix != ".hourbit":
        raise UserError(f"A model's file name ends with .hourbit, unlike {out.name}; choose such a name.")
    if os.path.isdir(out):
        raise UserError(f"{out} is a folder; name a file in it.")


@cli.command("import", epilog="Example: hourbit model import human_pose_binary.t7 pose.hourbit --schema mpii16")
def import_(
    source: Annotated[Path, typer.Argument(metavar="FILE.t7", help="A network in Torch7's binary format.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The .hourbit file to write.")],
    schema: Annotated[str | None, typer.Option(help="Landmark schema; else by the number of landmarks.")] = None,
    side: Annotated[int, typer.Option("--input", help="Side of the input in pixels, a multiple of 64.")] = 256,
    crop: Annotated[float | None, typer.Option(help="Side of the crop / side of the box; else the authors'.")] = None,
    as_json: Json = False,
) -> None:
    """Take over a network that the paper's authors released: human_pose_binary.t7 or facealignment_binary_aflw.t7.

    The stem is rounded to the engine's integer grid, and the command says by how much; all else is kept exactly.
    """
    from app.commands.output import say
    from engine.modelfile import write_model
    from engine.schema import load_schema
    from engine.torch7_network import import_torch7

    _check_name(out)
    try:
        found = import_torch7(source, out.stem, load_schema(schema) if schema else None, side, crop)
    except OSError as error:
        raise UserError(f"{source} cannot be read ({error.strerror}); check the file.") from error
    value = describe(write_model(out, found.model))
    say(found.remark)
    emit(value, as_json, [f"Wrote {out}", *_lines(value)])


@cli.command(epilog="Example: hourbit model add net.onnx --schema ibug68 --output logits")
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .hourbit, .t7 or .onnx file.")],
    schema: Annotated[str | None, typer.Option(help="Of an .onnx file: what its landmarks are.")] = None,
    crop: Annotated[float | None, typer.Option(help="Of an .onnx file: crop side / landmark box side.")] = None,
    output: Annotated[str | None, typer.Option(help="Of an .onnx file: probability or logits.")] = None,
    colour: Annotated[str | None, typer.Option(help="Of an .onnx file: RGB or BGR.")] = None,
    peak: Annotated[int | None, typer.Option("--range", help="Of an .onnx file: 1 or 255, a full pixel.")] = None,
    heatmaps: Annotated[str | None, typer.Option(help="Of an .onnx file: its output's name.")] = None,
    as_json: Json = False,
) -> None:
    """Take a model into the library.

    What an .onnx file cannot say itself is read from the .json file of the same name beside it; options go before.
    """
    from app.commands.lookup import library
    from engine.external import SUFFIX, ExternalModel, description_path, read_description, read_external
    from engine.runtime import open_runtime

    if not os.path.isfile(file):
        raise UserError(f"There is no file {file}; check its place.")
    given = {"schema": schema, "crop": crop, "output": output, "colour": colour, "range": peak, "heatmaps": heatmaps}
    told = {key: value for key, value in given.items() if value is not None}
    description = None
    if file.suffix.lower() == SUFFIX:
        described = schema is None or os.path.isfile(description_path(file))
        description = (read_description(file) if described else {}) | told
        open_runtime(read_external(file, description))  # refuses what does not run
    elif told:
        raise UserError(f"--{next(iter(told))} is for .onnx files; a .hourbit file says all that itself.")
    entry = library().import_file(file, description=description)
    model = entry.model
    value = describe_external(model) if isinstance(model, ExternalModel) else describe(model)
    emit(value, as_json, [f"Took in {entry.name} as {entry.path.name}", *_lines(value)])


@cli.command(epilog="Example: hourbit model new small.hourbit --landmarks 16 --width 64 --stem 16 --input 128")
def new(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The .hourbit file to write.")],
    landmarks: Annotated[int, typer.Option(help="Number of landmarks.")] = 16,
    block: Annotated[str, typer.Option(help=f"Kind of block: {', '.join(BLOCKS)}.")] = "hierarchical",
    width: Annotated[int, typer.Option(help="Channels of the hourglass, a multiple of 32.")] = 256,
    stem: Annotated[int, typer.Option(help="Channels of the first convolution, a multiple of 16.")] = 64,
    side: Annotated[int, typer.Option("--input", help="Side of the input in pixels, a multiple of 64.")] = 256,
    pad: Annotated[int, typer.Option(help="Value around a map for binary convolutions, -1 or 0.")] = -1,
    relu: Annotated[bool, typer.Option("--relu", help="A ReLU behind each inner convolution.")] = False,
    stacks: Annotated[int, typer.Option(help="Hourglasses one after the other, 1 to 8.")] = 1,
    real: Annotated[bool, typer.Option("--real", help="Real weights, ReLU in place of sign; runs in ONNX.")] = False,
    half: Annotated[bool, typer.Option("--half", help="Real weights in 16 bits.")] = False,
    pool: Annotated[str, typer.Option(help=f"What halves maps: {' or '.join(POOLS)}.")] = "max",
    mid: Annotated[int, typer.Option(help=f"Middle channels of {', '.join(WITH_MID)}; 0: their own.")] = 0,
    schema: Annotated[str | None, typer.Option(help="Landmark schema; else by the number of landmarks.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the random weights.")] = 0,
    as_json: Json = False,
) -> None:
    """Make a model of random weights, for tests, benchmarks and counting.

    wider-no1x1 is our reading of the paper's "wider, no 1 x 1": two 3 x 3 convolutions with 80 channels between at 256.
    """
    from engine.graph import Architecture
    from engine.modelfile import halved, write_model
    from engine.random_model import random_model
    from engine.schema import load_schema

    _check_name(out)
    architecture = Architecture(landmarks, width, stem, side, pad, relu, block, stacks, real, pool, mid)
    if half and not real:
        raise UserError("--half is for --real; a binary network's weights are bits.")
    model = random_model(out.stem, architecture, load_schema(schema) if schema else None, seed)
    value = describe(write_model(out, halved(model) if half else model))
    emit(value, as_json, [f"Wrote {out}", *_lines(value)])


@cli.command(epilog="Example: hourbit model verify face68 --images 5")
def verify(
    model: ModelName,
    images: Annotated[int, typer.Option(min=1, max=1000, help="Random and sample crops to compare.")] = 3,
    as_json: Json = False,
) -> None:
    """Compare all runtimes with the reference, bit for bit.

    Every instruction set of this machine takes part; the exit code is 1 where any logit differs.
    """
    from engine.verify import verify as compare

    value = compare(find_own_model(model), images=images)
    emit(value, as_json, [
        f"{value['compared']:,} logits compared, {value['differing']:,} differing",
        *(f"  {isa}: {number:,} differing" for isa, number in value["by"].items()),
        *([f"Not on this machine: {', '.join(value['absent'])}"] if value["absent"] else []),
        f"Largest difference of ONNX Runtime: {value['onnx_max_abs']}",
    ])  # fmt: skip
    if value["differing"]:
        raise typer.Exit(1)


@cli.command(epilog="Example: hourbit model export face68 face68.onnx")
def export(
    model: ModelName,
    out: Annotated[Path, typer.Argument(metavar="OUT.onnx", help="The ONNX file to write.")],
    twin: Annotated[bool, typer.Option("--twin", help="The real-valued network of the same shape instead.")] = False,
    as_json: Json = False,
) -> None:
    """Write the same function as a float ONNX model, equal bit for bit.

    --twin writes what others would run in its place, for benchmarks: floats for signs, random weights.
    """
    from app.files import atomic_write
    from engine.runtime.onnx import OPSET, export_onnx, twin_model

    if out.suffix != ".onnx":
        raise UserError(f"An ONNX file's name ends with .onnx, unlike {out.name}; choose such a name.")
    chosen = find_own_model(model)
    atomic_write(out, twin_model(chosen.architecture) if twin else export_onnx(chosen).SerializeToString())
    emit({"path": str(out.resolve()), "opset": OPSET}, as_json, f"Wrote {out}, opset {OPSET}")
