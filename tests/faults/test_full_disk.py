"""A disk without room: the edit is refused with a sentence, nothing that was kept is lost, and work goes on later.

The size limit of a process (RLIMIT_FSIZE) makes writes fail as a full disk does; a small tmpfs is a real one, where
the system lets us mount it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.project.document import Document
from app.project.edits import Accept, Batch, PutInstance
from tests.app.projects import instance, new_document, put

ROOT = Path(__file__).parents[2]
CHILD = """
import json, os, resource, shutil, sys
from pathlib import Path
from app.project.document import Document
from app.project.edits import PutInstance
from app.project.snapshot import snapshot
from app.settings import Settings
from engine.errors import UserError
from tests.app.projects import instance

path, filler = Path(sys.argv[1]), sys.argv[2]

def limit(full):
    if filler:
        if full:
            with open(filler, "wb", buffering=0) as file:
                try:
                    while file.write(bytes(512)):
                        pass
                except OSError:
                    pass
        else:
            os.unlink(filler)
        return
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    room = os.path.getsize(f"{path}-wal") + 12_000 if full else hard
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))

def said(what, act):
    try:
        act()
    except UserError as error:
        print(json.dumps({"refused": what, "sentence": str(error)}))
        return False
    return True

document = Document.open(path)
document.annotator = "x"
image = document.images()[0].id
document.apply(PutInstance(instance(image, 1)))
settings = Settings(path.with_name("settings.json"))
settings.set("kept", "before")
limit(True)
for n in range(400):
    if not said("edit", lambda: document.apply(PutInstance(instance(image, n)))):
        break
    print(json.dumps({"kept": document.revision}))
before = document.revision, len(document.instances(image))
said("undo", lambda: [document.undo() for _ in range(400)])
said("copy", lambda: document.copy_to(path.with_name("copy.hourbit-project")))
said("snapshot", lambda: snapshot(document, path.with_name("snapshot.npz")))
settings.set("big", "x" * 1_000_000)
limit(False)
while document.redo():
    pass
print(json.dumps({"back": document.apply(PutInstance(instance(image, 999))).revision,
                  "count": len(document.instances(image))}))
document.close()
"""


def run(path: Path, filler: str = "") -> list[dict]:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(path), filler], cwd=ROOT, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(path: Path, said: list[dict]) -> None:
    refused = {line["refused"]: line["sentence"] for line in said if "refused" in line}
    assert {"edit", "copy", "snapshot"} <= set(refused)
    for sentence in refused.values():
        assert sentence.endswith(".") and "space" in sentence, sentence
    (last,) = (line for line in said if "back" in line)
    kept = [line["kept"] for line in said if "kept" in line]
    assert kept == sorted(kept)
    document = Document.open(path)
    try:
        assert document.check() == [] and document.revision == last["back"]
        assert len(document.instances(document.images()[0].id)) == last["count"] >= len(kept) + 1
    finally:
        document.close()
    assert json.loads(path.with_name("settings.json").read_text())["kept"] == "before"
    left = sorted(p.name for p in path.parent.iterdir() if p.is_file())
    assert left == ["settings.json", "test.hourbit-project"]  # nothing half made


def project(folder: Path) -> Path:
    """Large enough that no copy of it fits where an edit does not."""
    document = new_document(folder)
    first, second = (image.id for image in document.images()[:2])
    document.apply(Batch(tuple(PutInstance(instance(first, n)) for n in range(150)), "Many"))
    put(document, second)
    document.apply(Accept(second))
    document.close()
    return document.path


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_a_process_that_may_write_no_more(tmp_path: Path) -> None:
    path = project(tmp_path)
    check(path, run(path))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.name != "posix" or os.geteuid() or subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True
    ).returncode:  # fmt: skip
        pytest.skip("no disks can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_is_full(small_disk: Path) -> None:
    path = project(small_disk)
    check(path, run(path, str(small_disk / "filler")))
