"""The training process: JSON lines on stdin and stdout. Its end of stdin is its end.

One object a line. In: start{snapshot: [packs], recipe, settings, from, schema, out, seed, resume, name, date,
threads, workers, device, nice, task}, then pause, resume, stop. Out: hello, heartbeat, notice{text}, progress, metric,
checkpoint, heard{order} at once after each order, finishing, sample{path}, done{model, sha256, metrics}, error{kind:
user or bug, text}. The task `gradients` measures instead of training (engine.train.gradients).
"""

from __future__ import annotations

import json
import math
import os
import sys
import threading
import time
import traceback
from dataclasses import dataclass, field
from typing import IO, Any

from engine.errors import UserError
from engine.train.starting import read_start

HEARTBEAT = 2.0  # seconds
LONGEST_LINE = 64 << 10
GONE = 3  # exit code after the end of stdin


@dataclass
class Channel:
    """Writes records, from any thread."""

    file: IO[bytes]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, type: str, **values: Any) -> None:
        """One record; numbers that JSON does not know become null."""
        line = json.dumps({"type": type, **_plain(values)}, allow_nan=False).encode() + b"\n"
        if len(line) > LONGEST_LINE:
            raise ValueError(f"record {type} is {len(line)} bytes")
        with self.lock:
            self.file.write(line)
            self.file.flush()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return round(value, 8) if math.isfinite(value) else None
    return value


class Orders:
    """What the other side asks for while training runs."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()
        self.stopping = False

    def listen(self, lines: IO[bytes], channel: Channel) -> None:
        """Follow orders to the end of stdin, which ends this process: nobody is left to hear its result."""
        while line := lines.readline(LONGEST_LINE):
            try:
                kind = json.loads(line).get("type")
            except (ValueError, AttributeError, RecursionError):
                continue
            if kind in ("pause", "resume", "stop"):
                channel.send("heard", order=kind)
            if kind == "pause":
                self.go.clear()
            elif kind == "resume":
                self.go.set()
            elif kind == "stop":
                self.stopping = True
                self.go.set()
        os._exit(GONE)  # checkpoints are atomic, so there is nothing to tidy


def main() -> int:
    """Serve one training; returns the exit code."""
    protocol = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print goes to the log
    channel, lines = Channel(protocol), sys.stdin.buffer
    channel.send("hello", pid=os.getpid(), version=1)
    start = _start_line(lines)
    if start is None:
        channel.send("error", kind="user", text="The training got no start line; update Hourbit.")
        return 1
    if isinstance(start.get("nice"), int) and hasattr(os, "nice"):
        os.nice(start["nice"])  # before the threads begin: each has a priority of its own
    orders = Orders()
    threading.Thread(target=orders.listen, args=(lines, channel), daemon=True).start()
    threading.Thread(target=_beat, args=(channel,), daemon=True).start()
    try:
        read_start(start)  # what is wrong is said at once: PyTorch takes seconds to import, while heartbeats run
        if start.get("task") == "gradients":
            from engine.train.gradients import run
        else:
            from engine.train.run import run

        run(start, channel.send, orders)
        return 0
    except UserError as error:
        channel.send("error", kind="user", text=str(error))
    except Exception as error:  # whatever it is, the other side must hear of it
        traceback.print_exc()
        channel.send("error", kind="bug", text=f"The training failed: {type(error).__name__}: {error}."[:2000])
    return 1


def _start_line(lines: IO[bytes]) -> dict[str, Any] | None:
    try:
        start = json.loads(lines.readline(LONGEST_LINE))
    except (ValueError, RecursionError):
        return None
    return start if isinstance(start, dict) and start.get("type") == "start" else None


def _beat(channel: Channel) -> None:
    while True:
        time.sleep(HEARTBEAT)
        try:
            channel.send("heartbeat")
        except OSError:
            os._exit(GONE)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # threads of torch and ours hold nothing that must be closed
