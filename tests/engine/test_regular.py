"""Files that others name: ordinary ones are read, what would never answer or never end is told at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.regular import open_regular, read_regular


def test_an_ordinary_file_and_a_link_to_it_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"\x00one\r\n\x1atwo")
    os.symlink("a.bin", tmp_path / "b.bin")
    assert read_regular(tmp_path / "a.bin") == read_regular(tmp_path / "b.bin") == b"\x00one\r\n\x1atwo"
    with open_regular(tmp_path / "a.bin") as file:
        assert file.read(4) == b"\x00one"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_that_nobody_writes_to_is_told_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(OSError, match="a pipe or a device"):
        open_regular(tmp_path / "pipe.png")


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="needs a device without an end")
def test_a_link_to_a_device_without_an_end_is_told_at_once(tmp_path: Path) -> None:
    os.symlink("/dev/zero", tmp_path / "endless.png")
    with pytest.raises(OSError, match="a pipe or a device"):
        read_regular(tmp_path / "endless.png")


def test_folders_and_missing_files_are_told_as_ever(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "nowhere.png")
