"""`hourbit bench`: how long one crop takes, by runtime and instruction set."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.lookup import find_entry, find_own_model
from app.commands.output import Json, columns, emit, track
from engine.errors import UserError

if TYPE_CHECKING:
    import numpy as np

    from engine.modelfile import Model
    from engine.runtime import Runtime

DEFAULT_MODEL = "face68"


def register(cli: typer.Typer) -> None:
    cli.command("bench", epilog="Example: hourbit bench face68 --runtime packed --isa avx2")(bench)


def bench(
    model: Annotated[str | None, typer.Argument(metavar="MODEL", help="By name or file.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="For runtimes that can use more than one.")] = 1,
    runtime: Annotated[str | None, typer.Option(help="Only packed, reference or onnx.")] = None,
    isa: Annotated[str | None, typer.Option(help="Only this instruction set of packed.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Times that each is run; they take turns.")] = 15,
    peers: Annotated[
        bool, typer.Option("--peers", help="ONNX Runtime and OpenVINO on networks of this shape.")
    ] = False,
    sizes: Annotated[bool, typer.Option("--sizes", help="The packed engine at other sides and widths, too.")] = False,
    as_json: Json = False,
) -> None:
    """Time one crop through each runtime, and each stage of the packed engine.

    All take turns; figures are medians of wall and CPU time. --peers adds the network of the same shape in float
    (ONNX Runtime, OpenVINO) and OpenVINO's binary convolution: compare CPU times within one run.
    """
    import numpy as np

    chosen = _model(model)
    contenders, absent = _contenders(chosen, runtime, isa, threads)
    if peers:
        _add_peers(chosen, contenders, absent, threads)
    side = chosen.architecture.side
    crop = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    ready: dict[str, Runtime] = {}
    for name, make in contenders.items():
        try:
            ready[name] = make()
        except UserError as error:
            absent.append(f"{name}: {error}")
    if not ready:
        raise UserError(f"There is nothing to time, since nothing runs here; {'; '.join(absent)}")
    entries = measure(ready, crop, rounds)
    best = entries[0]
    ratios = {f"{e['name']} / {best['name']}": e["cpu_ms"] / best["cpu_ms"] for e in entries[1:] if best["cpu_ms"]}
    value: dict[str, Any] = {"model": chosen.name, "threads": threads, "entries": entries, "ratios": ratios}
    title = f"{chosen.name}, {side} x {side}, {_maps(chosen)}, threads: {threads}"
    lines = [
        title,
        *_table(entries, _macs(chosen)),
        *(f"{n}: {ratio:.1f} times the CPU time" for n, ratio in ratios.items()),
    ]
    value["stages"], more = _stages(ready, crop)
    lines += more
    if sizes:
        value["sizes"], more = _sizes(isa, rounds)
        lines += more
    if absent:
        value["absent"] = absent
    emit(value, as_json, [*lines, *(f"Left out: {line}" for line in absent)])


def _maps(model: Model) -> str:
    """How many maps the model makes, and of what."""
    from engine.architecture import SEGMENTATION
    from engine.squares import is_detector

    what = "maps" if is_detector(model.schema) else "parts" if model.head == SEGMENTATION else "landmarks"
    return f"{model.landmarks} {what}"


def _macs(model: Model) -> int:
    """Multiply-accumulates of one crop, of bits and real ones."""
    from engine.graph import count

    counts = count(model.graph)
    return counts.macs_binary + counts.macs_real


def _table(entries: list[dict[str, float | str]], macs: int) -> list[str]:
    rows = [("", "wall ms", "CPU ms", "GMAC/s")]
    for entry in entries:
        entry["gmac_per_s"] = macs / max(entry["cpu_ms"], 1e-6) / 1e6
        rows.append((str(entry["name"]), *(f"{entry[key]:.2f}" for key in ("wall_ms", "cpu_ms", "gmac_per_s"))))
    return columns(rows)


def _stages(ready: dict[str, Runtime], crop: np.ndarray) -> tuple[list[dict[str, Any]], list[str]]:
    """Where the time of each packed contender goes; the text shows the first one's."""
    from engine.runtime import PackedRuntime
    from engine.stages import stages

    found = [stages(runtime, crop) for runtime in ready.values() if isinstance(runtime, PackedRuntime)]
    if not found:
        return [], []
    first = found[0]
    rows = [("stage", "steps", "ms", "GMAC/s", "of the bound")]
    for stage in first["stages"]:
        share = "" if stage["share"] is None else f"{stage['share']:.0%}"
        rows.append((stage["name"], str(stage["count"]), f"{stage['ms']:.3f}", f"{stage['rate']:.0f}", share))
    return found, [f"packed {first['isa']}, stage by stage; the bound is {first['bound']:.0f} GMAC/s", *columns(rows)]


