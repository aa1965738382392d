"""CPU time of the engine: medians of interleaved rounds, one JSON value on stdout.

    python benchmarks/runtimes.py [MODEL.hourbit] [--rounds N] [--onnx]

Without a model: random weights at 256 x 256, 256 wide, 16 landmarks. CPU time of the calling thread
holds on a loaded machine where wall time does not.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

import numpy as np

from engine.graph import Architecture
from engine.modelfile import Model, read_model
from engine.random_model import random_model
from engine.runtime import PackedRuntime, Runtime, available_isas, open_runtime


def measure(runtimes: list[Runtime], rounds: int) -> list[dict]:
    """Median and least wall and CPU milliseconds of each runtime, in rounds that take turns."""
    side = runtimes[0].model.architecture.side
    crop = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    times: list[list[tuple[float, float]]] = [[] for _ in runtimes]
    for number in range(rounds + 1):
        for runtime, found in zip(runtimes, times, strict=True):
            wall, cpu = time.perf_counter(), time.process_time()
            runtime.run(crop, logits=True)
            if number:  # the first round warms up
                found.append((time.perf_counter() - wall, time.process_time() - cpu))
    return [_entry(runtime, found) for runtime, found in zip(runtimes, times, strict=True)]


def _entry(runtime: Runtime, found: list[tuple[float, float]]) -> dict:
    wall, cpu = zip(*found, strict=True)
    return {
        "name": runtime.isa,
        "wall_ms": round(1e3 * statistics.median(wall), 3),
        "cpu_ms": round(1e3 * statistics.median(cpu), 3),
        "cpu_ms_least": round(1e3 * min(cpu), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", help="a .hourbit file; random weights without one")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--onnx", action="store_true", help="ONNX Runtime on the exported graph too")
    arguments = parser.parse_args()
    model: Model = read_model(arguments.model) if arguments.model else random_model("random", Architecture(16))
    runtimes: list[Runtime] = [PackedRuntime(model, isa) for isa in available_isas()]
    if arguments.onnx:
        runtimes.append(open_runtime(model, "onnx"))
    print(json.dumps({"model": model.name, "rounds": arguments.rounds, "entries": measure(runtimes, arguments.rounds)}))


if __name__ == "__main__":
    main()
