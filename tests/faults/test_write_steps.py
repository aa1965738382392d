"""Cut off at each step of every kind of writing: afterwards there is the old or the new, and nothing beside it.

A child is ended before its n-th call that touches the disk, n = 1, 2, ... until it comes through; then what lies there
is looked at as the next start does.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.files import atomic_folder, atomic_write, computer, data_folder, sweep
from app.project.backups import backups, restore
from app.project.document import Document
from app.project.edits import Accept, Migrate, PutInstance
from app.project.snapshot import snapshot
from app.settings import Settings
from engine.packs import load_pack
from engine.schema import load_schema
from tests.app.projects import instance, new_document, put

TOUCHING = {"open", "os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "os.chmod", "sqlite3.connect",
            "shutil.copyfile", "os.truncate", "os.utime"}  # fmt: skip
MOST = 120


def cut_off(act: Callable[[], object], n: int) -> bool:
    """Run in a child that ends before its n-th touch of the disk; whether it came through."""
    pid = os.fork()
    if not pid:
        count = 0

        def hook(event: str, details: tuple) -> None:
            nonlocal count
            if event in TOUCHING:
                count += 1
                if count == n:
                    os._exit(7)

        try:
            sys.addaudithook(hook)
            act()
        finally:
            os._exit(0 if sys.exc_info()[0] is None else 1)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, 7)
    return code == 0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    document = new_document(tmp_path)
    held = put(document, document.images()[0].id)
    document.apply(PutInstance(held.with_point(0, 1, 1), "Move"))
    document.apply(Accept(held.image))
    document.close()
    return document.path


OLD = sorted((Path(__file__).parents[1] / "app" / "versions").glob("*.hourbit-project"))


def state(path: Path) -> tuple:
    document = Document.open(path)
    try:
        assert document.check() == []
        return document.images(), [document.instances(i.id) for i in document.images()], document.schema
    finally:
        document.close()


def steps(act: Callable[[], object], look: Callable[[], None]) -> int:
    """Cut an act off at each step; how many there are."""
    for n in range(1, MOST):
        if cut_off(act, n):
            look()
            return n - 1
        look()
    raise AssertionError("it has no end")


def edit(path: Path) -> None:
    document = Document.open(path)
    document.apply(PutInstance(instance(document.images()[0].id, 3)))
    document.close()


def migrate(path: Path) -> None:
    document = Document.open(path)
    document.apply(Migrate(load_schema("mpii16"), tuple(reversed(range(16)))))
    document.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
class TestEachStep:
    def test_an_edit_with_its_backup(self, project: Path) -> None:
        before = state(project)

        def look() -> None:
            now = state(project)
            assert now[0] == before[0] and set(before[1][0]) <= set(now[1][0])

        assert steps(lambda: edit(project), look) > 5
        for backup in backups(project):
            assert state(backup.path)[0] == before[0]

    def test_a_change_of_the_schema(self, project: Path) -> None:
        old, new = state(project)[1][0][0].points.tolist(), None
        new = old[::-1]

        def look() -> None:
            assert state(project)[1][0][0].points.tolist() in (old, new)

        assert steps(lambda: migrate(project), look) > 3

    @pytest.mark.parametrize("old", OLD, ids=lambda path: path.stem)
    def test_a_project_of_an_earlier_version(self, old: Path, tmp_path: Path) -> None:
        path = Path(shutil.copy(old, tmp_path / "old.hourbit-project"))
        expected = state(path)
        shutil.copy(old, path)

        def look() -> None:
            assert state(path) == expected
            shutil.copy(old, path)

        assert steps(lambda: Document.open(path).close(), look) > 3

    def test_a_copy(self, project: Path, tmp_path: Path) -> None:
        target, before = tmp_path / "kept" / "copy.hourbit-project", state(project)
        target.parent.mkdir()

        def act() -> None:
            document = Document.open(project)
            document.copy_to(target)
            document.close()

        def look() -> None:
            if target.exists():
                assert state(target)[:2] == before[:2]
                target.unlink()
            sweep(target.parent)
            assert list(target.parent.iterdir()) == []

        assert steps(act, look) > 3

    def test_a_restored_backup(self, project: Path) -> None:
        old = state(project)
        edit(project)
        new = state(project)
        backup = backups(project)[-1]
        assert state(backup.path)[:2] == old[:2]

        def look() -> None:
            assert state(project)[:2] in (old[:2], new[:2])
            asides = sorted(project.parent.glob("*set aside*.hourbit-project"))
            if state(project)[:2] == old[:2]:
                assert asides and state(asides[0])[:2] == new[:2]
            assert not list(project.parent.glob(".*part*"))

        assert steps(lambda: restore(project, backup), look) > 5

    def test_a_new_project(self, tmp_path: Path) -> None:
        place = tmp_path / "new.hourbit-project"

        def act() -> None:
            Document.create(place, load_schema("mpii16"), "New").close()

        def look() -> None:
            if place.exists():
                assert state(place)[0] == []
                place.unlink()

        assert steps(act, look) > 3
        assert list(tmp_path.iterdir()) == []

    def test_a_snapshot_for_training(self, project: Path, tmp_path: Path) -> None:
        target = tmp_path / "run" / "set.npz"
        target.parent.mkdir()

        def act() -> None:
            document = Document.open(project)
            snapshot(document, target)
            document.close()

        def look() -> None:
            if target.exists():
                assert len(load_pack(target)) == 1
                target.unlink()
            sweep(target.parent)
            assert list(target.parent.iterdir()) == []

        assert steps(act, look) > 4

    def test_settings_files_and_folders(self, tmp_path: Path) -> None:
        file, folder = data_folder() / "settings.json", tmp_path / "set"
        Settings(file).set("a", 1)

        def act() -> None:
            Settings(file).set("a", 2)
            atomic_write(tmp_path / "labels.json", b"{}" * 100)
            with atomic_folder(folder) as place:
                for n in range(3):
                    (place / f"{n}.txt").write_bytes(b"whole")

        def look() -> None:
            assert json.loads(file.read_text())["a"] in (1, 2)
            for place in (file.parent, tmp_path):
                sweep(place)
            assert not (tmp_path / "labels.json").exists() or (tmp_path / "labels.json").stat().st_size == 200
            assert not folder.exists() or [p.read_bytes() for p in sorted(folder.iterdir())] == [b"whole"] * 3
            assert {p.name for p in tmp_path.iterdir()} <= {"labels.json", "set"}
            if folder.exists():
                for file_ in folder.iterdir():
                    file_.unlink()
                folder.rmdir()

        assert steps(act, look) > 10


def test_files_of_a_program_that_still_runs_are_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / f".x.{os.getpid():x}-0123{computer()}.part"
    others = [f".x.7fffffff-0123{computer()}.part", f".x.7fffffff-0123{computer()}.part-journal"]
    elsewhere = f".x.7fffffff-0123{int(computer(), 16) ^ 1:04x}.part"  # of another computer on the same disk
    strangers = ["x.part", ".hidden", ".x.part", elsewhere]
    for name in (mine.name, *others, *strangers):
        (tmp_path / name).write_bytes(b"x")
    sweep(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {mine.name, *strangers}
