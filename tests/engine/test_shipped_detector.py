"""The detector that ships: its size, card and latents, and what it finds in the pictures that ship beside it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.detect import default_detector, make_detector, patient_detector
from engine.runtime import open_runtime
from engine.samples import sample_landmarks, sample_people, sample_pictures
from engine.scene_detector import shipped_detector
from engine.scenes import evaluate_detector, sample_scenes
from engine.schema import load_schema
from engine.squares import CLASSES, is_detector
from engine.types import Box, overlap
from tests.engine.blobs import BlobRuntime, small_model


def test_what_it_is() -> None:
    model = shipped_detector()
    assert is_detector(model.schema) and model.size <= 500_000
    assert set(model.card["thresholds"]) == set(CLASSES)
    assert "research" in model.card["terms"] and model.card["data"] and model.card["tests"]


def test_its_latents_are_its_own() -> None:
    pytest.importorskip("torch")
    from engine.train.finish import latents_path, network_from

    model = shipped_detector()
    assert latents_path(model.path).stat().st_size <= 7_000_000
    assert not network_from(model).frozen


def test_faces_of_the_sample_people() -> None:
    """All of them, without a false alarm; these are warped and recoloured pictures of one person."""
    face = evaluate_detector(make_detector("detect"), CLASSES, sample_scenes())["face"]
    assert face["recall"] == 100 and face["false_alarms"] == 0 and face["mean_iou"] > 0.75
    assert face["n"] == len(sample_people())


def test_it_is_what_looks_for_faces_and_gives_landmark_boxes() -> None:
    (_, portrait), _ = sample_pictures()
    points = sample_landmarks()
    low, high = points.min(0), points.max(0)
    wanted = Box(*(low + high) / 2, float((high - low).max()))
    runtime = BlobRuntime(replace(small_model(), schema=replace(small_model().schema, subject="face")))
    assert default_detector(runtime.model.schema) == default_detector(load_schema("ibug68")) == "detect"
    detector = patient_detector(runtime)
    large = np.ascontiguousarray(portrait.repeat(2, 0).repeat(2, 1))
    for picture, scale in ((portrait, 1), (large, 2)):
        (box,) = detector.detect(picture)
        assert overlap(Box((box.cx + 0.5) / scale - 0.5, (box.cy + 0.5) / scale - 0.5, box.side / scale), wanted) > 0.7
    assert detector.detect(np.zeros((200, 300, 3), np.uint8)) == []


def test_it_opens_in_the_packed_engine() -> None:
    model = shipped_detector()
    maps = open_runtime(model).run(np.zeros((model.side, model.side, 3), np.uint8), logits=True)
    assert maps.shape == (model.landmarks, model.cells, model.cells)
