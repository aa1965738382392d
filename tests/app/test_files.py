"""Files are written whole or not at all, and names stay in their folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.files import atomic_write, data_folder, refuse_inputs, shortened
from engine.errors import UserError
from tests.source_tree import python_files


def test_the_data_folder_is_where_hourbit_home_says_and_is_made(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HOURBIT_HOME", str(tmp_path / "a" / "b"))
    assert data_folder() == tmp_path / "a" / "b" and data_folder().is_dir()
    monkeypatch.delenv("HOURBIT_HOME")
    monkeypatch.setattr("platformdirs.user_data_dir", lambda *a, **k: str(tmp_path / "system"))
    assert data_folder() == tmp_path / "system"


def test_a_data_folder_that_cannot_be_made_is_no_reason_to_stop(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("HOURBIT_HOME", str(tmp_path / "file" / "home"))
    assert data_folder() == tmp_path / "file" / "home"


def test_a_file_is_replaced_with_its_permissions_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    atomic_write(path, b"old")
    if os.name != "nt":
        path.chmod(0o640)
    atomic_write(path, b"new")
    assert path.read_bytes() == b"new" and list(tmp_path.iterdir()) == [path]
    if os.name != "nt":
        assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_new_file_gets_the_permissions_that_files_get_here(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    atomic_write(tmp_path / "ours", b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("name", ["x" * 250, "ä" * 120, "a.b.part", ".hidden"])
def test_long_and_odd_names_can_be_written(tmp_path: Path, name: str) -> None:
    atomic_write(tmp_path / name, b"data")
    assert (tmp_path / name).read_bytes() == b"data"


@pytest.mark.parametrize("target", ["no folder/a.txt", ".", "x" * 300])
def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path, target: str) -> None:
    with pytest.raises(UserError, match="cannot be written"):
        atomic_write(tmp_path / target, b"data")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failing", ["os.fsync", "os.replace"])
def test_a_disk_that_refuses_leaves_the_old_file(tmp_path: Path, monkeypatch, failing: str) -> None:
    path = tmp_path / "a.txt"
    atomic_write(path, b"old")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(failing, refuse)
    with pytest.raises(UserError, match="No space left"):
        atomic_write(path, b"new")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


CHILD = """
import os, sys, builtins
from pathlib import Path
import app.files
count = int(sys.argv[2])
def counted(call):
    def wrapped(*args, **kwargs):
        global count
        count -= 1
        if count < 0:
            os._exit(9)
        return call(*args, **kwargs)
    return wrapped
for name in ("fsync", "replace", "chmod", "open"):
    setattr(os, name, counted(getattr(os, name)))
app.files.open = counted(open)
app.files.atomic_write(Path(sys.argv[1]), b"new" * 1000)
os._exit(0)
"""


def test_death_at_any_step_leaves_the_old_file_or_the_new(tmp_path: Path) -> None:
    path, seen = tmp_path / "a.txt", []
    for step in range(20):
        path.write_bytes(b"old" * 1000)
        done = subprocess.run(
            [sys.executable, "-c", CHILD, str(path), str(step)], cwd=Path(__file__).parents[2], timeout=60
        )
        seen.append(path.read_bytes()[:3])
        assert path.read_bytes() in (b"old" * 1000, b"new" * 1000)
        if done.returncode == 0:
            break
    assert done.returncode == 0 and len(seen) >= 4 and seen[0] == b"old" and seen[-1] == b"new"


def test_a_result_does_not_replace_what_is_read(tmp_path: Path, monkeypatch) -> None:
    """By the same name, through a link, or from the folder itself."""
    (tmp_path / "a.jpg").write_bytes(b"picture")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "a.jpg")
    os.link(tmp_path / "a.jpg", tmp_path / "hard.jpg")
    monkeypatch.chdir(tmp_path)
    for name in ("a.jpg", "link.jpg", "hard.jpg", "../" + tmp_path.name + "/a.jpg"):
        with pytest.raises(UserError, match="would replace"):
            refuse_inputs(Path(name), [tmp_path / "other.jpg", tmp_path / "a.jpg"])
    refuse_inputs(Path("b.jpg"), [tmp_path / "a.jpg", tmp_path / ("x" * 300), Path("zero\0byte")])
    with pytest.raises(UserError, match="would replace"):
        refuse_inputs(Path("a.jpg"), [Path("zero\0byte"), tmp_path / ("x" * 300), tmp_path / "a.jpg"])


def test_an_empty_path_is_a_sentence(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="cannot be written"):
        atomic_write("", b"data")
    assert list(tmp_path.iterdir()) == []


def test_a_long_name_is_shortened_by_bytes_and_stays_its_own() -> None:
    assert shortened("Faces", 20) == "Faces"
    one, other = (shortened("\u4eba" * 80 + end, 100) for end in "ab")
    assert one != other and one.startswith("\u4eba" * 30)
    assert all(len(os.fsencode(name)) <= 100 for name in (one, other))
    assert len(os.fsencode(shortened(os.fsdecode(b"\xff" * 250), 100))) <= 100


@pytest.mark.parametrize("path", python_files("app"), ids=lambda p: p.name)
def test_whether_a_file_is_there_is_asked_in_the_way_that_never_raises(path: Path) -> None:
    """Path.exists and its like raise where a disk is gone, a name is too long or a folder may not be looked into."""
    assert not re.findall(r"\.(?:exists|is_file|is_dir|is_symlink)\(\)", path.read_text("utf-8"))
