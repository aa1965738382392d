"""Training a detector: views and their boxes, goals, the loss, and a run from scene pack to model file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from engine.errors import UserError  # noqa: E402
from engine.images import encode_png  # noqa: E402
from engine.modelfile import read_model  # noqa: E402
from engine.squares import CLASSES, MAPS, is_detector, read_squares, thresholds  # noqa: E402
from engine.train import thresholds as choosing  # noqa: E402
from engine.train.detector import DetectorFit, new_network, view_side  # noqa: E402
from engine.train.finish import latents_path  # noqa: E402
from engine.train.goals import detection_loss, make_goal, stack  # noqa: E402
from engine.train.recipes import Recipe, with_settings  # noqa: E402
from engine.train.run import run  # noqa: E402
from engine.train.scenes import Scenes, read_scenes  # noqa: E402
from engine.train.views import View, make_view, plain_view  # noqa: E402
from engine.train.worker import Orders  # noqa: E402

FACE, PERSON, NO_FACE, NO_PERSON = range(2 * len(CLASSES))
SMALL = {"width": 32, "stem": 16, "side": 64, "batch": 4, "steps": 3, "holdout_every": 3, "warmup": 1, "ema": 0.5,
         "rotation": 5.0, "rotation_limit": 10.0, "evaluate_every": 2, "checkpoint_every": 2}  # fmt: skip


def disc_pack(path: Path, count: int = 9) -> Path:
    """Grey pictures of 96 x 64, each with a bright disc: a face that its box encloses. People are not labelled."""
    rng, files, boxes = np.random.default_rng(3), [], []
    y, x = np.mgrid[:64, :96]
    for _ in range(count):
        cx, cy, r = rng.uniform(20, 76), rng.uniform(20, 44), rng.uniform(8, 16)
        picture = np.full((64, 96, 3), 60, np.uint8)
        picture[(x - cx) ** 2 + (y - cy) ** 2 <= r * r] = (240, 200, 180)
        files.append(encode_png(picture))
        boxes.append([cx - r, cy - r, cx + r, cy + r])
    no, ends = np.zeros((0, 4)), np.arange(count + 1)
    np.savez(
        path, blob=np.frombuffer(b"".join(files), np.uint8), offsets=np.cumsum([0, *map(len, files)]),
        face_boxes=np.array(boxes), face_offsets=ends, face_kind=np.full(count, b"human"),
        person_boxes=no, person_offsets=np.zeros(count + 1, int), person_kind=np.zeros(0, "S5"),
        person_known=np.zeros(count, bool), ignore_boxes=no, ignore_offsets=np.zeros(count + 1, int),
        ignore_class=np.zeros(0, np.uint8), source=np.array([b"a"] * (count - 1) + [b"b"]),
    )  # fmt: skip
    return path


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return disc_pack(tmp_path / "scenes.npz")


@pytest.fixture
def scenes(pack: Path) -> Scenes:
    return read_scenes([pack], 1000)[0]


def recipe(**settings: Any) -> Recipe:
    return with_settings(Recipe(), SMALL | settings)


def test_packs_are_divided_by_picture_and_small_sources_count_more(pack: Path) -> None:
    training, holdout = read_scenes([pack], 3)
    assert len(training) + len(holdout) == 9 and 0 < len(holdout) < len(training)
    assert read_scenes([pack], 3)[1].scenes[0].boxes.tolist() == holdout.scenes[0].boxes.tolist()
    everything, none = read_scenes([pack], 10**9)
    assert len(none) == 0 and everything.until[-1] == pytest.approx(1)
    share = np.diff(np.concatenate([[0], everything.until]))
    assert share[-1] == pytest.approx(np.sqrt(8) * share[0])


def test_boxes_stay_on_what_they_enclose(scenes: Scenes) -> None:
    """Where a face counts, the pixels inside its inscribed circle are brighter than those around it."""
    plain = recipe(colour=0.0, light=0.0, offset=0.0, grey=0.0, blur=0.0, erase=0.0)
    seen = 0
    for n in range(40):
        view = make_view(scenes, plain, 128, np.random.default_rng(n))
        y, x = np.mgrid[:128, :128]
        for box in view.boxes[view.kind == FACE]:
            far = np.hypot(x - box[0], y - box[1]) / (box[2:].max() / 2)
            if box[2] < 12:
                continue
            seen += 1
            assert view.picture[far < 0.7].mean() > 150, n
            assert view.picture[(far > 1.1) & (far < 1.3)].mean() < view.picture[far < 0.7].mean(), n
    assert seen > 30


def test_a_view_depends_on_its_number_alone(scenes: Scenes) -> None:
    one, same, other = (make_view(scenes, recipe(), 64, np.random.default_rng([0, n])) for n in (5, 5, 6))
    assert np.array_equal(one.picture, same.picture) and np.array_equal(one.boxes, same.boxes)
    assert not np.array_equal(one.picture, other.picture)


def test_the_plain_view_is_what_the_detector_will_see(scenes: Scenes) -> None:
    scene = scenes.scenes[0]
    view = plain_view(scene, 192)
    assert view.boxes[0] == pytest.approx([*((scene.boxes[0, :2] + 0.5) * 2 - 0.5 + (0, 32)), *scene.boxes[0, 2:] * 2])


def view_of(boxes: list[list[float]], kind: list[int], known: tuple[bool, bool] = (True, True)) -> View:
    tiles = ((0, 0, 64, 64, np.array(known)),)
    return View(np.zeros((64, 64, 3), np.uint8), np.array(boxes, float).reshape(-1, 4), np.array(kind, int), tiles)


def test_a_goal_read_back_gives_its_boxes() -> None:
    goal = make_goal(view_of([[20.3, 31.7, 16, 12], [45.0, 20.0, 10, 30]], [FACE, PERSON]), 16, 4)
    maps = np.zeros((8, 16, 16), np.float32)
    maps[::MAPS] = np.where(goal.centre > 0.5, 10 * goal.centre, -10)
    maps[1::MAPS], maps[2::MAPS], maps[3::MAPS] = goal.size, goal.dx, goal.dy
    faces, people = read_squares(maps, {"face": 0.9, "person": 0.9})
    assert faces[0, :3] == pytest.approx([20.3, 31.7, 16], abs=1e-3)
    assert people[0, :3] == pytest.approx([45, 20, 30], abs=1e-3)
    assert goal.counted.min() == 1


def test_what_is_unknown_or_ignored_does_not_count() -> None:
    goal = make_goal(view_of([[32.0, 32.0, 24, 24]], [NO_FACE], (True, False)), 16, 4)
    assert goal.counted[0, 8, 8] == 0 and goal.counted[0, 0, 0] == 1 and goal.counted[1].max() == 0
    assert goal.centre.max() == 0 and goal.near.max() == 0
    both = make_goal(view_of([[32.0, 32.0, 24, 24], [32.0, 32.0, 20, 20]], [NO_FACE, FACE]), 16, 4)
    assert both.counted[0, 8, 8] == 1 and both.centre[0].max() > 0.7


def test_the_loss_is_least_for_what_is_wanted() -> None:
    goal = stack([make_goal(view_of([[20.0, 30.0, 16, 16]], [FACE]), 16, 4)])
    right = torch.zeros(1, 8, 16, 16)
    right[:, ::MAPS] = torch.where(goal["centre"] > 0.99 * goal["centre"].max(), 8.0, -8.0)
    for part, name in enumerate(("size", "dx", "dy"), 1):
        right[:, part::MAPS] = goal[name]
    least = detection_loss(right, goal).item()
    assert least < 0.05
    for part in range(MAPS):
        wrong = right.clone()
        wrong[:, part] += 1.0 if part else -6 * torch.sign(right[:, 0])
        assert detection_loss(wrong, goal).item() > least + 0.1, part
    unknown = goal | {"counted": torch.zeros_like(goal["counted"]), "near": torch.zeros_like(goal["near"])}
    assert detection_loss(torch.randn(1, 8, 16, 16), unknown).item() == 0


def test_small_views_come_first() -> None:
    assert [view_side(192, done) for done in (0.0, 0.39, 0.41, 1.0)] == [128, 128, 192, 192]
    assert view_side(64, 0.0) == 64


def fit(scenes: Scenes, folder: Path, seed: int = 0, **settings: Any) -> DetectorFit:
    folder.mkdir(exist_ok=True)
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    made = recipe(bf16=False, **settings)
    return DetectorFit(new_network(made), scenes, Scenes((), np.zeros(0)), made, folder)


def test_it_learns_and_finds_the_discs(scenes: Scenes, tmp_path: Path) -> None:
    trained = fit(scenes, tmp_path / "run", steps=30, batch=4, rate=6e-3, checkpoint_every=1000)
    losses = [record["loss"] for record in trained.run() if record["type"] == "progress"]
    assert np.mean(losses[-6:]) < 0.75 * np.mean(losses[:6])


def test_a_resumed_run_ends_where_an_unbroken_one_does(scenes: Scenes, tmp_path: Path) -> None:
    whole = fit(scenes, tmp_path / "whole")
    assert sum(record["type"] == "progress" for record in whole.run()) == 3
    first = fit(scenes, tmp_path / "parts")
    for record in first.run():
        first.stopping = record["step"] == 2
    second = fit(scenes, tmp_path / "parts", seed=9)
    assert second.resume() and second.step == 2
    list(second.run())
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[name]), name


@pytest.fixture
def start(pack: Path, tmp_path: Path) -> dict[str, Any]:
    return {"snapshot": [str(pack)], "schema": "detect", "settings": SMALL, "out": str(tmp_path / "out"),
            "date": "2026-01-02"}  # fmt: skip


def trained(start: dict[str, Any]) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    run(start, lambda type, **values: records.append({"type": type, **values}), Orders())
    return records


def test_from_scene_pack_to_model_file(start: dict[str, Any]) -> None:
    records = trained(start)
    kinds = [record["type"] for record in records]
    assert kinds[-2:] == ["finishing", "done"] and {"progress", "metric", "checkpoint"} <= set(kinds)
    model = read_model(records[-1]["model"])
    assert is_detector(model.schema) and model.crop == 1 and model.card["date"] == "2026-01-02"
    assert 0 < thresholds(model.card)["face"] < 1 and latents_path(model.path).is_file()
    assert records[-1]["metrics"]["steps"] == 3 and "face recall" in records[-1]["metrics"]
    again = trained(start | {"from": str(model.path), "out": str(model.path.parent / "more"), "schema": None})
    further = read_model(again[-1]["model"])
    assert further.card["parent sha256"] == model.sha256 and further.architecture == model.architecture


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"snapshot": []}, "scene pack"), ({"snapshot": ["absent.npz"]}, "absent.npz is no scene pack"),
        ({"out": ""}, "folder"), ({"settings": {"speed": 1}}, "No setting"), ({"device": "cuda"}, "CUDA"),
        ({"from": "absent.hourbit"}, "absent.hourbit"),
    ],
)  # fmt: skip
def test_faults_of_a_start_line(start: dict[str, Any], changes: dict[str, Any], sentence: str) -> None:
    if "device" in changes and torch.cuda.is_available():
        pytest.skip("needs a machine without CUDA")
    with pytest.raises(UserError, match=sentence):
        trained(start | changes)


def test_thresholds_are_as_willing_as_false_alarms_allow(monkeypatch: pytest.MonkeyPatch, scenes: Scenes) -> None:
    """Ten pictures with a face at score 0.6 each; two have a false one at 0.5, which is one too many for a tenth."""
    face, wrong = [20.0, 20, 10, 0.6], [50.0, 50, 10, 0.5]
    found = [
        (view_of([[20, 20, 10, 10]], [FACE], (True, False)), [np.array([face, wrong][: 1 + (n < 2)]), np.zeros((0, 4))])
        for n in range(10)
    ]
    monkeypatch.setattr(choosing, "detections", lambda *_: found)
    least, told = choosing.choose(None, scenes, torch.device("cpu"))
    assert least == {"face": 0.51, "person": choosing.THRESHOLD}
    assert told["face"]["recall"] == 100 and told["face"]["false alarms a picture"] == 0 and "person" not in told
