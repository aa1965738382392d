"""The CSV plugin, found and used as the window and the command line do it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

import plugins
from app import api
from app.plugins import load_plugins
from app.project.document import Document
from app.project.values import ACCEPTED, State, Visibility
from engine.errors import UserError
from tests.app.labelled import GONE, HIDDEN, labelled
from tests.app.projects import SCHEMA, new_document


@pytest.fixture(autouse=True)
def no_formats_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "_EXPORTERS", {})


@pytest.fixture
def document(tmp_path: Path) -> Iterator[Document]:
    made = labelled(tmp_path)
    yield made
    made.close()


def rows(document: Document, path: Path, states: frozenset[State] = ACCEPTED) -> list[dict[str, str]]:
    load_plugins()
    api.exporter("csv").export(document, path, states)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def test_loading_registers_the_formats_once(document: Document) -> None:
    assert load_plugins() == {}
    names = [exporter.name for exporter in api.exporters()]
    assert {"coco", "snapshot", "csv"} <= set(names)
    load_plugins()
    assert [exporter.name for exporter in api.exporters()] == names
    with pytest.raises(UserError, match="coco, csv"):
        api.exporter("xml")


def test_columns_and_rows(document: Document, tmp_path: Path) -> None:
    found = rows(document, tmp_path / "labels.csv")
    parts = [f"{name}_{part}" for name in SCHEMA.landmarks for part in ("x", "y", "v")]
    assert list(found[0]) == ["image", "instance", "state", "box_x", "box_y", "box_side", *parts]
    assert [Path(row["image"]).name for row in found] == ["image 1.png", "image 1.png", "image 3.png"]
    assert [row["instance"] for row in found] == ["1", "2", "1"]
    assert {row["state"] for row in found} == {"done"}
    held = [i for image in document.images()[:3] for i in document.instances(image.id)]
    for row, truth in zip(found, held, strict=True):
        assert float(row["box_x"]) == pytest.approx(truth.box.cx, abs=1e-3)
        assert float(row["box_side"]) == pytest.approx(truth.box.side, abs=1e-3)
        for k, name in enumerate(SCHEMA.landmarks):
            assert row[f"{name}_v"] == str(int(truth.visibility[k]))
            if truth.visibility[k] != Visibility.ABSENT:
                place = float(row[f"{name}_x"]), float(row[f"{name}_y"])
                assert place == pytest.approx(tuple(truth.points[k]), abs=1e-3)


def test_absent_landmarks_stay_empty(document: Document, tmp_path: Path) -> None:
    first = rows(document, tmp_path / "labels.csv")[0]
    gone, hidden = SCHEMA.landmarks[GONE], SCHEMA.landmarks[HIDDEN]
    assert [first[f"{gone}_{part}"] for part in "xyv"] == ["", "", "0"]
    assert first[f"{hidden}_v"] == "1" and first[f"{hidden}_x"]
    assert sum(value == "" for value in first.values()) == 2


def test_states_and_nothing_to_export(document: Document, tmp_path: Path) -> None:
    assert len(rows(document, tmp_path / "all.csv", frozenset(State))) == 4
    (tmp_path / "other").mkdir()
    empty = new_document(tmp_path / "other", 1)
    with pytest.raises(UserError, match="accept some images"):
        rows(empty, tmp_path / "none.csv")
    assert not (tmp_path / "none.csv").exists()
    empty.close()


@pytest.mark.parametrize("fault", ["raise ValueError('out of order')", "def register(:", "", "import nowhere_at_all"])
def test_a_plugin_that_fails_is_named_and_the_rest_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    name = f"faulty{len(fault)}"  # a module is imported once a process
    (tmp_path / f"{name}.py").write_text(fault)
    monkeypatch.setattr(plugins, "__path__", [*plugins.__path__, str(tmp_path)])
    failed = load_plugins()
    assert list(failed) == [name] and name in failed[name] and failed[name].endswith(".")
    assert "csv" in [exporter.name for exporter in api.exporters()]


def test_a_name_belongs_to_one_format() -> None:
    load_plugins()

    class Other:
        name, title, suffix = "csv", "Another", ".csv"

    with pytest.raises(UserError, match="'csv' already"):
        api.register_exporter(Other())
