"""Killed at any moment, or the power cut: every acknowledged edit is there, bit for bit, and no other.

A helper process forks one child a trial, so that a kill costs milliseconds: the child opens the project, makes
random edits without end, and acknowledges each. HOURBIT_KILLS sets how many children are killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from app.project.document import Document
from app.project.edits import (
    Accept,
    AddImages,
    Batch,
    Link,
    Migrate,
    NewImage,
    Predicted,
    PutInstance,
    Reject,
    Relink,
    RemoveInstance,
    SetTags,
)
from tests.app.projects import K, instance, new_document

KILLS = int(os.environ.get("HOURBIT_KILLS", "60"))
TORN = int(os.environ.get("HOURBIT_TORN", "120"))
ROOT = Path(__file__).resolve().parents[2]
LONGEST = 0.25  # seconds that a child lives at most
EDITS = (
    "add", "move", "move", "move", "move", "remove", "accept", "reject", "predict", "image", "undo", "undo", "redo",
    "tag", "relink", "migrate",
)  # fmt: skip


def step(document: Document, rng: np.random.Generator) -> None:
    """One random edit, the same for the same project and random state."""
    document.clock = lambda: 0.0  # what landmarks remember must not depend on when a trial runs
    images = document.images()
    seed, kind = int(rng.integers(1 << 30)), EDITS[rng.integers(len(EDITS))]
    image = images[rng.integers(len(images))].id if images else 0
    held = document.instances(image)
    if not images and kind not in ("undo", "redo"):
        kind = "image"
    if kind == "move" and held:
        place = rng.uniform(0, 100, 2)
        document.apply(PutInstance(held[0].with_point(int(rng.integers(K)), *place), f"Move {seed}"))
    elif kind == "remove" and held:
        document.apply(RemoveInstance(held[-1].id))
    elif kind == "predict":
        document.apply(Predicted(image, (instance(image, seed),), float(rng.uniform())))
    elif kind == "image" and len(images) < 12:
        added = AddImages((NewImage(f"frame {seed}.png", 160, 120, str(seed)),))
        document.apply(Batch((added, PutInstance(instance(0, seed))), "Add a frame"))
    elif kind == "tag":
        document.apply(SetTags(image, (f"tag {seed % 3}",)))
    elif kind == "relink":
        document.apply(Relink((Link(image, f"moved {seed}.png"),)))
    elif kind == "migrate":
        document.apply(Migrate(document.schema, tuple(int(k) for k in rng.permutation(K))))
    elif kind in ("accept", "reject"):
        document.apply(Accept(image) if kind == "accept" else Reject(image))
    elif kind in ("undo", "redo"):
        document.undo() if kind == "undo" else document.redo()
    else:
        document.apply(PutInstance(instance(image, seed), f"Add {seed}"))


def state(document: Document) -> tuple:
    """All that a project shows, and what undo and redo would do."""
    images = document.images()
    return images, [document.instances(i.id) for i in images], document.undo_title, document.redo_title


def serve() -> None:
    """The helper: for each line with a project and a seed, a child that edits until it is killed."""
    for line in sys.stdin:
        path, seed = line.rstrip("\n").rsplit(" ", 1)
        pid = os.fork()
        if not pid:
            document, rng = Document.open(path), np.random.default_rng(int(seed))
            while True:
                step(document, rng)
                os.write(1, f"{document.revision}\n".encode())
        print(f"child {pid}", flush=True)
        os.waitpid(pid, 0)
        print("gone", flush=True)


@dataclass
class Killer:
    """The helper as the test sees it."""

    process: subprocess.Popen

    def run(self, path: Path, seed: int, life: float) -> list[int]:
        """Let a child edit a project for a while, kill it; the revisions that it acknowledged."""
        self.process.stdin.write(f"{path} {seed}\n")
        self.process.stdin.flush()
        told: list[int] = []
        pid = 0
        while not pid:  # its first words may come before its number
            word = self.process.stdout.readline()
            assert word, "the helper ended"
            if word.startswith("child"):
                pid = int(word.split()[1])
            else:
                told.append(int(word))
        time.sleep(life)
        os.kill(pid, signal.SIGKILL)
        while (word := self.process.stdout.readline()) != "gone\n":
            assert word, "the helper ended"
            told.append(int(word))
        return told


@pytest.fixture
def killer() -> Iterator[Killer]:
    command = [sys.executable, str(Path(__file__).resolve())]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
    ) as process:  # fmt: skip
        yield Killer(process)
        process.stdin.close()
        assert process.wait(30) == 0


def replayed(base: Path, seed: int, revision: int) -> tuple:
    """What a project looks like after the same edits up to a revision, without a kill."""
    document, rng = Document.open(base), np.random.default_rng(seed)
    try:
        while document.revision < revision:
            step(document, rng)
        return state(document)
    finally:
        document.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_kills_at_any_moment_lose_nothing_that_was_acknowledged(tmp_path: Path, killer: Killer) -> None:
    document = new_document(tmp_path)
    document.close()
    base, rng, acknowledged = tmp_path / "base.hourbit-project", np.random.default_rng(), 0
    for trial in range(KILLS):
        seed = int(rng.integers(1 << 30))
        shutil.copy(document.path, base)
        told = killer.run(document.path, seed, float(rng.uniform(0, LONGEST)))
        acknowledged += len(set(told))
        again = Document.open(document.path)
        try:
            assert again.check() == [], f"trial {trial}, seed {seed}"
            last = max(told, default=again.revision)
            assert last <= again.revision <= last + 1 or not told, f"trial {trial}: {last} told, {again.revision} there"
            assert state(again) == replayed(base, seed, again.revision), f"trial {trial}, seed {seed}"
        finally:
            again.close()
    assert acknowledged > 3 * KILLS  # the children did work


def torn(log: bytes, rng: np.random.Generator) -> bytes:
    """A log as a power cut may leave it: cut off, scrambled or zeroed from somewhere on."""
    at = int(rng.integers(0, len(log)))
    match rng.integers(3):
        case 0:
            return log[:at]
        case 1:
            return log[:at] + rng.bytes(512) + log[at + 512 :]
        case _:
            return log[:at] + bytes(len(log) - at)


def test_a_torn_log_leaves_a_clean_prefix(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    document.close()
    document = Document.open(document.path)
    seen, rng = {document.revision: state(document)}, np.random.default_rng(7)
    while document.revision < 60:
        step(document, rng)
        seen[document.revision] = state(document)
    project, log = document.path.read_bytes(), Path(f"{document.path}-wal").read_bytes()
    document.close()
    copy, reached = tmp_path / "torn.hourbit-project", set()
    for trial in range(TORN):
        copy.write_bytes(project)
        Path(f"{copy}-wal").write_bytes(torn(log, rng))
        opened = Document.open(copy)
        try:
            assert opened.check() == [] and state(opened) == seen[opened.revision], f"trial {trial}"
            reached.add(opened.revision)
        finally:
            opened.close()
    assert len(reached) > 10  # the cuts fell everywhere


if __name__ == "__main__":
    serve()
