"""Data sets as what models are measured on and trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.cli import run
from engine.evaluate import evaluate
from engine.labelled import load_labelled
from engine.layouts import FormatError
from engine.layouts.subjects import learnable
from engine.modelfile import write_model
from engine.runtime import open_runtime
from engine.schema import load_schema
from engine.subjects import LabelError
from tests.engine.blobs import small_model
from tests.engine.layouts import writers
from tests.engine.layouts.test_coco_and_packs import coco, pack, person

FACE = load_schema("ibug68")
POINTS = np.array(FACE.mean) * 40 + 12


def faces(folder: Path) -> Path:
    """Two faces for training, one of AFW and one of HELEN, and one of the common test part."""
    for n, place in enumerate(("afw", "helen/trainset", "helen/testset")):
        writers.picture(folder / place / f"{n}.png", 64, 64)
        writers.pts(folder / place / f"{n}.pts", POINTS + n + 1)
    return folder


def test_a_data_set_is_measured_by_its_splits(tmp_path: Path) -> None:
    faces(tmp_path)
    found = load_labelled(tmp_path, FACE)
    assert len(found) == 3 and found.picture(0).shape == (64, 64, 3)
    for split, count in (("train", 2), ("test", 1)):
        assert len(load_labelled(tmp_path, FACE, "300w", split)) == count
    np.testing.assert_allclose(load_labelled(tmp_path, FACE, split="test").points[0], POINTS + 2)
    with pytest.raises(LabelError, match="validation"):
        load_labelled(tmp_path, FACE, split="validation")


def test_evaluate_on_a_data_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    faces(tmp_path / "300W")
    model = small_model(68, schema=FACE)
    figures = evaluate(open_runtime(model, "reference"), tmp_path / "300W")
    assert figures["n"] == 3 and figures["metric"] == "nme"
    write_model(tmp_path / "m.hourbit", model)
    told = ["evaluate", str(tmp_path / "m.hourbit"), str(tmp_path / "300W"), "--runtime", "reference", "--json"]
    assert run([*told, "--format", "300w", "--split", "test"]) == 0
    assert '"n": 1' in capsys.readouterr().out
    assert run([*told, "--format", "wflw"]) == 2
    assert "holds no file of WFLW" in capsys.readouterr().err


def test_another_model_of_other_landmarks_takes_converted_ones(tmp_path: Path) -> None:
    faces(tmp_path)
    schema = load_schema("aflw19")
    found = load_labelled(tmp_path, schema, split="test")
    np.testing.assert_allclose(found.points[0][0], POINTS[17] + 2)
    with pytest.raises(LabelError):
        load_labelled(tmp_path, load_schema("mpii16"))


def test_training_never_sees_the_test_part(tmp_path: Path) -> None:
    found = learnable(faces(tmp_path), FACE)
    assert len(found.subjects) == 2 and found.held is None
    assert found.groups == ("afw/0.png", "helen/trainset/1.png")
    assert found.subjects.picture(1).shape == (64, 64, 3)
    with pytest.raises(FormatError, match="are for test"):
        learnable(tmp_path / "helen" / "testset", FACE)


def test_validation_people_are_held_out(tmp_path: Path) -> None:
    body = load_schema("mpii16")
    for split in ("train2017", "val2017"):
        coco(tmp_path, [person(7, 1, {5: (1, 2, 2), 6: (5, 4, 1)}), person(9, 2, {5: (2, 2, 2), 12: (5, 4, 2)})], split)
        for name in ("000007.jpg", "b.jpg"):
            writers.picture(tmp_path / split / name)
    found = learnable(tmp_path, body)
    assert found.held is not None and found.held.tolist() == [False, False, True, True]
    assert (found.subjects.weight[0, [12, 13]] == [0.5, 1]).all()
    writers.picture(tmp_path / "val2017" / "000007.jpg", 20, 10)
    assert found.subjects.picture(0).shape[0] == 6 and found.subjects.picture(2).shape[0] == 10


def test_variants_of_one_photograph_are_one_group(tmp_path: Path) -> None:
    for n in range(3):
        writers.picture(tmp_path / "AFW" / f"AFW_1_1_{n}.jpg", 64, 64)
        writers.mat(tmp_path / "AFW" / f"AFW_1_1_{n}.mat", pt2d=POINTS.T + n)
    assert learnable(tmp_path, FACE).groups == ("AFW_1_1",) * 3


def test_a_pack_by_its_split(tmp_path: Path) -> None:
    path = pack(tmp_path / "p.npz", joints=np.random.default_rng(0).random((2, 16, 2)) * 6)
    found = load_labelled(path, load_schema("mpii16"), split="validation")
    assert len(found) == 1 and (found.picture(0) == 80).all()


def test_examples_stream_from_a_data_set(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from engine.train.datasets import load_examples

    body = load_schema("mpii16")
    for split in ("train2017", "val2017"):
        coco(tmp_path, [person(7, 1, {5: (1, 2, 2), 6: (5, 4, 1)}), person(9, 2, {5: (2, 2, 2), 12: (5, 4, 2)})], split)
        for name in ("000007.jpg", "b.jpg"):
            writers.picture(tmp_path / split / name)
    training, held = load_examples([tmp_path], 0.5, 10, schema=body, form="coco")
    assert (len(training), len(held)) == (2, 2)
    assert training.images[0].shape == (6, 8, 3) and training.points[0, 13].tolist() == [1, 2]
    assert training.weight[0, [12, 13]].tolist() == [0.5, 1] and not training.absent.any()
    faces(tmp_path / "w")
    training, held = load_examples([tmp_path / "w"], 0.5, 1000, schema=FACE)
    assert len(training) + len(held) == 2  # nothing of the test part


def test_train_on_a_data_set_by_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    folder = tmp_path / "300W"
    for n in range(12):
        writers.picture(folder / "afw" / f"{n}.png", 64, 64)
        writers.pts(folder / "afw" / f"{n}.pts", POINTS + n / 4 + 1)
    settings = ["width=32", "stem=16", "side=64", "batch=2", "steps=2"]
    line = ["train", str(folder), "--format", "300w", "--schema", "ibug68", "--out", str(tmp_path / "run"), "--json"]
    assert run([*line, *(part for s in settings for part in ("--set", s))]) == 0, capsys.readouterr().err
    assert '"done"' in capsys.readouterr().out
    assert run([*line[:3], "wflw", *line[4:7], str(tmp_path / "other")]) != 0
    assert "holds no file of WFLW" in capsys.readouterr().err


def test_missing_pictures_are_named(tmp_path: Path) -> None:
    (faces(tmp_path) / "afw" / "0.png").unlink()
    with pytest.raises(LabelError, match="afw/0 was not found"):
        load_labelled(tmp_path, FACE)
    assert len(load_labelled(tmp_path, FACE, split="test")) == 1
