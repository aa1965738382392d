"""Projects that cannot be worked in: read from a copy that changes nothing, with the reason said."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from app.project import opening
from app.project.backups import backups, restore
from app.project.document import Document
from app.project.edits import Accept, Predicted, PutInstance, ReadOnly
from app.project.opening import Busy, Unwritable
from tests.app.projects import instance, new_document, put

ROOT = Path(__file__).parents[2]


def everything(document: Document) -> list:
    return [(image, document.instances(image.id)) for image in document.images()]


def bytes_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_project_that_is_open_elsewhere_can_be_read_with_its_last_edit(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    image = document.images()[0].id
    for n in range(5):
        put(document, image, n)
    with pytest.raises(Busy, match=f"process {os.getpid()}"):
        Document.open(document.path)
    copy = Document.read(document.path, "It is open elsewhere.")
    assert everything(copy) == everything(document) and copy.read_only == "It is open elsewhere."
    assert copy.path == document.path and copy.picture_path(copy.images()[0]).exists()
    put(document, image, 9)  # the first goes on, the copy stays as it was
    assert len(copy.instances(image)) == 5
    document.close()
    copy.close()


def test_a_copy_to_read_takes_no_edit_and_leaves_nothing_behind(tmp_path: Path, monkeypatch) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    document = new_document(tmp_path)
    image = document.images()[0].id
    held = put(document, image)
    document.close()
    before = bytes_in(tmp_path)
    copy = Document.read(document.path)
    assert len(list(temporary.iterdir())) == 1
    for edit in (Accept(image), PutInstance(held.with_point(0, 1, 1))):
        with pytest.raises(ReadOnly, match="open to read"):
            copy.apply(edit)
    other = copy.images()[1].id
    assert copy.apply(Predicted(other, (instance(other),))).images == frozenset()  # nobody asked for it: no noise
    assert copy.undo() is None and copy.redo() is None and copy.undo_title is None
    assert everything(copy)[0][1] == (held,)
    copy.close()
    assert bytes_in(tmp_path) == before and list(temporary.iterdir()) == []


def test_a_newer_project_is_refused_for_work_and_can_be_read(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    held = put(document, document.images()[0].id)
    document.close()
    with closing(sqlite3.connect(document.path)) as connection, connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(Unwritable, match="newer Hourbit"):
        Document.open(document.path)
    copy = Document.read(document.path)
    assert copy.instances(held.image) == (held,)
    copy.close()
    with closing(sqlite3.connect(document.path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (99,)


def test_a_project_in_a_folder_that_cannot_be_written_is_read_and_can_be_kept_elsewhere(tmp_path: Path) -> None:
    """As another user: root may write everywhere."""
    folder = tmp_path / "read only"
    folder.mkdir()
    document = new_document(folder)
    held = put(document, document.images()[0].id)
    document.close()
    code = (
        "import os, sys\n"
        "from app.project.document import Document\n"
        "from app.project.opening import Unwritable\n"
        "from engine.schema import load_schema\n"
        "load_schema('mpii16')\n"  # Python's own modules may lie where the other user may not look
        "if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "try: Document.open(sys.argv[1]); print('opened')\n"
        "except Unwritable as error: print('said', error)\n"
        "copy = Document.read(sys.argv[1])\n"
        "print(len(copy.instances(copy.images()[0].id)))\n"
        "from pathlib import Path\n"
        "print(copy.copy_to(Path(sys.argv[2]))); copy.close()\n"
    )
    document.path.chmod(0o444)
    folder.chmod(0o555)
    place = Path(tempfile.mkdtemp())
    place.chmod(0o777)
    parents = [parent for parent in folder.parents if parent.stat().st_mode & 0o005 != 0o005]
    modes = [parent.stat().st_mode for parent in parents]
    try:
        for parent in parents:
            parent.chmod(parent.stat().st_mode | 0o055)
        environment = os.environ | {"HOURBIT_HOME": str(place), "TMPDIR": str(place), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [sys.executable, "-c", code, str(document.path), str(place / "mine.hourbit-project")], cwd=ROOT,
            env=environment, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        said, count, kept = done.stdout.splitlines()
        assert said.startswith("said") and "cannot be" in said and count == "1"
        mine = Document.open(kept)
        assert mine.instances(held.image) == (held,)
        mine.close()
    finally:
        for parent, mode in zip(parents, modes, strict=True):
            parent.chmod(mode)
        folder.chmod(0o755)
        shutil.rmtree(place)


def test_what_changes_while_it_is_copied_gives_the_newest_backup(tmp_path: Path, monkeypatch) -> None:
    document = new_document(tmp_path)
    put(document, document.images()[0].id)
    document.close()
    document = Document.open(document.path)  # backed up here
    put(document, document.images()[0].id, 1)
    monkeypatch.setattr("app.project.reading._copied", lambda path, copy: False)
    copy = Document.read(document.path)
    assert len(copy.instances(copy.images()[0].id)) == 1 and "backup of 20" in copy.read_only
    copy.close()
    document.close()


def test_a_hundred_pairs_of_openers(tmp_path: Path) -> None:
    """The second is told who has it; once the first is killed the project opens at once."""
    document = new_document(tmp_path)
    document.close()
    code = (
        "import sys; from app.project.document import Document; d = Document.open(sys.argv[1]); "
        "print('open', flush=True); sys.stdin.read()"
    )
    for _ in range(3):
        first = subprocess.Popen(
            [sys.executable, "-c", code, str(document.path)], cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE
        )
        assert first.stdout.readline() == b"open\n"
        for _ in range(34):
            with pytest.raises(Busy, match=f"process {first.pid} on "):
                Document.open(document.path)
        first.kill()
        first.wait()
        first.stdout.close()
        first.stdin.close()
        Document.open(document.path).close()


# ---- the way back
def test_a_backup_comes_back_and_what_was_there_is_kept(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    image = document.images()[0].id
    first = put(document, image)
    document.close()
    document = Document.open(document.path)
    put(document, image, 1)
    document.close()
    (backup,) = backups(document.path)
    aside = restore(document.path, backup)
    again, kept = Document.open(document.path), Document.open(aside)
    assert again.instances(image) == (first,) and len(kept.instances(image)) == 2
    put(again, image, 2)
    again.close()
    kept.close()
    again = Document.open(document.path)  # another history of the same length is backed up as well
    again.close()
    assert len(backups(document.path)) == 2
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == [
        "test, set aside 1.hourbit-project", "test.hourbit-project",
    ]  # fmt: skip


def test_a_damaged_project_is_replaced_and_its_log_never_runs_into_the_backup(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    image = document.images()[0].id
    first = put(document, image)
    document.close()
    document = Document.open(document.path)
    for n in range(4):
        put(document, image, n)
    log = Path(f"{document.path}-wal").read_bytes()
    document.close()
    document.path.write_bytes(b"rubbish" * 5000)
    Path(f"{document.path}-wal").write_bytes(log)
    aside = restore(document.path, backups(document.path)[0])
    assert aside.read_bytes() == b"rubbish" * 5000 and Path(f"{aside}-wal").read_bytes() == log
    again = Document.open(document.path)
    assert again.instances(image) == (first,) and again.check() == []
    again.close()


def test_a_project_that_is_gone_comes_back_and_one_that_is_open_stays(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    document.close()
    document = Document.open(document.path)
    (backup,) = backups(document.path)
    with pytest.raises(Busy):
        restore(document.path, backup)
    document.close()
    document.path.unlink()
    assert restore(document.path, backup) is None
    Document.open(document.path).close()
    assert not opening.holder(document.path).exists() and not list(tmp_path.glob(".*"))
