"""hourbit ablate: rows beside the paper's, kept when done, and gone on with when broken off."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.commands import ablate as ablate_module
from engine import ablation
from engine.errors import UserError
from engine.graph import Architecture, build, count
from tests.app.cli_runner import hourbit

LIMITS: list[dict[str, float]] = []  # of each training of a test
SEEDS: list[int] = []
SCORES: dict[str, float] = {}  # by the name of a row's folder; else 20 for l2 and 30


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Rows are not trained: a scripted worker tells scores. Gives the names of those trained."""
    names: list[str] = []
    limits = LIMITS
    for known in (LIMITS, SEEDS, SCORES):
        known.clear()

    class Worker:
        def __init__(self, start: dict, log: Path) -> None:
            self.start = start
            names.append(Path(start["out"]).name)

        def __enter__(self) -> Worker:
            return self

        def __exit__(self, *_: object) -> None: ...

        def __iter__(self):
            score = SCORES.get(names[-1], 20.0 if self.start["settings"].get("loss") == "l2" else 30.0)
            SEEDS.append(self.start["seed"])
            steps = self.start["settings"].get("steps", 77)
            limits.append({n: v for n, v in self.start["settings"].items() if n in ("steps", "minutes")})
            yield {"type": "progress", "step": steps, "done": 1.0 if names[-1] != "relu" else 0.4}
            yield {"type": "done", "metrics": {"metric": "pck", "after": score, "step": steps, "seconds": 1.0}}

    monkeypatch.setattr("app.commands.worker.Worker", Worker)
    monkeypatch.setattr("app.services.launch.need_torch", lambda: None)
    return names


def ablate(tmp_path: Path, rows: str, *more: str):
    data = tmp_path / "data.npz"
    data.touch()
    given = ("--rows", rows, "--steps", "5", "--seeds", "1", "--out", tmp_path / "out")
    return hourbit("ablate", data, *given, "--json", *more)


def test_rows_stand_beside_the_paper_s_and_are_kept(tmp_path: Path, trained: list[str]) -> None:
    first = ablate(tmp_path, "loss").json
    found = [(row["id"], row["paper"], row["ours"]) for row in first["rows"]]
    assert found == [("base", 76.0, 30.0), ("l2", None, 20.0)]
    claim = {"group": "loss", "claim": "BCE beats L2 (by about 2 points).", "holds": True, "by": 10.0}
    assert first["claims"] == [claim]
    assert trained == ["base", "l2"]
    second = ablate(tmp_path, "loss,pooling").json
    assert trained == ["base", "l2", "average-pooling"] and second["rows"][:2] == first["rows"]
    assert second["rows"][0]["parameters"] == count(build(Architecture(16, width=64, stem=16, side=64))).parameters


def test_other_settings_do_not_mix_with_rows_that_are_there(tmp_path: Path, trained: list[str]) -> None:
    ablate(tmp_path, "loss")
    ran = ablate(tmp_path, "loss", "--width", "96")
    assert ran.code == 2 and "other settings" in ran.err and len(trained) == 2


def test_a_row_that_was_stopped_is_not_done(tmp_path: Path, trained: list[str]) -> None:
    ran = ablate(tmp_path, "relu")
    assert ran.code == 2 and "go on" in ran.err
    assert (tmp_path / "out" / "base" / "row.json").exists() and not (tmp_path / "out" / "relu" / "row.json").exists()
    ablate(tmp_path, "relu")
    assert trained == ["base", "relu", "relu"]


def test_every_row_sees_as_many_pictures_as_the_base_does_in_its_minutes(tmp_path: Path, trained: list[str]) -> None:
    (tmp_path / "data.npz").touch()
    for _ in range(2):
        ran = hourbit("ablate", tmp_path / "data.npz", "--rows", "loss", "--budget", "3", "--seeds", "1",
                      "--out", tmp_path / "out")
        assert ran.code == 0 and LIMITS == [{"minutes": 3.0}, {"steps": 77}]


def test_a_row_that_rounding_makes_the_base_is_left_out(tmp_path: Path, trained: list[str]) -> None:
    ran = ablate(tmp_path, "width")
    assert [row["id"] for row in ran.json["rows"]] == ["base", "width-half"] and "multiples of 32" in ran.err
    assert trained == ["base", "width-half"]


def test_wrong_words(tmp_path: Path, trained: list[str]) -> None:
    for rows in ("colour", ","):
        ran = ablate(tmp_path, rows)
        assert ran.code == 2 and "padding" in ran.err
    assert hourbit("ablate", tmp_path / "no.npz", "--rows", "loss").code == 2


def test_every_row_is_a_network_and_every_claim_has_its_rows() -> None:
    rows = {row.id: row for row in ablation.rows()}
    fields = {"width", "stem", "side", "pad", "relu", "block", "real", "pool"}
    for row in rows.values():
        settings = row.all_settings(64, 64)
        Architecture(16, **{name: value for name, value in settings.items() if name in fields})
    assert set(ablation.groups()) == {group for row in rows.values() for group in row.groups}
    assert rows["width-three-quarters"].all_settings(256, 128)["width"] == 192
    assert ablation.alike(rows.values(), 64, 64) == [rows["width-three-quarters"]]  # 48 is no multiple of 32
    assert ablation.alike(rows.values(), 128, 64) == []
    for claim in ablation.claims():
        assert claim.group in rows[claim.better].groups and claim.group in rows[claim.worse].groups
    for group in ablation.groups():
        assert len(ablation.chosen([group])) >= 2
    with pytest.raises(UserError, match="no rows 'speed'"):
        ablation.chosen(["speed"])
    assert ablation.judged({"base": 5.0, "l2": 6.0}, False, None)[0]["holds"] is True  # a smaller error is better
    assert ablation.judged({"base": 5.0, "l2": 6.0}, False, 1.0)[0]["holds"] is False  # no more than chance
    assert ablation.spread([3.0, None, 1.5, 2.0]) == 1.5 and ablation.spread([3.0, None]) is None


def test_the_base_row_is_trained_with_several_seeds_to_know_chance(tmp_path: Path, trained: list[str]) -> None:
    SCORES.update({"base": 30.0, "base-seed1": 18.0, "base-seed2": 25.0})
    found = ablate(tmp_path, "loss", "--seeds", "3").json
    assert trained == ["base", "l2", "base-seed1", "base-seed2"] and SEEDS == [0, 0, 1, 2]
    assert found["base_seeds"] == [30.0, 18.0, 25.0] and found["chance"] == 12.0
    assert [row["id"] for row in found["rows"]] == ["base", "l2"]
    assert found["claims"][0]["by"] == 10.0 and found["claims"][0]["holds"] is False
    both = ablate(tmp_path, "loss", "--budget", "2")
    assert both.code == 2 and "give one of them" in both.err
    assert hourbit("ablate", tmp_path / "data.npz", "--rows", "loss", "--out", tmp_path / "more").code == 0
    assert LIMITS[-1] == {"steps": 600}


def test_people_see_what_is_not_known() -> None:
    common = {"groups": ("loss",), "metric": "nme", "steps": 1, "parameters": 1}
    rows = [common | {"paper": None, "ours": None, "name": "one"}, common | {"paper": 76.0, "ours": 3.0, "name": "two"}]
    told = ablate_module.lines(rows, [], [3.0, None])
    assert any("?" in line and line.endswith("one") for line in told)
    assert any("76.0" in line and "3.00" in line and line.endswith("two") for line in told)