def _add_peers(model: Model, contenders: dict[str, Callable[[], Any]], absent: list[str], threads: int) -> None:
    from engine.peers import open_peers

    found, missing = open_peers(model.architecture, threads)
    absent += missing
    for peer in found:
        contenders[peer.name] = lambda peer=peer: peer


def _sizes(isa: str | None, rounds: int) -> tuple[list[dict[str, Any]], list[str]]:
    """The packed engine over sides, widths and numbers of landmarks: milliseconds and cost for each product."""
    import numpy as np

    from engine.graph import Architecture
    from engine.random_model import random_model
    from engine.runtime import PackedRuntime

    shapes = [(256, 256, 16), (256, 256, 68), (256, 192, 16), (256, 128, 16), (128, 256, 16), (128, 128, 16)]
    models = {s: random_model("size", Architecture(s[2], width=s[1], side=s[0])) for s in shapes}
    found = []
    rows = [("side", "width", "landmarks", "CPU ms", "GMAC", "ps for each MAC")]
    for shape, model in models.items():
        side, width, landmarks = shape
        crop = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
        (entry,) = measure({"packed": PackedRuntime(model, isa)}, crop, rounds)
        cost = 1e9 * entry["cpu_ms"] / _macs(model)
        entry |= {"side": side, "width": width, "landmarks": landmarks, "macs": _macs(model), "ps_per_mac": cost}
        found.append(entry)
        numbers = (f"{entry['cpu_ms']:.2f}", f"{_macs(model) / 1e9:.3f}", f"{cost:.2f}")
        rows.append((*map(str, shape), *numbers))
    return found, columns(rows)


def _model(name: str | None) -> Model:
    """The model asked for, else the shipped face model, else one of random weights and the full size."""
    from engine.graph import Architecture
    from engine.random_model import random_model

    if name is not None or find_entry(DEFAULT_MODEL) is not None:
        return find_own_model(name or DEFAULT_MODEL)
    return random_model("random weights", Architecture(68))


def _contenders(
    model: Model, runtime: str | None, isa: str | None, threads: int
) -> tuple[dict[str, Callable[[], Runtime]], list[str]]:
    """What takes part, by name, and why the rest does not."""
    from engine.runtime import RUNTIMES, available_isas, open_runtime

    if runtime is not None and runtime not in RUNTIMES:
        raise UserError(f"Unknown runtime {runtime!r}; use one of {', '.join(RUNTIMES)}.")
    isas, absent = available_isas(), []
    if isa is not None and isa not in isas:
        raise UserError(f"This machine has no instruction set {isa!r}; it has {', '.join(isas) or 'none'}.")
    found: dict[str, Callable[[], Runtime]] = {}
    for name in isas if runtime in (None, "packed") else []:
        if isa in (None, name):
            found[f"packed {name}"] = lambda name=name: open_runtime(model, "packed", threads, name)
    if not isas and runtime in (None, "packed"):
        absent.append("packed: the compiled engine is not installed")
    if isa is None:
        for name in ("onnx", "reference"):
            if runtime in (None, name):
                found[name] = lambda name=name: open_runtime(model, name, threads)
    return found, absent


def measure(contenders: dict[str, Runtime], crop: np.ndarray, rounds: int) -> list[dict[str, float | str]]:
    """Medians in milliseconds; all take turns, so that a busy machine is unfair to none."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for contender in contenders.values():
        contender.run(crop)
    for _ in track(range(rounds), "Timing"):
        for name, contender in contenders.items():
            wall, cpu = time.perf_counter(), time.process_time()
            contender.run(crop)
            times[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    return [
        {"name": name, "wall_ms": _median_ms(taken, 0), "cpu_ms": _median_ms(taken, 1)} for name, taken in times.items()
    ]


def _median_ms(taken: list[tuple[float, float]], which: int) -> float:
    return 1000 * statistics.median(pair[which] for pair in taken)
