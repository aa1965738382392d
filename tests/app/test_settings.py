"""Settings survive damage, and a disk that refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from app.settings import Settings


def test_values_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "settings.json"
    settings = Settings(path)
    settings.set("name", "Ada")
    settings.set("sizes", [1, 2])
    again = Settings(path)
    assert again.get("name", "") == "Ada" and again.get("sizes", []) == [1, 2] and again.get("other", 5) == 5
    assert again.get("missing") is None


def test_what_was_given_stays_the_callers(tmp_path: Path) -> None:
    settings, recent = Settings(tmp_path / "s.json"), ["a"]
    settings.set("recent", recent)
    recent.append("b")
    assert settings.get("recent", []) == ["a"]
    settings.set("recent", recent)
    assert Settings(tmp_path / "s.json").get("recent", []) == ["a", "b"]


@pytest.mark.parametrize(
    ("value", "default", "wanted"),
    [("1", 1, 1), (1, 0.5, 1.0), (1.5, 0.5, 1.5), (True, 3, 3), (1, False, False), ([1], "", ""), (None, {}, {})],
)
def test_a_value_of_another_type_gives_way_to_the_default(tmp_path: Path, value, default, wanted) -> None:
    (tmp_path / "s.json").write_text(json.dumps({"key": value}))
    found = Settings(tmp_path / "s.json").get("key", default)
    assert found == wanted and type(found) is type(wanted)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe{}", b"[" * 100_000, b"null", b'{"a": 1}x'])
def test_a_damaged_file_is_kept_aside_and_defaults_serve(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "s.json"
    path.write_bytes(content)
    settings = Settings(path)
    assert settings.get("a", 7) == 7
    (kept,) = tmp_path.glob("s.json.damaged-*")
    assert kept.read_bytes() == content
    settings.set("a", 8)
    assert Settings(path).get("a", 7) == 8


def test_no_mutation_stops_the_start(tmp_path: Path) -> None:
    path, rng = tmp_path / "s.json", np.random.default_rng(0)
    whole = json.dumps({"recent": ["a"], "size": [1, 2], "dark": True, "n": 1.5}).encode()
    for _ in range(500):
        data = bytearray(whole)
        for _ in range(rng.integers(1, 4)):
            data[rng.integers(len(data))] = rng.integers(256)
        path.write_bytes(data[: rng.integers(len(data) + 1)])
        settings = Settings(path)
        assert isinstance(settings.get("recent", []), list) and isinstance(settings.get("n", 0.5), float)


def test_a_disk_that_refuses_keeps_the_value_for_the_session(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    settings = Settings(tmp_path / "file" / "s.json")
    settings.set("a", 1)
    assert settings.get("a", 0) == 1


def test_a_value_that_is_no_json_changes_nothing(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "s.json")
    settings.set("a", 1)
    with pytest.raises(TypeError):
        settings.set("b", {1, 2})
    assert settings.get("b") is None and Settings(tmp_path / "s.json").get("a", 0) == 1
