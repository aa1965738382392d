"""Sentences that rooms below the window make and people read in it: of errors, of labels' problems, of losses.

They are found in the source, with {0}, {1} ... for values, as `app.views.words.told` meets them with values in.
"""

from __future__ import annotations

import ast
import builtins
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from tests.source_tree import ROOT, python_files, tree

ROOMS = ("app", "engine", "plugins")
# What speaks to whoever typed a command or wrote the program, never in the window.
ELSEWHERE = (
    "app/views", "app/commands", "app/cli.py", "engine/ablation.py", "engine/architecture.py", "engine/box_files.py",
    "engine/features.py", "engine/peers.py", "engine/setting.py", "engine/samples.py", "engine/train/gradients.py",
    "engine/train/recipes.py", "engine/train/distributed.py", "engine/train/datasets.py",
    "engine/train/detector_run.py",
)  # fmt: skip
ERRORS = ("Error", "Outdated", "Busy", "Unwritable", "ReadOnly", "Cancelled", "Unfit", "Refused")
FOR_PROGRAMMERS = set(vars(builtins))  # ValueError and the like
# Calls that make a sentence of their arguments: name -> which of them people read.
TELLING = {
    "Problem": (0, 1), "add": (1,), "_note": (2,), "refuse": (0, 1, 2, 3), "fail": (0,), "_fail": (0,),
    "_fallback": (1,), "_say": (0,), "_heard": (2,),
}  # fmt: skip
TOLD_NAMES = {"title", "notice"}  # what stands behind these is told too
TELLERS = (  # all their texts are told
    "app/project/edits.py", "app/services/training.py", "app/formats/report.py", "engine/train/precision.py",
    "app/services/grabber.py", "app/services/seeing.py", "app/services/recording.py", "app/services/preparing.py",
)  # fmt: skip
MOST_FORMS = 8  # of one f-string, by what its choices are
LETTERS = re.compile(r"[^\W\d_]{2,}")


def forms(node: ast.AST) -> list[str]:
    """What a text may be: of an f-string one for each choice in it, values as {0}, {1} ...; [] for what is no text."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if not isinstance(node, ast.JoinedStr):
        return []
    choices = [_part(value) for value in node.values]
    if len(list(itertools.product(*choices))) > MOST_FORMS:
        choices = [part if len(part) == 1 else [None] for part in choices]
    found = []
    for parts in itertools.product(*choices):
        holes = itertools.count()
        found.append("".join(f"{{{next(holes)}}}" if part is None else part for part in parts))
    return found


def _part(value: ast.expr) -> list[str | None]:
    """The texts of one part of an f-string; None for a value that only running tells."""
    if isinstance(value, ast.Constant):
        return [str(value.value)]
    inner = value.value if isinstance(value, ast.FormattedValue) else value
    if isinstance(inner, ast.IfExp) and value.conversion == -1:
        return [*_part_of(inner.body), *_part_of(inner.orelse)]
    return [None]


def _part_of(node: ast.expr) -> list[str | None]:
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    return [None]


def literals(node: ast.AST) -> Iterator[ast.AST]:
    """The texts that an expression may be: both branches of a choice, the parts of a sum, of a list."""
    if forms(node):
        yield node
    elif isinstance(node, ast.IfExp):
        yield from (*literals(node.body), *literals(node.orelse))
    elif isinstance(node, (ast.BoolOp, ast.List, ast.Tuple)):
        for part in node.values if isinstance(node, ast.BoolOp) else node.elts:
            yield from literals(part)
    elif isinstance(node, ast.BinOp):
        yield from (*literals(node.left), *literals(node.right))
    elif isinstance(node, ast.Starred):
        yield from literals(node.value)


def below() -> list[Path]:
    """The files whose sentences reach the window."""
    return [path for path in python_files(*ROOMS) if not _name(path).startswith(ELSEWHERE)]


def told(path: Path) -> list[tuple[str, int]]:
    """Sentences of a file, each with its line."""
    found = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            found += [(text, node.lineno) for argument in _read(node) for text in _texts(argument)]
        elif isinstance(node, ast.Assign) and _target(node) in TOLD_NAMES:
            found += [(text, node.lineno) for text in _texts(node.value)]
        elif isinstance(node, ast.FunctionDef) and node.name in TELLING:
            found += [(text, node.lineno) for default in node.args.defaults for text in _texts(default)]
        elif _name(path) in TELLERS:
            found += [(text, node.lineno) for text in _told_as_it_stands(node)]
    return [(text, line) for text, line in found if _is_said(text)]


def _is_said(text: str) -> bool:
    """Whether there are words to translate; what names an option is for whoever types commands."""
    words = re.sub(r"\{\d+\}", "", text)
    return bool(LETTERS.search(words)) and "--" not in text and (" " in words.strip() or text.istitle())


def _read(call: ast.Call) -> list[ast.expr]:
    """Which arguments of a call people read."""
    func = call.func
    name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
    if name.endswith(ERRORS):
        return [] if name in FOR_PROGRAMMERS else call.args[:1]
    if name == "add" and not ast.unparse(func).endswith("problems.add"):
        return []
    return [call.args[n] for n in TELLING.get(name, ()) if n < len(call.args)]


def _texts(argument: ast.expr) -> list[str]:
    return [text for node in literals(argument) for text in forms(node)]


def _told_as_it_stands(node: ast.AST) -> list[str]:
    """Of a file that makes sentences only to be told: what its functions give, and what its names stand for."""
    if isinstance(node, (ast.Yield, ast.Return, ast.Assign, ast.AnnAssign)) and node.value is not None:
        return [text for text in _texts(node.value) if " " in text or text.istitle()]
    return []


def _target(node: ast.Assign) -> str:
    """The name of what is set: `self.notice = ...` -> notice."""
    first = node.targets[0]
    return first.attr if isinstance(first, ast.Attribute) else first.id if isinstance(first, ast.Name) else ""


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
