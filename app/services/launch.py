"""How the training worker is started: its command line and environment, for the window and for the command line."""

from __future__ import annotations

import os
from importlib import util
from pathlib import Path

from engine.errors import UserError

COMMAND = ("-P", "-u", "-m", "engine.train.worker")
LONGEST_LINE = 64 << 10  # bytes of a record, by the protocol
QT_OF_OPENCV = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")


def environment() -> dict[str, str]:
    """The worker's environment: it finds our packages even in a checkout that is not installed."""
    root = str(Path(__file__).resolve().parents[2])
    known = os.environ.get("PYTHONPATH")
    cleaned = {name: value for name, value in os.environ.items() if name not in QT_OF_OPENCV}
    return cleaned | {"PYTHONPATH": os.pathsep.join([root, known] if known else [root])}


def need_torch() -> None:
    """Raise UserError where the worker could not train."""
    if util.find_spec("torch") is None:  # found, not imported: this process never holds it
        raise UserError('Training needs PyTorch, which is not installed; add it with: pip install "hourbit[train]".')
