"""The CSV table: what a spreadsheet reads is what was labelled."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.project.edits import Accept, PutInstance
from app.project.values import ACCEPTED, Visibility
from engine.errors import UserError
from plugins.csv_export import Csv
from tests.app.projects import SCHEMA, instance, new_document, put


def test_a_row_for_each_instance_and_three_columns_for_each_landmark(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    first, second, _ = (i.id for i in document.images())
    label = instance(first, 1)
    seen = label.visibility.copy()
    seen[2], seen[4] = Visibility.ABSENT, Visibility.OCCLUDED
    document.apply(PutInstance(replace(label, visibility=seen)))
    put(document, first, 2), put(document, second, 3)
    document.apply(Accept(first))
    report = Csv().export(document, tmp_path / "out.csv", ACCEPTED)
    assert (report.instances, report.images, report.lost) == (2, 1, ())
    with open(tmp_path / "out.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    held = document.instances(first)
    document.close()
    assert [(r["image"], r["instance"], r["state"]) for r in rows] == [
        ("pictures/image 1.png", "1", "done"), ("pictures/image 1.png", "2", "done"),
    ]  # fmt: skip
    for row, label in zip(rows, held, strict=True):
        assert [float(row[f"box_{n}"]) for n in ("x", "y", "side")] == [60.0, 60.0, 80.0]
        for k, name in enumerate(SCHEMA.landmarks):
            assert row[f"{name}_v"] == str(label.visibility[k])
            if label.visibility[k]:
                found = np.array([float(row[f"{name}_x"]), float(row[f"{name}_y"])])
                np.testing.assert_allclose(found, label.points[k], atol=1e-4)
            else:
                assert row[f"{name}_x"] == row[f"{name}_y"] == ""


def test_nothing_accepted_is_a_sentence_and_no_file(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    put(document, document.images()[0].id)
    with pytest.raises(UserError, match="no accepted labels"):
        Csv().export(document, tmp_path / "out.csv", ACCEPTED)
    document.close()
    assert not (tmp_path / "out.csv").exists()
