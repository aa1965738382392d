"""What goes wrong is told in one sentence that ends with a full stop and says what helps; read from the source."""

from __future__ import annotations

import ast
import re

import pytest

from tests.sentences import forms, literals
from tests.source_tree import PACKAGES, ROOT, python_files, tree

# Parts of a sentence that another error of the same room puts together.
PARTS = (
    "engine/torch7.py", "engine/torch7_graph.py", "engine/torch7_network.py", "engine/layouts/mirror.py",
    "engine/peers.py",
)  # fmt: skip
HELPS = re.compile(r";|\bmust\b|\bneeds?\b|such as|, or |\buse one of\b")


def kinds() -> set[str]:
    """Names of UserError and of all classes below it."""
    classes = [node for path in python_files(*PACKAGES) for node in ast.walk(tree(path))
               if isinstance(node, ast.ClassDef)]  # fmt: skip
    found = {"UserError"}
    while True:
        below = {c.name for c in classes if {ast.unparse(base).split(".")[-1] for base in c.bases} & found}
        if below <= found:
            return found
        found |= below


def sentences() -> list[tuple[str, str]]:
    """(place, text with {0} for values) of everything that is raised as a sentence for people."""
    errors, found = kinds(), []
    for path in python_files(*PACKAGES):
        place = path.relative_to(ROOT).as_posix()
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and node.args and place not in PARTS:
                func = node.func
                name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
                if name in errors:
                    found += [(f"{place}:{node.lineno}", text) for one in literals(node.args[0]) for text in forms(one)]
    return [(place, text) for place, text in found if re.search(r"[A-Za-z]{2}", re.sub(r"\{\d+\}", "", text))]


def wrong(text: str) -> str:
    """What is wrong with a sentence, "" where nothing is."""
    if not text.endswith((".", "}")):
        return "no full stop"
    if re.search(r"[.!?] [A-Z]", text):
        return "two sentences"
    return "" if HELPS.search(text) else "no remedy"


def test_every_error_is_one_sentence_with_a_remedy() -> None:
    found = sentences()
    assert len(found) > 400
    assert not [f"{wrong(text)}: {place}: {text}" for place, text in found if wrong(text)]


@pytest.mark.parametrize(("text", "what"), [
    ("There is no file {0}; check its place.", ""), ("The side must be 64, not {0}.", ""),
    ("There is no file {0}; check its place", "no full stop"), ("It failed. Try again; it may work.", "two sentences"),
    ("Models stay as they are.", "no remedy"),
])  # fmt: skip
def test_what_counts_as_wrong(text: str, what: str) -> None:
    assert wrong(text) == what
