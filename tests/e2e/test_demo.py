"""hourbit demo, from the sample pictures to a model that learnt from the corrections: no window, all of it real."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.commands import demo as demo_module
from engine import samples
from engine.graph import Architecture
from engine.images import load_image
from engine.modelfile import write_model
from engine.random_model import random_model
from tests.app.cli_runner import hourbit

pytest.importorskip("torch", reason="the demo trains")


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small face model of random weights: everything runs, fast; and fewer samples than people get."""
    monkeypatch.setattr(demo_module, "SAMPLES", 6)
    monkeypatch.setattr(samples, "CLIP_FRAMES", 12)
    path = tmp_path / "small.hourbit"
    write_model(path, random_model("small", Architecture(68, width=32, stem=16, side=64)))
    return path


def run(model: Path, out: Path) -> dict:
    ran = hourbit("demo", "--model", model, "--out", out, "--steps", 2, "--json")
    assert ran.code == 0, ran.err
    return ran.json


def test_the_whole_loop(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "demo"
    value = run(model, out)
    assert set(value) == {"pictures", "labels", "before", "after", "fps"}
    assert all(Path(path).is_absolute() and load_image(path).ndim == 3 for path in value["pictures"])
    names = {Path(path).name for path in value["pictures"]}
    assert {"astronaut.jpg", "cameraman.jpg"} <= names
    assert {"held-out-sample-01-before.jpg", "held-out-sample-01-after.jpg"} <= names
    assert value["fps"] > 0 and np.isfinite([value["before"], value["after"]]).all()
    coco = json.loads(Path(value["labels"]).read_text())
    assert len(coco["images"]) == len(coco["annotations"]) == 4
    truth = {sample.name: sample.landmarks for sample in samples.sample_people(6)}
    for image, label in zip(coco["images"], coco["annotations"], strict=True):
        written = np.array(label["keypoints"], float).reshape(-1, 3)[:, :2]
        side = np.ptp(truth[Path(image["file_name"]).stem], axis=0).max()
        assert np.abs(written - truth[Path(image["file_name"]).stem]).max() <= 0.021 * side


def test_the_result_depends_on_the_labels_and_a_second_run_replaces_the_first(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(model, tmp_path / "demo")
    people = samples.sample_people

    def shuffled(count: int) -> list[samples.Sample]:
        order = np.random.default_rng(0).permutation(68)
        held_out = range(0, count, demo_module.HOLD_OUT_EVERY)
        return [s if n in held_out else replace(s, landmarks=s.landmarks[order]) for n, s in enumerate(people(count))]

    monkeypatch.setattr(samples, "sample_people", shuffled)
    second = run(model, tmp_path / "demo")
    assert second["before"] == first["before"]
    assert second["after"] != first["after"]


def test_once_tells_what_came_of_the_same_before(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not anew unless something else is asked, or a part of what came of it is gone."""
    out, walked = tmp_path / "demo", []

    def walk(folder: Path, name: str, steps: int, seed: int) -> dict:
        walked.append(seed)
        folder.mkdir(exist_ok=True)
        for name in ("a.jpg", "labels.json"):
            (folder / name).touch()
        return {"pictures": [folder / "a.jpg"], "labels": folder / "labels.json", "before": 3, "after": 2, "fps": seed}

    monkeypatch.setattr(demo_module, "walk", walk)

    def once(seed: int) -> float:
        return hourbit("demo", "--model", model, "--out", out, "--seed", seed, "--once", "--json").json["fps"]

    assert [once(1), once(1), once(2), once(2)] == [1, 1, 2, 2] and walked == [1, 2]
    assert "Done before" in hourbit("demo", "--model", model, "--out", out, "--seed", 2, "--once").out
    (out / "a.jpg").unlink()
    assert once(2) == 2 and walked == [1, 2, 2]
    (out / demo_module.RECORD).write_text('{"made": 3')
    assert once(2) == 2 and walked == [1, 2, 2, 2]


def test_a_body_model_is_refused(model: Path, tmp_path: Path) -> None:
    write_model(model, random_model("body", Architecture(16, width=32, stem=16, side=64)))
    ran = hourbit("demo", "--model", model, "--out", tmp_path / "demo")
    assert ran.code == 2 and "68 face landmarks" in ran.err
    assert not (tmp_path / "demo").exists()
