"""`hourbit bench`: how long one crop takes, by runtime and instruction set."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

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
    as_json: Json = False,
) -> None:
    """Time one crop through each runtime.

    All take turns; figures are medians of wall and CPU time.
    """
    import numpy as np

    chosen = _model(model)
    contenders, absent = _contenders(chosen, runtime, isa, threads)
    side = chosen.architecture.side
    crop = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    ready: dict[str, Runtime] = {}
    for name, make in contenders.items():
        try:
            ready[name] = make()
        except UserError as error:
            absent.append(f"{name}: {error}")
    if not ready:
        raise UserError(f"Nothing to time: {'; '.join(absent)}")
    entries = measure(ready, crop, rounds)
    best = entries[0]
    ratios = {f"{e['name']} / {best['name']}": e["cpu_ms"] / best["cpu_ms"] for e in entries[1:] if best["cpu_ms"]}
    value = {"model": chosen.name, "threads": threads, "entries": entries, "ratios": ratios}
    if absent:
        value["absent"] = absent
    rows = [("", "wall ms", "CPU ms")]
    rows += [(str(e["name"]), f"{e['wall_ms']:.2f}", f"{e['cpu_ms']:.2f}") for e in entries]
    title = f"{chosen.name}, {side} x {side}, {chosen.architecture.landmarks} landmarks, threads: {threads}"
    emit(value, as_json, [
        title, *columns(rows),
        *(f"{name}: {ratio:.1f} times the CPU time" for name, ratio in ratios.items()),
        *(f"Left out: {line}" for line in absent),
    ])  # fmt: skip


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
