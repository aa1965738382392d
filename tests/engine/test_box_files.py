"""Other makers' detectors as ONNX files: where their boxes lie, by class, and descriptions that do not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.box_files import BoxFile, claims
from engine.detect import make_detector
from engine.errors import UserError

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

# Of an input of 64 x 96 (H x W): a face twice, a person, one without a size.
BOXES = [[10, 20, 30, 40], [11, 20, 31, 40], [40, 10, 60, 50], [5, 5, 5, 5]]
SCORES = [[0.9, 0.1], [0.8, 0.1], [0.2, 0.7], [0.9, 0.9]]
NAMES = {"boxes": "places", "scores": "chances", "columns": {"face": 0, "person": 1}}


def net_file(path: Path, places: Any = BOXES, chances: Any = SCORES, **told: Any) -> Path:
    """A network that says the same of every picture as long as its brightest red is full."""
    from onnx import TensorProto, helper, numpy_helper

    kept = [
        numpy_helper.from_array(np.array(places, np.float32), "b"),
        numpy_helper.from_array(np.array(chances, np.float32), "s"),
        *(numpy_helper.from_array(np.array([n], np.int64), f"n{n}") for n in (0, 1)),
    ]
    nodes = [
        helper.make_node("Identity", ["b"], ["places"]),
        helper.make_node("Slice", ["picture", "n0", "n1", "n1"], ["red"]),
        helper.make_node("ReduceMax", ["red"], ["most"], keepdims=0),
        helper.make_node("Mul", ["s", "most"], ["chances"]),
    ]
    given = [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, 64, 96])]
    outputs = [helper.make_tensor_value_info("places", TensorProto.FLOAT, list(np.shape(places))),
               helper.make_tensor_value_info("chances", TensorProto.FLOAT, list(np.shape(chances)))]  # fmt: skip
    model = helper.make_model(helper.make_graph(nodes, "net", given, outputs, kept),
                              opset_imports=[helper.make_opsetid("", 11)], ir_version=8)  # fmt: skip
    path.write_bytes(model.SerializeToString())
    path.with_suffix(".json").write_text(json.dumps(NAMES | told))
    return path


def red(height: int, width: int) -> np.ndarray:
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0] = 255
    return picture


def test_boxes_of_both_classes_in_the_pixels_of_the_picture(tmp_path: Path) -> None:
    """A picture of 128 x 128 is shown at half its size; the face's second box is dropped, the empty one too."""
    found = make_detector(str(net_file(tmp_path / "n.onnx"))).detect(red(128, 128))
    assert [box.origin for box in found] == ["person", "face"]
    assert (found[0].cx, found[0].cy, found[0].side) == pytest.approx((99.5, 59.5, 80))
    assert (found[1].cx, found[1].cy, found[1].side) == pytest.approx((39.5, 59.5, 40))
    assert found[1].score == pytest.approx(0.9)


def test_forms_units_and_the_way_to_landmark_boxes(tmp_path: Path) -> None:
    """The middle, as shares of 96 x 64, with the face's landmarks 0.8 times as wide and a quarter lower."""
    told = {"form": "centre", "unit": "share", "columns": {"face": 1}, "side": 0.8, "drop": 0.25}
    path = net_file(tmp_path / "n.onnx", [[[0.5, 0.5, 0.25, 0.5]]], [[[0.1, 0.6]]], **told)
    (box,) = BoxFile(path).detect(red(64, 96))
    side = 0.8 * 32
    assert (box.cx, box.cy, box.side) == pytest.approx((47.5, 31.5 + 0.25 * side, side))
    assert box.origin == "face" and box.score == pytest.approx(0.6)


def test_scores_of_one_class_may_stand_in_a_row(tmp_path: Path) -> None:
    told = {"columns": {"person": 0}}
    for scores in ([0.1, 0.1, 0.9, 0.2], [[0.1, 0.1, 0.9, 0.2]]):
        (box,) = BoxFile(net_file(tmp_path / "n.onnx", BOXES, scores, **told)).detect(red(64, 96))
        assert box.origin == "person" and box.side == 40


def test_colours_and_range_reach_the_network(tmp_path: Path) -> None:
    picture = red(64, 96)[..., ::-1].copy()  # blue, on a picture that fills the input
    path = net_file(tmp_path / "n.onnx")
    assert BoxFile(path).detect(picture) == []
    net_file(path, colour="BGR")
    assert len(BoxFile(path).detect(picture)) == 2
    net_file(path, colour="BGR", mean=[0.5, 0.5, 0.5])
    assert BoxFile(path).detect(picture) == []  # half as sure


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"boxes": "absent"}, 'one output of places, chances as "boxes"'), ({"scores": None}, '"scores"'),
        ({"columns": {"dog": 0}}, "columns"), ({"columns": {"face": -1}}, "columns"), ({"columns": {}}, "columns"),
        ({"form": "round"}, "form"), ({"unit": "cm"}, "unit"), ({"threshold": 2}, "threshold"), ({"odd": 1}, "odd"),
        ({"std": [1, 0, 1]}, "std"),
    ],
)  # fmt: skip
def test_descriptions_that_do_not_fit(tmp_path: Path, told: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        BoxFile(net_file(tmp_path / "n.onnx", **told))


def test_outputs_that_are_no_boxes(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no boxes with scores"):
        BoxFile(net_file(tmp_path / "n.onnx", [[1, 2, 3]], [[0.9, 0.1]])).detect(red(64, 96))
    with pytest.raises(UserError, match="no column 7"):
        BoxFile(net_file(tmp_path / "n.onnx", columns={"face": 7})).detect(red(64, 96))


def test_what_it_claims(tmp_path: Path) -> None:
    path = net_file(tmp_path / "n.onnx")
    assert claims(path)
    path.with_suffix(".json").write_text('{"schema": "ibug68"}')
    assert not claims(path)
    path.with_suffix(".json").unlink()
    assert not claims(path)
    net_file(path).write_bytes(b"nothing")
    with pytest.raises(UserError, match="no ONNX model"):
        make_detector(str(path))
