"""`hourbit sheet`: failures of two models side by side, and features around a 1 x 1 convolution."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine import crop
from engine.errors import UserError
from engine.features import features, one_by_ones
from engine.images import encode_png, load_image
from engine.modelfile import write_model
from engine.runtime.reference import ReferenceRuntime
from tests.app.cli_runner import hourbit
from tests.engine.blobs import blob_picture, small_model
from tests.engine.packfile import blob_points, write_pack


@pytest.fixture
def models(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "a.hourbit", tmp_path / "b.hourbit"]
    for seed, path in enumerate(paths):
        write_model(path, small_model(seed=seed + 1))
    return paths


def test_failures_worst_first_with_both_errors(models: list[Path], tmp_path: Path) -> None:
    pack = write_pack(tmp_path / "p.npz", blob_points(5), id=np.array([b"a", b"b", b"c", b"d", b"e"]))
    errors = [hourbit("evaluate", model, pack, "--metric", "nme", "--json").json["mean"] for model in models]
    ran = hourbit("sheet", "failures", *models, pack, tmp_path / "all.png", "--json")
    rows = ran.json["subjects"]
    assert ran.code == 0 and {row["subject"] for row in rows} == set("abcde")
    assert [row["a"] for row in rows] == sorted((row["a"] for row in rows), reverse=True)
    assert [np.mean([row[name] for row in rows]) for name in ("a", "b")] == pytest.approx(errors)
    options = ("--count", "2", "--by", "gap", "--json")
    few = hourbit("sheet", "failures", *models, pack, tmp_path / "two.png", *options).json
    gaps = sorted((row["a"] - row["b"] for row in rows), reverse=True)
    assert [row["a"] - row["b"] for row in few["subjects"]] == pytest.approx(gaps[:2])
    tall, short = (load_image(tmp_path / name) for name in ("all.png", "two.png"))
    assert tall.shape[1] == short.shape[1] and tall.shape[0] > 2 * short.shape[0]
    thirds = np.array_split(short[:, 6:], 3, axis=1)
    assert (thirds[1][40:240, :200] != thirds[2][40:240, :200]).any()  # two models, two drawings


def test_features_are_the_references_own_maps() -> None:
    model = small_model()
    picture = crop.sample(blob_picture(blob_points(1)[0], 96, 80, 2.5), crop.matrix(48, 40, 80, 64), 64)
    maps = dict(ReferenceRuntime(model).maps(picture))
    found = features(model, picture)
    assert (found.source, found.node) == ("head.block.out", "head.last.conv")
    np.testing.assert_array_equal(found.before, maps["head.block.out"])
    np.testing.assert_array_equal(found.after, maps["head.last.conv"])
    names = [node.name for node in one_by_ones(model.graph)]
    assert names == ["stem.1.skip.conv", "head.last.conv"]  # 16 to 32 channels, and the head's
    other = features(model, picture, names[0])
    assert other.after.shape[2] == model.graph[names[0]].channels
    with pytest.raises(UserError, match="choose one of: .*head.last.conv"):
        features(model, picture, "nothing")


def test_kept_is_one_for_a_layer_that_copies() -> None:
    from engine.features import Features

    maps = np.random.default_rng(0).normal(size=(8, 8, 5)).astype(np.float32)
    assert Features("n", "s", maps, -2 * maps[..., ::-1]).kept() == pytest.approx(1)
    noise = np.random.default_rng(1).normal(size=(8, 8, 5)).astype(np.float32)
    assert Features("n", "s", maps, noise).kept() < 0.6
    assert Features("n", "s", maps, np.zeros_like(maps)).kept() == 0


def test_features_sheet(models: list[Path], tmp_path: Path) -> None:
    picture = tmp_path / "x.png"
    picture.write_bytes(encode_png(blob_picture(blob_points(1)[0], 96, 80, 2.5)))
    ran = hourbit("sheet", "features", models[0], picture, tmp_path / "f.png", "--detector", "whole", "--json")
    value = ran.json
    assert ran.code == 0 and value["channels"] == [32, 32] and 0 < value["kept"] <= 1
    assert load_image(tmp_path / "f.png").shape[2] == 3
    assert "correlates" in hourbit("sheet", "features", models[0], picture, tmp_path / "f.png").out
    lone = hourbit("sheet", "features", models[0], picture, tmp_path / "f.png", "--detector", "face")
    assert lone.code == 0 and "whole picture" in lone.err


@pytest.mark.parametrize("words", [
    ("failures", "a.hourbit", "b.hourbit", "p.npz", "out.jpg"), ("failures", "a.hourbit", "c", "p.npz", "out.png"),
    ("failures", "a.hourbit", "wide.hourbit", "p.npz", "out.png"), ("features", "a.hourbit", "none.png", "out.png"),
    ("failures", "a.hourbit", "b.hourbit", "p.npz", "none/out.png"), ("features", "a.hourbit", "x.png", "x.png"),
    ("failures", "a.hourbit", "b.hourbit", "p.npz", "out.png", "--by", "luck"),
    ("features", "a.hourbit", "x.png", "out.png", "--node", "no"),
])  # fmt: skip
def test_wrong_use(models: list[Path], tmp_path: Path, words: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_pack(tmp_path / "p.npz", blob_points(2))
    write_model(tmp_path / "wide.hourbit", small_model(5))
    (tmp_path / "x.png").write_bytes(encode_png(np.zeros((80, 80, 3), np.uint8)))
    before = sorted(tmp_path.iterdir())
    ran = hourbit("sheet", *words, *(("--detector", "whole") if words[0] == "features" else ()))
    assert ran.code == 2 and len(ran.err.strip().splitlines()) == 1 and "Traceback" not in ran.err
    assert sorted(tmp_path.iterdir()) == before
