"""What is wrong with a start line is told in one sentence for people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from engine.errors import UserError  # noqa: E402
from engine.modelfile import write_model  # noqa: E402
from engine.train.run import run  # noqa: E402
from engine.train.worker import Orders  # noqa: E402
from tests.engine.blobs import small_model  # noqa: E402
from tests.engine.packfile import blob_points, write_pack  # noqa: E402


@pytest.fixture
def start(tmp_path: Path) -> dict[str, Any]:
    """A start line without a fault: a small random model and a pack of four pictures."""
    model = write_model(tmp_path / "parent.hourbit", small_model(3))
    pack = write_pack(tmp_path / "labels.npz", blob_points(4))
    return {"snapshot": [str(pack)], "from": str(model.path), "out": str(tmp_path / "out"), "settings": {"steps": 1}}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"snapshot": []}, "training data"), ({"snapshot": ["absent.npz"]}, "absent.npz"),
        ({"from": "absent.hourbit"}, "absent.hourbit"), ({"settings": {"speed": 1}}, "No setting 'speed'"),
        ({"settings": {"batch": 1}}, "batch"), ({"recipe": "absent.toml"}, "absent.toml"),
        ({"recipe": "theirs"}, "No recipe 'theirs'"), ({"from": None, "schema": "cats"}, "no schema 'cats'"),
        ({"from": None, "schema": "mpii16"}, "16"),
    ],
)  # fmt: skip
def test_faults_of_a_start_line(start: dict[str, Any], changes: dict, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        run(start | changes, lambda *_, **__: None, Orders())


def test_damaged_models_and_packs_are_named(start: dict[str, Any]) -> None:
    for path in (Path(start["snapshot"][0]), Path(start["from"])):
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(UserError, match=path.name):
            run(start, lambda *_, **__: None, Orders())
        path.write_bytes(whole)
