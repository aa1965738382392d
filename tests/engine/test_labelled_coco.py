"""COCO keypoints files as subjects: whose landmarks these are, and who is passed over."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.coco.bodies import PERSON as COCO_PERSON
from engine.errors import UserError
from engine.labelled import LabelError, load_labelled
from engine.schema import load_schema
from tests.engine.blobs import small_model
from tests.engine.packfile import blob_points, write_coco

POINTS = blob_points(6)


def test_unknown_names_are_refused_not_taken_by_order(tmp_path: Path) -> None:
    """Names that the schema lacks end in a sentence, though their number would fit; nameless files go by order."""
    schema = small_model().schema
    names = [*schema.landmarks[:2], "tip of the tail"]
    path = write_coco(tmp_path / "set", POINTS, names, np.full((6, 3), 2))
    with pytest.raises(LabelError, match=r"lacks \(tip of the tail\).*\.$"):
        load_labelled(path, schema)
    data = json.loads(path.read_text())
    few = "holds no landmarks .*3 landmarks and the category 2"
    for wrong, words in (([names[0]] * 3, r"lacks \(.* 2, .* 3\)"), (names[:2], few)):
        data["categories"][0]["keypoints"] = wrong
        path.write_text(json.dumps(data))
        with pytest.raises(UserError, match=words):
            load_labelled(path, schema)
    data["categories"][0]["keypoints"] = [n.lower().replace(" ", "_") for n in schema.landmarks]
    path.write_text(json.dumps(data))
    np.testing.assert_allclose(load_labelled(path, schema).points, POINTS)
    data["categories"][0]["keypoints"] = []
    path.write_text(json.dumps(data))
    np.testing.assert_allclose(load_labelled(path, schema).points, POINTS)


def test_coco_people_without_a_body_are_passed_over(tmp_path: Path) -> None:
    """Only the face of the first person is labelled: none of MPII's landmarks, so nothing to cut out."""
    points = np.random.default_rng(0).uniform(10, 70, (2, 17, 2))
    visible = np.full((2, 17), 2)
    visible[0, 5:] = 0
    path = write_coco(tmp_path / "set", points, list(COCO_PERSON), visible)
    labelled = load_labelled(path, load_schema("mpii16"))
    assert len(labelled) == 1 and np.isfinite(labelled.box).all()
