"""Hourbit's engine: pixels in, landmarks out.

`load_model` opens a model by name or file; `Predictor` finds landmarks in pictures with it. Both are
imported when first used, so that `import engine` costs nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.predictor import Predictor
    from engine.runtime import Runtime

__all__ = ["Predictor", "load_model"]


def load_model(name_or_path: str | Path, runtime: str = "packed", threads: int = 1) -> Runtime:
    """Open a model: the name of one that ships, or the path of a .hourbit or .onnx file (engine.external).

    Raises UserError where there is no such model, it is damaged, or the runtime is unknown.
    """
    from engine.models import open_model
    from engine.runtime import open_runtime

    return open_runtime(open_model(_find(name_or_path)), runtime, threads)


def _find(name_or_path: str | Path) -> Path:
    from importlib import resources

    from engine.errors import UserError

    path = Path(name_or_path)
    if path.is_file():
        return path
    shipped = resources.files("resources") / "models"
    if shipped.is_dir():
        found = Path(str(shipped)) / f"{name_or_path}.hourbit"
        if path.name == str(name_or_path) and found.is_file():
            return found
        names = sorted(p.name.removesuffix(".hourbit") for p in shipped.iterdir() if p.name.endswith(".hourbit"))
    else:
        names = []
    known = f" or one of {', '.join(names)}" if names else ""
    raise UserError(f"There is no model {str(name_or_path)!r}; give the path of a .hourbit file{known}.")


def __getattr__(name: str) -> Any:
    if name == "Predictor":
        from engine.predictor import Predictor

        return Predictor
    raise AttributeError(f"module 'engine' has no attribute {name!r}")
