"""`python -m engine.train.run DATA... --schema S --out RUN`: a training without the app, made for torchrun.

Its records are those of the worker, one JSON object a line on stdout; under torchrun only the first process prints.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.setting import setting
from engine.train.worker import Channel


class Orders:
    """SIGINT and SIGTERM ask for an end in good order."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()
        self.stopping = False

    def stop(self, *_: object) -> None:
        """As a signal's handler; the second one ends at once."""
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        self.stopping = True


def main(arguments: list[str] | None = None) -> int:
    """Train as the arguments say; returns the exit code: 0 done, 2 a user's error."""
    asked = _parser().parse_args(arguments)
    orders = Orders()
    signal.signal(signal.SIGINT, orders.stop)
    signal.signal(signal.SIGTERM, orders.stop)
    from engine.train.run import run, silent

    try:
        first = os.environ.get("RANK", "0") == "0"
        run(_start_line(asked), Channel(sys.stdout.buffer).send if first else silent, orders)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine.train.run", description="Train a network.")
    parser.add_argument("data", nargs="+", type=Path, help="packs, data sets, or: samples")
    parser.add_argument("--format", dest="form", help="of the data; else by its look")
    parser.add_argument("--schema", required=True, help="names of the landmarks")
    parser.add_argument("--out", required=True, type=Path, help="folder of the run")
    parser.add_argument("--recipe", help="name or .toml file")
    parser.add_argument("--from", dest="origin", type=Path, help="model file to go on from")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--resume", action="store_true", help="go on from the run's last checkpoint")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--threads", type=int, default=1, help="of one process's arithmetic")
    parser.add_argument("--workers", type=int, help="threads that make batches ahead")
    return parser


def _start_line(asked: argparse.Namespace) -> dict[str, Any]:
    return {
        "snapshot": [str(path) for path in asked.data], "schema": asked.schema, "out": str(asked.out),
        "recipe": asked.recipe, "from": str(asked.origin) if asked.origin else None,
        "settings": dict(setting(text) for text in asked.settings),
        "resume": asked.resume, "seed": asked.seed, "device": asked.device, "threads": asked.threads,
        "workers": asked.workers, "format": asked.form,
    }  # fmt: skip
