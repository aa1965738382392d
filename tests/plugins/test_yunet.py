"""YuNet's files through OpenCV: which are its own, where its boxes lie, and files that do not run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.plugins import load_plugins
from engine.detect import make_detector
from engine.errors import UserError
from plugins.yunet import DROP, SIDE, YuNetFiles

onnx = pytest.importorskip("onnx")

STRIDES = (8, 16, 32)
WIDTH, HEIGHT = 48.0, 64.0  # of every face that the network below finds


def net_file(path: Path, broken: bool = False) -> Path:
    """A network with YuNet's outputs: of stride 16, a face stands in the middle of each white cell."""
    from onnx import TensorProto, helper, numpy_helper

    nodes, kept, outputs = [], [], []

    def constant(name: str, value: np.ndarray) -> str:
        kept.append(numpy_helper.from_array(value, name))
        return name

    for stride in STRIDES:
        nodes.append(helper.make_node("AveragePool", ["input"], [f"mean{stride}"], kernel_shape=[stride] * 2,
                                      strides=[stride] * 2))  # fmt: skip
        bright = np.full(3, 1 / 765 if stride == 16 else 0.0)
        for name, width, weight, bias in (
            ("cls", 1, bright, [0.0]), ("obj", 1, bright, [0.0]), ("kps", 10, np.zeros(3), [0.0] * 10),
            ("bbox", 4, np.zeros(3), [0.5, 0.5, np.log(WIDTH / stride), np.log(HEIGHT / stride)]),
        ):  # fmt: skip
            kernel = np.broadcast_to(weight, (width, 3)).reshape(width, 3, 1, 1)
            weights = constant(f"w{name}{stride}", kernel.astype(np.float32))
            biases = constant(f"b{name}{stride}", np.array(bias, np.float32))
            last = constant(f"s{name}{stride}", np.array([1, -1, width], np.int64))
            made = f"{name}{stride}"
            nodes += [
                helper.make_node("Conv", [f"mean{stride}", weights, biases], [f"{made}c"]),
                helper.make_node("Transpose", [f"{made}c"], [f"{made}t"], perm=[0, 2, 3, 1]),
                helper.make_node("Reshape", [f"{made}t", last], [f"{name}_{stride}"]),
            ]
            shape = [1, (640 // stride) ** 2, width]
            outputs.append(helper.make_tensor_value_info(f"{name}_{stride}", TensorProto.FLOAT, shape))
    given = [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 640, 640])]
    model = helper.make_model(helper.make_graph(nodes, "net", given, outputs, kept),
                              opset_imports=[helper.make_opsetid("", 11)])  # fmt: skip
    data = model.SerializeToString()
    path.write_bytes(b"damaged" + data if broken else data)
    return path


@pytest.fixture
def net(tmp_path: Path) -> Path:
    load_plugins()
    return net_file(tmp_path / "face_detection_yunet.onnx")


def test_boxes_are_landmark_boxes_in_the_pixels_of_the_picture(net: Path) -> None:
    """A white cell of 16 x 16; in a picture twice as large as is searched, one of 32 x 32."""
    for grow in (1, 2):
        picture = np.zeros((640 * grow, 640 * grow, 3), np.uint8)
        cell = 16 * grow
        picture[10 * cell : 11 * cell, 20 * cell : 21 * cell] = 255
        (box,) = make_detector(str(net)).detect(picture)
        side = SIDE * (WIDTH * HEIGHT) ** 0.5 * grow
        assert (box.cx, box.cy) == pytest.approx((20.5 * cell - 0.5, 10.5 * cell - 0.5 + DROP * side), abs=1e-2)
        assert box.side == pytest.approx(side, rel=1e-4) and box.origin == "face" and box.score == pytest.approx(1)


def test_no_face(net: Path) -> None:
    detector = make_detector(str(net))
    assert detector.detect(np.zeros((30, 50, 3), np.uint8)) == [] and detector.classes == ("face",)


def test_other_files_are_not_its_own(net: Path, tmp_path: Path) -> None:
    assert YuNetFiles().claims(net)
    other = tmp_path / "other.onnx"
    other.write_bytes(b"nothing of the kind")
    assert not YuNetFiles().claims(other)
    with pytest.raises(UserError, match="YuNet"):  # what is known is named
        make_detector(str(other))


def test_a_damaged_file_is_told_in_a_sentence(net: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read damaged.onnx"):
        make_detector(str(net_file(tmp_path / "damaged.onnx", broken=True)))
