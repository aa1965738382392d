"""Data sets written in their layouts: exact round trips, the numbers that trainers expect, other landmarks refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from app.formats.builtin import BUILT_IN
from app.formats.registry import FormatError, ReadOptions, WriteOptions
from app.formats.report import fitting, losses
from engine.labels import LabelSet, Skeleton, table
from engine.schema import load_schema
from tests.app.formats.documents import assert_same, make_pictures, random_table

FORMS = [form for form in BUILT_IN if form.named and form.writes]


def labels_of(form, folder: Path, seed: int = 0) -> LabelSet:
    schema = load_schema(form.form.schema)
    skeleton = Skeleton(schema.name, schema.landmarks, schema.edges, schema.flip)
    pictures = make_pictures(folder)
    held = random_table(np.random.default_rng(seed), pictures, skeleton, 3)
    return LabelSet(pictures, (replace(held, hand=np.ones(len(held), bool)),))


def one(points: np.ndarray, seen: np.ndarray, folder: Path) -> LabelSet:
    schema = load_schema("mpii16")
    skeleton = Skeleton("person", schema.landmarks, schema.edges, schema.flip)
    held = table(skeleton, [0], points[None], seen[None], box=[[10, 20, 30, 60]])
    return LabelSet(make_pictures(folder)[:1], (held,))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_what_was_written_is_read_and_recognised(form, tmp_path: Path) -> None:
    for seed in range(10):
        labels = labels_of(form, tmp_path, seed)
        if form.name == "wflw":  # which needs all landmarks
            held = labels.tables[0]
            labels = replace(labels, tables=(replace(held, visibility=np.full_like(held.visibility, 2)),))
        wanted = fitting(labels, form)
        if not wanted.instances:
            continue
        out = tmp_path / f"out{form.suffix}"
        form.write(wanted, out, WriteOptions())
        found = form.read(out, ReadOptions(pictures=tmp_path))
        pictures = tuple(replace(picture, split="") for picture in found.pictures)
        assert_same(replace(found, pictures=pictures), wanted, form.holds)
        head = out.read_bytes()[: 1 << 16]
        assert [each.name for each in BUILT_IN if each.claims(out, head)] == [form.name]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_other_landmarks_are_refused_and_numbers_taken_in_order(form, tmp_path: Path) -> None:
    labels = labels_of(form, tmp_path)
    (held,) = labels.tables
    count = len(held.skeleton)
    other = replace(held, skeleton=Skeleton("x", tuple(f"thing {n}" for n in range(count))))
    with pytest.raises(FormatError, match="only"):
        form.write(fitting(replace(labels, tables=(other,)), form), tmp_path / f"a{form.suffix}", WriteOptions())
    assert not (tmp_path / f"a{form.suffix}").exists()
    order = np.arange(count)[::-1]
    turned = replace(
        held, skeleton=Skeleton("x", held.skeleton.landmarks[::-1]), points=held.points[:, order],
        visibility=held.visibility[:, order], score=held.score[:, order],
    )  # fmt: skip
    for n, each in enumerate((labels, replace(labels, tables=(turned,)))):
        form.write(fitting(each, form), tmp_path / f"{n}{form.suffix}", WriteOptions())
    read = [form.read(tmp_path / f"{n}{form.suffix}", ReadOptions(pictures=tmp_path)).tables[0] for n in range(2)]
    np.testing.assert_array_equal(read[0].points, read[1].points)


def test_the_numbers_are_those_that_trainers_expect(tmp_path: Path) -> None:
    """1-based places; centre (20, 40) and scale 40 / 200; in h5 centre + 15 scale down, scale times 1.25."""
    points, seen = np.full((16, 2), 7.5), np.full(16, 2)
    seen[:2] = 0, 1
    labels = one(points, seen, tmp_path)
    by_name = {form.name: form for form in FORMS}
    written = {name: tmp_path / f"{name}{form.suffix}" for name, form in by_name.items() if name != "wflw"}
    for name, path in written.items():
        by_name[name].write(labels, path, WriteOptions())
    (person,) = json.loads(written["mpii-json"].read_text())
    assert person["joints"][:3] == [[-1, -1], [8.5, 8.5], [8.5, 8.5]] and person["joints_vis"][:3] == [0, 0, 1]
    assert person["center"] == [21, 41] and person["scale"] == 0.2 and person["image"] == "one.png"
    (person,) = json.loads(written["mpii-pose-json"].read_text())
    assert person["joint_self"][:3] == [[0, 0, 0], [8.5, 8.5, 0], [8.5, 8.5, 1]] and person["objpos"] == [21, 41]
    with h5py.File(written["mpii-h5"]) as file:
        assert file["part"][0, :2].tolist() == [[0, 0], [8.5, 8.5]] and file["visible"][0, :3].tolist() == [0, 0, 1]
        assert file["center"][0].tolist() == [21, 41 + 15 * 0.2] and file["scale"][0] == 0.25
        assert file["imgname"][0] == b"one.png" and file["person"][0] == 1
    lost = losses(labels, by_name["mpii-json"])
    assert [entry["what"] for entry in lost] == ["boxes"]


def test_centre_and_scale_of_mpii_survive(tmp_path: Path) -> None:
    form = next(form for form in FORMS if form.name == "mpii-h5")
    labels = one(np.full((16, 2), 7.0), np.full(16, 2), tmp_path)
    extras = {"center": np.array([[11.0, 12.0]]), "scale": np.array([0.7])}
    labels = replace(labels, tables=(replace(labels.tables[0], extras=extras),))
    form.write(fitting(labels, form), tmp_path / "a.h5", WriteOptions())
    back = form.read(tmp_path / "a.h5", ReadOptions(pictures=tmp_path)).tables[0]
    np.testing.assert_allclose(back.extras["center"], [[11, 12]], atol=1e-9)
    np.testing.assert_allclose(back.extras["scale"], [0.7], atol=1e-9)
