"""The landmark models that ship: size, card, latents, and what they find in the pictures that ship beside them."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from engine.modelfile import Model, read_model
from engine.predictor import Predictor
from engine.runtime import open_runtime
from engine.samples import sample_people
from engine.types import Box

SIDES = {"face68": 192, "face68-fast": 128, "pose16": 192, "pose16-fast": 128}
CARD = {"purpose", "data", "teacher", "terms", "recipe", "tests", "command", "speed", "fails"}
FOLDER = Path(str(resources.files("resources"))) / "models"


def shipped(name: str) -> Model:
    return read_model(FOLDER / f"{name}.hourbit")


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.hourbit")))
def test_its_card_is_whole(name: str) -> None:
    model = shipped(name)
    assert set(model.card) >= CARD and "research" in model.card["terms"]
    assert set(model.card["speed"]) >= {"AVX-512", "AVX2"}
    if name != "detect":  # which finds boxes
        assert set(model.card["by landmark"]) <= set(model.schema.landmarks) and model.card["by landmark of"]
        assert model.card["hold-out"]


@pytest.mark.parametrize("name", SIDES)
def test_what_it_is(name: str) -> None:
    model = shipped(name)
    assert model.name == name and model.side == SIDES[name] and model.size <= 1_000_000


def test_where_each_fails_is_told_under_one_name() -> None:
    cards = {name: shipped(name).card for name in (*SIDES, "faceparts")}
    assert all(len(card["fails"]) >= 3 and "failures" not in card for card in cards.values())


@pytest.mark.parametrize("name", SIDES)
def test_its_latents_are_its_own(name: str) -> None:
    pytest.importorskip("torch")
    from engine.train.finish import latents_path, network_from

    model = shipped(name)
    assert latents_path(model.path).stat().st_size <= 7_000_000
    assert not network_from(model).frozen


@pytest.mark.parametrize("name", ["face68", "face68-fast"])
def test_faces_of_the_sample_people(name: str) -> None:
    """Warped and recoloured pictures of one person, in boxes around the true landmarks."""
    predictor = Predictor(open_runtime(shipped(name)))
    errors = []
    for sample in sample_people(8):
        low, high = sample.landmarks.min(0), sample.landmarks.max(0)
        box = Box(*(low + high) / 2, float((high - low).max()))
        found = predictor.predict_box(sample.pixels, box).landmarks[:, :2]
        eyes = np.linalg.norm(sample.landmarks[36] - sample.landmarks[45])
        errors.append(100 * np.linalg.norm(found - sample.landmarks, axis=1).mean() / eyes)
    assert np.mean(errors) < 4.0
