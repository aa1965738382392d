"""hourbit model, bench and evaluate: numbers of the network, equality of the runtimes, timing."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from engine.graph import Architecture
from engine.modelfile import make_model, read_model, write_model
from engine.random_model import generic_schema, random_model
from engine.runtime import available_isas, open_runtime
from engine.schema import schema_from_json
from tests.app.cli_runner import hourbit
from tests.engine.test_scene_detector import small_detector

SMALL = ("--width", 32, "--stem", 16, "--input", 64)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.hourbit"
    assert hourbit("model", "new", path, "--landmarks", 5, *SMALL).code == 0
    return path


def test_new_has_the_papers_numbers(tmp_path: Path) -> None:
    ran = hourbit("model", "new", tmp_path / "full.hourbit", "--json")
    value = ran.json
    assert ran.code == 0
    assert (value["landmarks"], value["width"], value["stem"]) == (16, 256, 64)
    assert (value["input"], value["heatmap"]) == (256, 64)
    assert (value["stacks"], value["binary"], value["pad"], value["relu"]) == (1, True, -1, False)
    assert (value["binary_convolutions"], value["binary_weights"], value["parameters"]) == (54, 6207488, 6236560)
    assert value["macs"] == {"binary": 8042381312, "real": 170917888}
    assert value["bytes"] == (tmp_path / "full.hourbit").stat().st_size <= 950_000
    assert value["float_bytes"] == 4 * 6236560
    assert value["schema"] == "mpii16" and value["block"] == "hierarchical"


def test_info_tells_what_new_wrote(small: Path) -> None:
    told = hourbit("model", "info", small, "--json").json
    assert told["name"] == "small" and told["landmarks"] == 5 and told["schema"] == "numbered5"
    assert told["sha256"] == read_model(small).sha256 and len(told["sha256"]) == 64
    assert "random" in told["card"]["data"]
    lines = hourbit("model", "info", small).out
    assert "numbered5" in lines and told["sha256"] in lines


def test_info_has_a_line_for_each_entry_of_the_card(small: Path, tmp_path: Path) -> None:
    card = {"data": ["a", "b"], "tests": {"first": "NME 3 %", "second": "NME 4 %"}, "groups": {"Eye": 2.5, "Jaw": 7}}
    model, path = read_model(small), tmp_path / "told.hourbit"
    write_model(path, make_model("told", model.architecture, model.schema, model.tensors, card))
    lines = [line.split(maxsplit=1) for line in hourbit("model", "info", path).out.splitlines() if "card:" in line]
    told = {" ".join(rest.split()) for _, rest in lines}
    assert told == {"data a; b", "tests: first NME 3 %", "tests: second NME 4 %", "groups Eye 2.5, Jaw 7"}


def test_a_detector_finds_no_landmarks_but_boxes(tmp_path: Path) -> None:
    path = tmp_path / "mine.hourbit"
    write_model(path, small_detector(thresholds={"face": 0.25, "person": 0.75}))
    value = hourbit("model", "info", path, "--json").json
    assert (value["landmarks"], value["maps"], value["schema"]) == (0, 8, "detect")
    assert value["finds"] == {"face": 0.25, "person": 0.75}
    lines = [" ".join(line.split()) for line in hourbit("model", "info", path).out.splitlines()]
    assert "finds face 0.25, person 0.75" in lines
    assert "64 x 64, 8 maps, threads: 1" in hourbit("bench", path, "--rounds", "1", "--runtime", "reference").out
    told = hourbit("model", "verify", path, "--json").json
    assert told["differing"] == 0 and told["compared"] > 0
    assert hourbit("bench", path, "--rounds", "1", "--runtime", "reference", "--json").json["entries"]


def test_same_seed_same_model_and_another_seed_another(tmp_path: Path) -> None:
    digests = []
    for seed in (3, 3, 4):
        path = tmp_path / "m.hourbit"
        digests.append(hourbit("model", "new", path, "--seed", seed, *SMALL, "--json").json["sha256"])
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(("count", "schema"), [(68, "ibug68"), (16, "mpii16"), (1, "numbered1"), (7, "numbered7")])
def test_schema_follows_the_number_of_landmarks(tmp_path: Path, count: int, schema: str) -> None:
    made = hourbit("model", "new", tmp_path / "m.hourbit", "--landmarks", count, *SMALL, "--json").json
    assert (made["schema"], made["landmarks"]) == (schema, count)


def test_a_schema_of_another_size_is_refused(tmp_path: Path) -> None:
    ran = hourbit("model", "new", tmp_path / "m.hourbit", "--landmarks", 5, "--schema", "ibug68", *SMALL)
    assert ran.code == 2 and not list(tmp_path.iterdir())


def test_pad_and_relu_reach_the_file(tmp_path: Path) -> None:
    made = hourbit("model", "new", tmp_path / "m.hourbit", "--pad", 0, "--relu", *SMALL, "--json").json
    assert (made["pad"], made["relu"]) == (0, True)


def test_all_that_the_paper_compares_reaches_the_file(tmp_path: Path) -> None:
    path, words = tmp_path / "m.hourbit", ("--block", "bottleneck", "--stacks", 2, "--pool", "average", "--mid", 12)
    made = hourbit("model", "new", path, *words, *SMALL, "--json").json
    assert [made[key] for key in ("block", "stacks", "pool", "mid", "binary")] == ["bottleneck", 2, "average", 12, True]
    told = hourbit("model", "info", path, "--json").json
    assert told == made
    ran = hourbit("model", "verify", path, "--images", 1, "--json")
    assert (ran.code, ran.json["differing"]) == (0, 0) and ran.json["compared"] > 5 * 16 * 16


def test_real_networks_in_32_and_16_bits(tmp_path: Path) -> None:
    path, sizes = tmp_path / "m.hourbit", []
    for more in ((), ("--half",)):
        made = hourbit("model", "new", path, "--real", "--block", "multiscale", *more, *SMALL, "--json").json
        assert (made["binary"], made["binary_weights"], made["macs"]["binary"]) == (False, 0, 0)
        sizes.append(made["bytes"])
    assert sizes[1] < 0.65 * sizes[0]
    ran = hourbit("model", "verify", path, "--images", 1, "--json")
    assert (ran.code, ran.json["by"]) == (0, {}) and ran.json["onnx_max_abs"] < 1e-3
    assert open_runtime(read_model(path)).name == "onnx"


@pytest.mark.parametrize(("words", "told"), [
    (("--half",), "--half is for --real"), (("--block", "wide"), "Unknown block 'wide'; use one of bottleneck"),
    (("--stacks", 9), "stacks must be 1 to 8"), (("--pool", "min"), "Unknown pool"), (("--mid", 6), "has no mid"),
    (("--block", "wider", "--mid", 5), "even number"),
])  # fmt: skip
def test_impossible_networks_are_one_sentence(tmp_path: Path, words: tuple, told: str) -> None:
    ran = hourbit("model", "new", tmp_path / "m.hourbit", *words)
    assert ran.code == 2 and told in ran.err and not list(tmp_path.iterdir())


def test_generic_schema_is_one_that_can_be_read_back() -> None:
    for count in (1, 2, 30):
        assert schema_from_json(generic_schema(count).to_json()) == generic_schema(count)


def test_random_weights_keep_signals_alive() -> None:
    model = random_model("m", Architecture(5, width=32, stem=16, side=64))
    logits = open_runtime(model, "reference").run(
        np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8), logits=True
    )
    assert np.isfinite(logits).all() and 0.05 < logits.std() < 20
    assert all(logits[k].std() > 0.01 for k in range(5))


def test_verify_compares_every_instruction_set(small: Path) -> None:
    ran = hourbit("model", "verify", small, "--images", 1, "--json")
    value = ran.json
    assert ran.code == 0 and value["differing"] == 0 and value["compared"] > 0
    assert {"compared", "differing", "by", "absent", "onnx_max_abs"} <= set(value)
    assert set(available_isas()) <= set(value["by"])


def test_verify_fails_where_logits_differ(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"compared": 9, "differing": 2, "by": {"scalar": 2}, "absent": [], "onnx_max_abs": None}
    monkeypatch.setattr("engine.verify.verify", lambda model, images: wrong)
    assert hourbit("model", "verify", small).code == 1


def test_export_writes_onnx(small: Path, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    out = tmp_path / "small.onnx"
    value = hourbit("model", "export", small, out, "--json").json
    proto = onnx.load(str(out))
    assert value == {"path": str(out), "opset": proto.opset_import[0].version}
    assert [source.name for source in proto.graph.input] == ["crop"]


def test_export_writes_the_twin(small: Path, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    out = tmp_path / "twin.onnx"
    assert set(hourbit("model", "export", small, out, "--twin", "--json").json) == {"path", "opset"}
    assert [source.name for source in onnx.load(str(out)).graph.input] == ["image"]


def test_bench_times_all_in_turns(small: Path) -> None:
    value = hourbit("bench", small, "--rounds", 2, "--json").json
    assert set(value) - {"absent"} == {"model", "threads", "entries", "ratios", "stages"}
    names = [entry["name"] for entry in value["entries"]]
    assert {f"packed {isa}" for isa in available_isas()} | {"reference"} <= set(names)
    assert all(entry["wall_ms"] > 0 and entry["cpu_ms"] >= 0 for entry in value["entries"])
    assert len(value["ratios"]) == len(names) - 1
    assert [found["isa"] for found in value["stages"]] == available_isas()
    for found in value["stages"]:
        shares = [stage["share"] for stage in found["stages"] if stage["name"].startswith("conv")]
        assert shares and all(0 < share < 1.5 for share in shares) and found["bound"] > 1


def test_bench_names_the_peers_that_are_not_installed(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    value = hourbit("bench", small, "--peers", "--runtime", "reference", "--rounds", 1, "--json").json
    assert [line for line in value["absent"] if line.startswith("openvino binary: not installed")]
    pytest.importorskip("onnx")
    assert "onnxruntime float32 twin" in [entry["name"] for entry in value["entries"]]
    assert value["entries"][-1]["gmac_per_s"] > 0


def test_bench_keeps_to_what_was_asked(small: Path) -> None:
    value = hourbit("bench", small, "--runtime", "reference", "--rounds", 1, "--json").json
    assert [entry["name"] for entry in value["entries"]] == ["reference"]
    assert hourbit("bench", small, "--isa", "abacus").code == 2
    assert hourbit("bench", small, "--runtime", "abacus").code == 2
