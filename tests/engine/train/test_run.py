"""A whole training in this process: from the start line to a model file, with what it says meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from engine.errors import UserError  # noqa: E402
from engine.modelfile import Model, read_model, write_model  # noqa: E402
from engine.runtime import open_runtime  # noqa: E402
from engine.train.finish import LATENTS  # noqa: E402
from engine.train.run import run  # noqa: E402
from tests.engine.blobs import small_model  # noqa: E402
from tests.engine.packfile import blob_points, write_pack  # noqa: E402

SETTINGS = {"steps": 6, "batch": 4, "bf16": False, "exact": False, "flip": False, "erase": 0.0, "evaluate_every": 2}


class Told:
    """The other side of a training: keeps its records, and stops it after a step."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.records: list[dict[str, Any]] = []
        self.stopping, self.stop_at = False, stop_at
        self.go = threading.Event()
        self.go.set()

    def send(self, type: str, **values: Any) -> None:
        self.records.append({"type": type, **values})
        self.stopping = self.stopping or (type == "progress" and values["step"] == self.stop_at)

    def of(self, type: str) -> list[dict[str, Any]]:
        return [record for record in self.records if record["type"] == type]

    @property
    def metrics(self) -> dict[str, Any]:
        return self.of("done")[0]["metrics"]


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return write_model(tmp_path / "old.hourbit", small_model(3))


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    names = np.array([f"digest {n}".encode() for n in range(10)])
    return write_pack(tmp_path / "labels.npz", blob_points(10), holdout=np.arange(10) % 3 == 0, id=names)


def train(tmp_path: Path, pack: Path, model: Model | None, folder: str = "run", stop_at: int | None = None, **more):
    told = Told(stop_at)
    settings = SETTINGS | more.pop("settings", {})
    start = {
        "type": "start", "snapshot": [str(pack)], "settings": settings, "out": str(tmp_path / folder), "seed": 3,
        "name": "new", "date": "2026-01-02",
    }  # fmt: skip
    if model is not None:
        start["from"] = str(model.path)
    run(start | more, told.send, told)
    return told


def test_a_model_comes_out_that_the_engine_runs(tmp_path: Path, pack: Path, model: Model) -> None:
    told = train(tmp_path, pack, model)
    done = told.of("done")[0]
    made = read_model(done["model"])
    assert made.sha256 == done["sha256"] != model.sha256
    assert made.architecture == model.architecture and made.crop == model.crop and made.name == "new"
    assert made.card["parent"] == model.name and made.card["parent sha256"] == model.sha256
    assert made.card["date"] == "2026-01-02" and made.card["labels"] == 6 and made.card["held out"] == 4
    assert Path(done["model"]).with_suffix("").with_name(f"model{LATENTS}").is_file()
    assert open_runtime(made, "reference").run(np.zeros((64, 64, 3), np.uint8)).shape == (3, 16, 16)
    assert [record["step"] for record in told.of("progress")] == [1, 2, 3, 4, 5, 6]
    assert [record["type"] for record in told.records[-3:]] == ["finishing", "sample", "done"]


def test_the_figures_fit_each_other(tmp_path: Path, pack: Path, model: Model) -> None:
    told = train(tmp_path, pack, model)
    metrics, measured = told.metrics, told.of("metric")
    assert measured[0]["step"] == 0 and measured[0]["nme"] == metrics["before"]
    assert [record["step"] for record in measured] == [0, 2, 4, 6]
    assert len(metrics["before_images"]) == len(metrics["after_images"]) == 4
    for when in ("before", "after"):
        assert np.mean(metrics[f"{when}_images"]) == pytest.approx(metrics[when], abs=0.01)
    assert read_model(told.of("done")[0]["model"]).card["hold-out"]["nme"] == metrics["after"]


def test_before_is_what_the_old_model_does_and_after_what_the_new_one_does(
    tmp_path: Path, pack: Path, model: Model
) -> None:
    """A second training that starts from the first one's model finds as its `before` what the first called `after`."""
    first = train(tmp_path, pack, model)
    made = read_model(first.of("done")[0]["model"])
    second = train(tmp_path, pack, made, "second", settings={"steps": 1})
    assert second.metrics["before"] == pytest.approx(first.metrics["after"], rel=1e-6)


def test_the_best_weights_are_kept_not_the_last(tmp_path: Path, pack: Path, model: Model) -> None:
    wild = {"rate": 0.05, "warmup": 0, "steps": 12, "evaluate_every": 1}
    told = train(tmp_path, pack, model, settings=wild)
    scores = [record["nme"] for record in told.of("metric") if record["step"]]
    assert len(scores) == 12
    assert told.metrics["after"] <= min(scores) + 1e-6
    again = train(tmp_path, pack, read_model(told.of("done")[0]["model"]), "again", settings={"steps": 1})
    assert again.metrics["before"] == pytest.approx(told.metrics["after"], rel=1e-6)  # the file holds the best ones


