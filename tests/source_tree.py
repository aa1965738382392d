"""What the architecture test reads of our own source: files, their imports, and who belongs to which room."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("app", "engine", "plugins", "resources")
OURS = (*PACKAGES, "tests", "benchmarks")


@dataclass(frozen=True)
class Import:
    """One imported name: the dotted module (with the name, where that is a module of ours), its line, and when."""

    module: str
    line: int
    typing_only: bool


def python_files(*folders: str) -> list[Path]:
    """Our Python files in these folders of the repository, sorted; a folder may be one file."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    found += [ROOT / folder for folder in folders if folder.endswith(".py")]
    return sorted(path for path in found if "__pycache__" not in path.parts)


def module_name(path: Path) -> str:
    """engine/runtime/__init__.py -> engine.runtime."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def is_module(name: str) -> bool:
    place = ROOT.joinpath(*name.split("."))
    return place.with_suffix(".py").is_file() or place.is_dir()


def imports(path: Path) -> list[Import]:
    """Everything a file imports, at the top, inside functions, and for type checkers only."""
    return list(_walk(tree(path), False))


def _walk(node: ast.AST, typing_only: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            for inner in child.body:
                yield from _named(inner, True)
            continue
        yield from _named(child, typing_only)
        yield from _walk(child, typing_only)


def _named(node: ast.AST, typing_only: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(alias.name, node.lineno, typing_only)
    elif isinstance(node, ast.ImportFrom):
        base = "." * node.level + (node.module or "")
        for alias in node.names:
            inner = f"{base}.{alias.name}"
            ours = base.split(".")[0] in PACKAGES and is_module(inner)
            yield Import(inner if ours else base, node.lineno, typing_only)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node
