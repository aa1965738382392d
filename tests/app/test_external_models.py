"""Other makers' networks in the library and on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from app.library import Library
from app.sources.synthetic import Synthetic
from engine import detect
from engine.errors import UserError
from engine.external import ExternalModel, read_external
from engine.images import encode_png
from engine.predictor import Predictor
from engine.runtime import open_runtime
from tests.app.cli_runner import hourbit
from tests.app.live_bench import Middle, Watcher, until
from tests.app.small import small_schema
from tests.engine.blobs import blob_picture
from tests.engine.foreign import light, save
from tests.source_tree import ROOT

SCHEMA = small_schema(3)
POINTS = np.array([[60.0, 44.0], [70.0, 58.0], [52.0, 66.0]])


@pytest.fixture
def net(tmp_path: Path) -> Path:
    """An ONNX file with its description beside it."""
    (tmp_path / "net.json").write_text(json.dumps({"schema": SCHEMA.to_json(), "name": "Light", "crop": 1.5}))
    return save(tmp_path / "net.onnx", light())


@pytest.fixture
def library(data_folder: Path) -> Library:
    return Library(data_folder)


def test_the_library_takes_one_in_renames_and_removes_it(library: Library, net: Path) -> None:
    entry = library.import_file(net)
    assert (entry.title, entry.schema, entry.origin, entry.external) == ("Light", SCHEMA.name, "imported", True)
    assert entry.path.parent == library.folder and entry.path.read_bytes() == net.read_bytes()
    assert isinstance(entry.model, ExternalModel) and entry.latents is None and not entry.problem
    again = library.import_file(net)
    assert again.path != entry.path and len(library.entries(SCHEMA.name)) == 2
    renamed = library.rename(entry, " Brighter ")
    assert renamed.title == entry.model.name == "Brighter" and again.model.name == "Light"
    with pytest.raises(UserError, match="1 to 200"):
        library.rename(entry, "x" * 201)
    library.remove(again)
    assert sorted(path.name for path in library.folder.iterdir()) == ["Light.json", "Light.onnx"]
    assert [e.title for e in Library(library.folder.parent).entries(SCHEMA.name)] == ["Brighter"]


def test_an_answered_description_goes_before_the_one_beside(library: Library, net: Path) -> None:
    entry = library.import_file(net, description={"schema": SCHEMA.to_json(), "output": "logits"})
    assert entry.title == "net" and entry.model.reading.logits and entry.model.crop == SCHEMA.crop


def test_it_is_adopted_and_predicts_like_any_other(library: Library, net: Path) -> None:
    entry = library.import_file(net)
    library.adopt(entry)
    assert library.in_use(SCHEMA.name).path == entry.path
    crop = np.full((64, 64, 3), 128, np.uint8)
    assert np.allclose(open_runtime(library.in_use(SCHEMA.name).model).run(crop), 128 / 255, atol=1e-5)


def test_exported_it_can_be_opened_elsewhere(library: Library, net: Path, tmp_path: Path) -> None:
    entry = library.import_file(net)
    (tmp_path / "out").mkdir()
    library.export_file(entry, tmp_path / "out" / "copy.onnx")
    assert read_external(tmp_path / "out" / "copy.onnx").sha256 == entry.model.sha256


def test_what_was_damaged_in_the_library_is_listed_as_such(library: Library, net: Path) -> None:
    entry = library.import_file(net)
    entry.path.with_suffix(".json").write_text("{")
    (found,) = [e for e in library.entries() if e.path == entry.path]
    assert "is no JSON" in found.problem
    with pytest.raises(UserError):
        library.adopt(found)


def test_a_file_that_does_not_fit_leaves_nothing(library: Library, net: Path) -> None:
    (net.parent / "net.json").write_text(json.dumps({"schema": "ibug68"}))
    with pytest.raises(UserError, match="3 heatmaps for the schema's 68 landmarks; choose another schema"):
        library.import_file(net)
    with pytest.raises(UserError, match="cannot be read"):
        library.import_file(net.with_name("none.onnx"))
    assert not list(library.folder.glob("*"))


def test_listing_loads_no_runtime(library: Library, net: Path) -> None:
    library.import_file(net)
    code = (
        "import sys; from app.commands.lookup import library; import app.main; e = library().entries('first3'); "
        "print(e[0].title, e[0].model.landmarks, [n for n in ('onnx', 'onnxruntime') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "Light 3 []", done.stderr


def test_add_info_and_models(net: Path, tmp_path: Path) -> None:
    told = hourbit("model", "add", net, "--json").json
    assert (told["name"], told["schema"], told["landmarks"]) == ("Light", SCHEMA.name, 3)
    assert (told["input"], told["heatmap"], told["crop"]) == ([64, 64], [16, 16], 1.5)
    shown = hourbit("model", "info", "Light", "--json")
    assert shown.code == 0 and shown.json == told
    assert "first3" in hourbit("model", "info", net).out
    (listed,) = [m for m in hourbit("models", "--json").json if m["path"].endswith(".onnx")]
    assert (listed["landmarks"], listed["schema"]) == (3, SCHEMA.name)


def test_add_with_options(net: Path, tmp_path: Path) -> None:
    told = hourbit("model", "add", net, "--crop", 2, "--output", "logits", "--range", 255, "--json").json
    assert told["crop"] == 2 and told["description"]["output"] == "logits" and told["description"]["range"] == 255
    (net.parent / "net.json").unlink()
    wrong = hourbit("model", "add", net, "--schema", "ibug68")
    assert wrong.code == 2 and "3 heatmaps for the schema's 68" in wrong.err
    assert "net.json beside it" in hourbit("model", "add", net).err
    assert hourbit("model", "add", tmp_path / "none.onnx").code == 2


def test_add_takes_our_own_models_too(tmp_path: Path) -> None:
    path = tmp_path / "m.hourbit"
    size = ("--width", 32, "--stem", 16, "--input", 64)
    assert hourbit("model", "new", path, "--landmarks", 5, *size).code == 0
    assert hourbit("model", "add", path, "--json").json["schema"] == "numbered5"
    assert "--crop is for .onnx files" in hourbit("model", "add", path, "--crop", 2).err


def test_predict_finds_the_light(net: Path, tmp_path: Path) -> None:
    picture = tmp_path / "light.png"
    picture.write_bytes(encode_png(blob_picture(POINTS, 120, 120, 3.0)))
    out = tmp_path / "labels.json"
    ran = hourbit("predict", picture, "--model", net, "--detector", "whole", "--out", out, "--json")
    assert ran.code == 0, ran.err
    (found,) = json.loads(out.read_text())["annotations"]
    assert np.abs(np.reshape(found["keypoints"], (3, 3))[:, :2] - POINTS).max() < 1.5


@pytest.mark.parametrize("command", [("verify",), ("export", "x.onnx"), ("export", "x.onnx", "--twin")])
def test_what_needs_a_model_of_ours_says_so(net: Path, command: tuple[str, ...]) -> None:
    ran = hourbit("model", command[0], net, *command[1:])
    assert ran.code == 2 and "Light is another maker's network; this needs a Hourbit model." in ran.err


def test_live_runs_it_like_any_other(net: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = Middle()
    monkeypatch.setitem(detect.DETECTORS, "middle", lambda runtime=None: detector)
    watcher = Watcher()
    watcher.pipeline.set_runtime(open_runtime(read_external(net)))
    watcher.pipeline.start(Synthetic.endless(0.01))
    until(lambda: len(watcher.results) >= 3)
    watcher.pipeline.stop()
    until(lambda: not [t for t in threading.enumerate() if t.name in ("grab", "predict")])
    result = watcher.results[-1]
    expected = Predictor(watcher.pipeline.runtime, detector).predict_box(
        result.frame.pixels, result.subjects[0].prediction.box
    )
    assert np.array_equal(result.subjects[0].prediction.landmarks, expected.landmarks)
    assert result.subjects[0].prediction.model == "Light"