def test_stop_ends_early_with_a_model(tmp_path: Path, pack: Path, model: Model) -> None:
    told = train(tmp_path, pack, model, stop_at=2, settings={"steps": 100_000})
    assert len(told.of("progress")) == 2 and told.metrics["step"] == 2
    read_model(told.of("done")[0]["model"])


def test_a_resumed_run_gives_the_same_model(tmp_path: Path, pack: Path, model: Model) -> None:
    whole = train(tmp_path, pack, model, "whole", settings={"evaluate_every": 1})
    train(tmp_path, pack, model, "parts", stop_at=3, settings={"evaluate_every": 1})
    rest = train(tmp_path, pack, model, "parts", resume=True, settings={"evaluate_every": 1})
    assert [record["step"] for record in rest.of("progress")] == [4, 5, 6]
    assert rest.metrics["before"] == whole.metrics["before"]  # the old model's figure, not the checkpoint's
    assert rest.metrics["best_step"] == whole.metrics["best_step"]
    assert rest.of("done")[0]["sha256"] == whole.of("done")[0]["sha256"]


def test_the_worst_pictures_are_kept_to_be_looked_at(tmp_path: Path, pack: Path, model: Model) -> None:
    told = train(tmp_path, pack, model)
    with np.load(told.of("sample")[0]["path"], allow_pickle=False) as data:
        worst = dict(data)
    assert worst["picture"].shape == (4, 64, 64, 3) and worst["picture"].dtype == np.uint8
    assert sorted(worst["id"].tolist()) == [b"digest 0", b"digest 3", b"digest 6", b"digest 9"]
    assert (np.diff(worst["error_after"]) <= 0).all()
    assert sorted(worst["error_after"].round(1)) == pytest.approx(
        sorted(np.round(told.metrics["after_images"], 1)), abs=0.11
    )
    for n, picture in enumerate(worst["picture"]):  # each label lies on the spot of its own colour
        for k in range(3):
            x, y = worst["truth"][n, k].round().astype(int)
            assert picture[y, x, k] > 200


def test_from_scratch_and_without_a_holdout(tmp_path: Path) -> None:
    pack = write_pack(tmp_path / "p.npz", np.tile(blob_points(2), (1, 6, 1))[:, :16], pictures=blob_points(2),
                      holdout=np.zeros(2, bool))  # fmt: skip
    told = train(tmp_path, pack, None, schema="mpii16", recipe="ours-pose",
                 settings={"steps": 2, "batch": 2, "width": 32, "stem": 16, "side": 64})  # fmt: skip
    assert told.metrics["before"] is None and told.metrics["after"] is None and told.metrics["labels"] == 2
    assert read_model(told.of("done")[0]["model"]).architecture.width == 32


def test_a_recipe_may_come_as_settings(tmp_path: Path, pack: Path, model: Model) -> None:
    told = train(tmp_path, pack, model, recipe={"steps": 1})
    assert len(told.of("progress")) == 1 and read_model(told.of("done")[0]["model"]).card["recipe"] == "finetune"


def test_a_model_goes_on_with_another_input(tmp_path: Path, pack: Path, model: Model) -> None:
    told = train(tmp_path, pack, model, settings={"steps": 1, "resize": 128, "rate": 0.0})
    made = read_model(told.of("done")[0]["model"])
    assert (model.side, made.side) == (64, 128) and made.crop == model.crop
    assert all(np.array_equal(made.tensors[n], model.tensors[n]) for n in model.tensors if n.endswith(".bits"))
    again = train(tmp_path, pack, made, "again", settings={"steps": 1})
    assert read_model(again.of("done")[0]["model"]).side == 128
    with pytest.raises(UserError, match="multiple of 64"):
        train(tmp_path, pack, model, "odd", settings={"steps": 1, "resize": 100})


def test_what_cannot_be_trained_with_is_refused(tmp_path: Path, pack: Path, model: Model) -> None:
    all_held = write_pack(tmp_path / "held.npz", blob_points(2), holdout=np.ones(2, bool))
    blank = write_pack(tmp_path / "blank.npz", blob_points(2), holdout=np.zeros(2, bool), weight=np.zeros((2, 3)))
    broken = tmp_path / "broken.npz"
    broken.write_bytes(pack.read_bytes()[:900])
    picture = write_pack(tmp_path / "picture.npz", blob_points(2), blob=np.zeros(2, np.uint8),
                         offsets=np.array([0, 1, 2]))  # fmt: skip
    for path, sentence in (
        (tmp_path / "none.npz", "no training data"), (all_held, "no labels to train with"), (blank, "has a landmark"),
        (broken, "broken.npz"), (picture, "picture.npz"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=sentence):
            train(tmp_path, path, model)
    with pytest.raises(UserError, match="16"):
        train(tmp_path, pack, None, schema="mpii16")
    for settings in ({"batch": 1}, {"steps": 0}, {"speed": 1}):
        with pytest.raises(UserError):
            train(tmp_path, pack, model, settings=settings)
    with pytest.raises(UserError, match="no longer a number"):
        train(tmp_path, pack, model, settings={"rate": 1e30, "warmup": 0})
    assert not list(tmp_path.rglob("run/*.hourbit"))
