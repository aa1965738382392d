"""Models of either kind by their file: Hourbit's own, and other makers' networks."""

from __future__ import annotations

from pathlib import Path

from engine.external import SUFFIX, ExternalModel, read_external
from engine.modelfile import Model, read_model

AnyModel = Model | ExternalModel
SUFFIXES = (".hourbit", SUFFIX)  # what a library holds
FILES = (*SUFFIXES, ".t7")  # what one can take in; see engine.torch7_network


def open_model(path: str | Path) -> AnyModel:
    """Read and check a model file; raises UserError, or OSError where it cannot be opened."""
    path = Path(path)
    return read_external(path) if path.suffix.lower() == SUFFIX else read_model(path)
