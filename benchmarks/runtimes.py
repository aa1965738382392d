"""The engine against its peers, one JSON value on stdout: what `hourbit bench --peers --sizes --json` gives.

    python benchmarks/runtimes.py [MODEL.hourbit] [--rounds N] [--threads N] [--no-peers]

Method:

- Without a model: random weights at 256 x 256, 256 wide, 16 landmarks. Speed does not depend on the weights.
- Every contender runs the same crop once for warmth, then all take turns, `rounds` times, one after the other in
  one process. So a neighbour's load, heat and clock fall on all of them alike.
- Figures are medians of wall time and of the process's CPU time. Compare CPU times, and only as ratios within one
  run: on a loaded machine wall medians of the same code differ by half, and where two logical processors share a
  core, CPU times do so too.
- Peers: the twin, which has floats for signs and the same multiply-accumulates, in ONNX Runtime at
  full graph optimisation and in OpenVINO, float32 each; and OpenVINO's BinaryConvolution on our graph, where a
  threshold in two levels stands for batch-norm and sign. A peer that is not installed is named under "absent".
- `gmac_per_s` is the whole network's multiply-accumulates, of bits and real ones, over the CPU median. A ratio to
  the twin counts only where the twin runs at the rate that its core can give: about 54 on Zen 4 at 3.6 GHz, more
  on processors with two 512-bit multipliers.
- Stages: time of each kind of step inside the packed engine, in CPU time of its thread, medians of 9 runs. The
  bound is what a convolution's three instructions (exclusive or, population count, addition; with AVX2 shuffle
  and addition; with AMX products of tiles) reach on registers alone, measured on the same core just before. A
  convolution stays below it by its scale, additions, maxima, thresholds and stores; those of 32 and 64 channels
  the most, since they have the fewest products for each value that they write.
- Sizes: the packed engine at other sides, widths and numbers of landmarks, with picoseconds for each MAC.
- Keep one thread of ONNX Runtime, OpenVINO and OpenBLAS busy at most: the script sets OMP_NUM_THREADS.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", help="a .hourbit file; random weights without one")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--no-peers", action="store_true")
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        path = arguments.model or _random(Path(folder) / "random.hourbit")
        words = ["bench", str(path), "--rounds", str(arguments.rounds), "--threads", str(arguments.threads)]
        words += ["--sizes", "--json"] if arguments.no_peers else ["--peers", "--sizes", "--json"]
        environment = os.environ | {"OMP_NUM_THREADS": str(arguments.threads)}
        return subprocess.run([sys.executable, str(ROOT / "main.py"), *words], env=environment).returncode


def _random(path: Path) -> Path:
    sys.path.insert(0, str(ROOT))
    from engine.graph import Architecture
    from engine.modelfile import write_model
    from engine.random_model import random_model

    write_model(path, random_model("random", Architecture(16)))
    return path


if __name__ == "__main__":
    sys.exit(main())
