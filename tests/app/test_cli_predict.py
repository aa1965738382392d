"""hourbit predict and export: pictures, folders, videos and packs in; labels, overlays and heatmaps out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from engine.architecture import Architecture
from engine.images import encode_png, load_image
from engine.modelfile import Model, write_model
from engine.opencv import cv2
from engine.parts import load_parts
from engine.predictor import Predictor
from engine.random_model import random_model
from engine.runtime import open_runtime
from engine.types import Box
from tests.app.cli_runner import hourbit
from tests.app.small import small_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return write_model(tmp_path_factory.mktemp("model") / "small.hourbit", small_model())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures whose names sort as numbers: 1, 2, 10."""
    rng = np.random.default_rng(0)
    path = tmp_path / "pictures"
    path.mkdir()
    for n, size in ((1, (60, 80)), (2, (90, 70)), (10, (64, 64))):
        (path / f"picture {n}.png").write_bytes(encode_png(rng.integers(0, 256, (*size, 3), np.uint8)))
    return path


def predict(model: Model, *words: object):
    return hourbit("predict", *words, "--model", model.path, "--detector", "whole")


def test_labels_hold_what_the_predictor_says(model: Model, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "labels.json"
    ran = predict(model, folder, "--out", out, "--json")
    assert ran.code == 0 and set(ran.json) == {"images", "instances", "seconds", "images_per_second"}
    assert (ran.json["images"], ran.json["instances"]) == (3, 3)
    coco = json.loads(out.read_text())
    assert [Path(image["file_name"]).name for image in coco["images"]] == [f"picture {n}.png" for n in (1, 2, 10)]
    predictor = Predictor(open_runtime(model), "whole")
    for image, label in zip(coco["images"], coco["annotations"], strict=True):
        pixels = load_image(folder / Path(image["file_name"]).name)
        assert (image["height"], image["width"]) == pixels.shape[:2]
        (found,) = predictor.predict(pixels)
        written = np.array(label["keypoints"], float).reshape(-1, 3)
        assert np.abs(written[:, :2] - found.landmarks[:, :2]).max() < 0.01
        assert label["image_id"] == image["id"]


def test_an_instance_keeps_its_mean_score_where_landmarks_have_none(model: Model, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "labels.json"
    assert predict(model, folder, "--detector", "whole", "--out", out).code == 0
    told, predictor = json.loads(out.read_text()), Predictor(open_runtime(model), "whole")
    names = {image["id"]: image["file_name"] for image in told["images"]}
    for one in told["annotations"]:
        (found,) = predictor.predict(load_image(folder / Path(names[one["image_id"]]).name))
        assert one["score"] == pytest.approx(found.score, abs=2e-4) and one["score"] < 1


def test_csv_is_a_format_as_well(model: Model, folder: Path, tmp_path: Path) -> None:
    assert predict(model, folder, "--format", "csv", "--out", tmp_path / "labels.csv").code == 0
    assert "picture 10.png" in (tmp_path / "labels.csv").read_text()
    assert predict(model, folder, "--format", "nothing", "--out", tmp_path / "x").code == 2


def test_what_cannot_be_drawn_costs_no_label(model: Model, folder: Path, tmp_path: Path) -> None:
    out, drawn = tmp_path / "labels.json", tmp_path / "drawn"
    (drawn / "picture 2.jpg").mkdir(parents=True)  # in the way
    alone = predict(model, folder, "--overlay", drawn)
    assert alone.code == 2 and "picture 2.jpg cannot be written" in alone.err and "labels" not in alone.err
    ran = predict(model, folder, "--out", out, "--overlay", drawn)
    assert ran.code == 2 and "No more is drawn; the labels are gathered all the same." in ran.err
    assert f"Wrote 3 instances in 3 images to {out}" in ran.out and len(json.loads(out.read_text())["annotations"]) == 3
    assert [path.name for path in drawn.iterdir() if path.is_file()] == ["picture 1.jpg"]
    lost = predict(model, folder, "--out", tmp_path / ("x" * 300), "--overlay", drawn)
    assert lost.code == 2 and "No more is drawn" in lost.err and "xxx cannot be written" in lost.err


def test_overlays_and_heatmaps(model: Model, folder: Path, tmp_path: Path) -> None:
    drawn, heat = tmp_path / "drawn", tmp_path / "heat"
    assert predict(model, folder, "--overlay", drawn, "--heatmaps", heat, "--flip").code == 0
    assert sorted(p.name for p in drawn.iterdir()) == sorted(f"picture {n}.jpg" for n in (1, 2, 10))
    assert load_image(drawn / "picture 1.jpg").shape == (60, 80, 3)
    with np.load(heat / "picture 2.npz") as maps:
        assert maps["logits"].shape == (1, 5, 16, 16) and maps["logits"].dtype == np.float32
        assert maps["affine"].shape == (1, 2, 3)
    assert load_image(heat / "picture 2.png").shape == (90, 70, 3)


def test_shards_share_the_work_without_gap_or_overlap(model: Model, folder: Path, tmp_path: Path) -> None:
    names: list[str] = []
    for n in (1, 2):
        assert predict(model, folder, "--shard", f"{n}/2", "--overlay", tmp_path / f"part{n}").code == 0
        names += [p.name for p in (tmp_path / f"part{n}").iterdir()]
    assert sorted(names) == sorted(f"picture {n}.jpg" for n in (1, 2, 10))


def test_shards_into_one_folder_do_not_overwrite_one_another(model: Model, folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "picture 1.png", folder / "picture 1.jpeg")  # decoded by its content; the stem is the same
    for n in (1, 2):
        assert predict(model, folder, "--shard", f"{n}/2", "--overlay", tmp_path / "all").code == 0
    assert len(list((tmp_path / "all").iterdir())) == 4


def test_a_picture_that_cannot_be_read_stops_nothing(model: Model, folder: Path) -> None:
    (folder / "picture 3.jpg").write_bytes(b"no picture")
    ran = predict(model, folder, "--json")
    assert ran.code == 1 and ran.json["images"] == 3
    assert "picture 3.jpg" in ran.err and "1 image could not be read" in ran.err


def test_equal_names_from_two_folders_do_not_overwrite_each_other(model: Model, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "Picture 1.png").write_bytes((folder / "picture 2.png").read_bytes())
    predict(model, folder / "picture 1.png", other / "Picture 1.png", "--overlay", tmp_path / "drawn")
    assert sorted(p.name for p in (tmp_path / "drawn").iterdir()) == ["Picture 1-2.jpg", "picture 1.jpg"]


def test_every_frame_of_a_video(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (64, 48))
    for n in range(4):
        writer.write(np.full((48, 64, 3), 60 * n, np.uint8))
    writer.release()
    ran = predict(model, path, "--overlay", tmp_path / "drawn", "--json")
    assert ran.json["images"] == 4
    assert sorted(p.name for p in (tmp_path / "drawn").iterdir()) == [f"clip_00000{n}.jpg" for n in range(4)]


def test_a_packs_own_boxes(model: Model, tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (70, 70, 3), np.uint8)
    data = np.frombuffer(encode_png(pixels), np.uint8)
    np.savez(
        tmp_path / "pack.npz", blob=data, offsets=np.array([0, len(data)]), landmarks=np.zeros((1, 5, 2)),
        box=np.array([[30.0, 33.0, 28.0]]),
    )  # fmt: skip
    words = ("--model", model.path, "--detector", "file", "--heatmaps", tmp_path / "heat", "--json")
    assert hourbit("predict", tmp_path / "pack.npz", *words).json["instances"] == 1
    expected = Predictor(open_runtime(model), "whole").predict_box(pixels, Box(30, 33, 28), heatmaps=True)
    with np.load(tmp_path / "heat" / "pack_000000.npz") as maps:
        assert (maps["logits"][0] == expected.heatmaps.logits).all()


def test_boxes_from_a_file_need_a_pack(model: Model, folder: Path) -> None:
    ran = hourbit("predict", folder, "--model", model.path, "--detector", "file")
    assert ran.code == 2 and "pack" in ran.err


def test_no_face_is_a_normal_result(model: Model, tmp_path: Path) -> None:
    (tmp_path / "black.png").write_bytes(encode_png(np.zeros((80, 80, 3), np.uint8)))
    words = ("--model", model.path, "--detector", "face", "--overlay", tmp_path / "drawn", "--json")
    ran = hourbit("predict", tmp_path / "black.png", *words)
    assert ran.code == 0 and (ran.json["images"], ran.json["instances"]) == (1, 0)


def test_results_never_replace_the_pictures(model: Model, folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    picture = folder / "picture 1.png"
    for words in (("--out", picture), ("--overlay", folder), ("--heatmaps", folder)):
        ran = predict(model, picture, *words)
        assert ran.code == 2 and len(ran.err.splitlines()) == 1 and ran.out == ""
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_where_labels_cannot_go_is_said_before_the_work(model: Model, folder: Path, tmp_path: Path) -> None:
    for place in (tmp_path / "no folder" / "labels.json", folder, Path(".")):
        ran = predict(model, folder, "--out", place, "--overlay", tmp_path / "drawn")
        assert ran.code == 2 and "cannot be written" in ran.err and not (tmp_path / "drawn").exists()
    assert "no format" in predict(model, folder, "--format", "nonsense").err


@pytest.mark.parametrize("name", ["picture 3.mp4", "picture 3.npz"])
def test_a_video_or_pack_that_does_not_open_stops_nothing(model: Model, folder: Path, name: str, capfd) -> None:
    (folder / name).write_bytes(b"nothing")
    ran = predict(model, folder / "picture 1.png", folder / name, folder / "picture 2.png", "--json")
    assert ran.code == 1 and ran.json["images"] == 2 and name in ran.err
    capfd.readouterr()
    alone = predict(model, folder / name)
    assert alone.code == 2 and len(alone.err.splitlines()) == 1
    assert capfd.readouterr().err == ""  # nothing from the libraries either


def test_a_segmentation_draws_parts_and_writes_no_labels(folder: Path, tmp_path: Path) -> None:
    division = load_parts("face-parts")
    network = Architecture(7, width=32, stem=16, side=64, head="segmentation")
    model = write_model(tmp_path / "parts.hourbit", random_model("Parts", network, division.schema))
    ran = predict(model, folder, "--out", tmp_path / "labels.json")
    assert ran.code == 2 and "no landmarks" in ran.err and not (tmp_path / "labels.json").exists()
    assert predict(model, folder, "--overlay", tmp_path / "drawn", "--heatmaps", tmp_path / "maps").code == 0
    plain, drawn = load_image(folder / "picture 1.png"), load_image(tmp_path / "drawn" / "picture 1.jpg")
    assert drawn.shape[0] > plain.shape[0] and drawn.shape[1] == plain.shape[1]  # a legend stands below
    with np.load(tmp_path / "maps" / "picture 1.npz") as maps:
        assert maps["logits"].shape == (1, 7, 16, 16)
