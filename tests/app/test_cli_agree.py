"""`hourbit agree` on two projects, and on a project and a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.modelfile import write_model
from tests.app.cli_runner import hourbit
from tests.app.views.bench import SCHEMA, guessed, moved_project
from tests.app.views.small import small_model


def test_two_projects_and_a_model(tmp_path: Path) -> None:
    one, other = moved_project(tmp_path / "one", 0), moved_project(tmp_path / "two", 2)
    value = hourbit("agree", one, other, "--json").json
    assert value["instances"] == 2 and value["pixels"] == pytest.approx(2) and len(value["worst"]) == 2
    points = guessed(1).points
    size = np.sqrt(np.prod(np.ptp(np.concatenate([points, points + (2, 0)]), axis=0)))
    assert value["landmarks"][SCHEMA.landmarks[0]]["sigma"] == pytest.approx(2 / size / np.sqrt(2))
    assert "sigma" in hourbit("agree", one, other).out
    write_model(tmp_path / "m.hourbit", small_model(SCHEMA))
    against = hourbit("agree", one, tmp_path / "m.hourbit", "--json")
    assert against.code == 0 and against.json["against_model"] and against.json["instances"] == 2
    assert against.json["only_first"] == 0 and against.json["pixels"] > 0
    wrong = hourbit("agree", one, tmp_path / "none.json")
    assert wrong.code == 2 and "Traceback" not in wrong.err
