"""Corrections that are in no project yet outlive another source, another workspace, closing and a crash."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from app.project.values import Visibility
from app.services import heat
from app.services.drafts import MOST, Draft, Drafts
from app.sources.synthetic import Synthetic
from engine.errors import UserError
from engine.images import load_image
from tests.app.views import drafts_bench, live_bench
from tests.app.views.drafts_bench import closed, corrected, files, next_start

run, live_context, workspace = live_bench.run, live_bench.live_context, live_bench.workspace
another = drafts_bench.another


def test_closing_keeps_them_for_the_next_start(workspace, qtbot, live_context) -> None:
    run(workspace, qtbot)
    points = corrected(workspace, qtbot)
    workspace.trigger("occluded")
    pixels, moment = workspace.view.result.frame.pixels, workspace.view.frozen.moment
    closed(workspace)
    again = next_start(live_context, qtbot)
    frozen = again.view.frozen
    assert frozen is not None and frozen.touched and frozen.moment == moment and again.live.frozen
    np.testing.assert_array_equal(again.view.points()[0], points)
    assert frozen.instances[0].visibility[0] == Visibility.OCCLUDED
    qtbot.waitUntil(lambda: not again.live.finding)
    qtbot.wait(1)
    assert not again.stage.empty.isVisible() and again.bar.add.isEnabled() and again.facts()
    assert not again.grab().isNull() and len(heat.peaks(again.view.result.subjects[0].prediction, 0)) == 0
    again.trigger("snapshot")
    again.trigger("add_to_project")
    (image,) = live_context.document.images()
    np.testing.assert_array_equal(load_image(live_context.document.picture_path(image)), pixels)
    np.testing.assert_allclose(live_context.document.instances(image.id)[0].points, points)
    assert files(again) == [] and again.live.history == workspace.live.history
    assert next_start(live_context, qtbot).view.frozen is None


def test_a_crash_loses_none_either(workspace, qtbot) -> None:
    """They are on the disk a moment after the last of them, and as they stood."""
    run(workspace, qtbot)
    points = corrected(workspace, qtbot)
    qtbot.waitUntil(lambda: len(files(workspace)) == 1)
    (draft,) = workspace.freezing.drafts.read()
    np.testing.assert_array_equal(draft.instances[0].points, points)
    workspace.trigger("undo")
    qtbot.waitUntil(lambda: files(workspace) == [])  # nothing is corrected any more


@pytest.mark.parametrize("first", ["camera", "source", "frozen"])
def test_what_runs_before_live_shows_keeps_none_back(first: str, workspace, another, qtbot) -> None:
    """They are held where nothing runs, also while a camera is looked for; else they are offered."""
    run(workspace, qtbot)
    points = corrected(workspace, qtbot)
    workspace.close_services()
    workspace.live.stop()
    offers = []
    another.offered.connect(lambda sentence, undo: offers.append(undo))
    another.show()
    if first == "camera":
        another.start_camera()
    else:
        run(another, qtbot)
    if first == "frozen":
        corrected(another, qtbot)
        another.freezing.keep()
    held = another.view.frozen
    another.activate()
    another.activate()
    if first != "camera":
        assert another.view.frozen is held and len(offers) == 1 and len(another.freezing._gone) == 1
        offers[0]()
    np.testing.assert_array_equal(another.view.points()[0], points)
    assert another.view.frozen.touched
    qtbot.waitUntil(lambda: not another.live.finding)


def test_of_what_was_let_go_the_last_are_at_hand_and_all_on_the_disk(workspace, qtbot) -> None:
    run(workspace, qtbot)
    for _ in range(MOST + 2):
        corrected(workspace, qtbot)
        workspace.freezing.let_go()
        seen = workspace.view.result
        qtbot.waitUntil(lambda seen=seen: workspace.view.result is not seen, timeout=8000)
    assert len(workspace.freezing._gone) == MOST and len(files(workspace)) == MOST + 2


@pytest.mark.parametrize("then", ["add", "space"])
def test_another_source_keeps_them_and_only_a_person_lets_them_go(then: str, workspace, qtbot) -> None:
    run(workspace, qtbot)
    first = corrected(workspace, qtbot)
    run(workspace, qtbot, Synthetic.endless(0.01))
    assert workspace.view.frozen is None and len(files(workspace)) == 1
    second = corrected(workspace, qtbot)
    workspace.trigger("add_to_project" if then == "add" else "freeze")
    if then == "add":
        workspace.trigger("freeze")
    assert len(files(workspace)) == 1
    workspace.trigger("undo")
    if then == "space":  # the newest first
        np.testing.assert_array_equal(workspace.view.points()[0], second)
        workspace.freezing.keep()
        assert len(files(workspace)) == 2
        workspace.freezing._back()
        assert len(files(workspace)) == 2
    np.testing.assert_array_equal(workspace.view.points()[0], first)
    before = len(files(workspace))
    workspace.trigger("freeze")
    assert workspace.view.frozen is None and len(files(workspace)) == before - 1


def test_leaving_live_changes_nothing(workspace, qtbot) -> None:
    run(workspace, qtbot)
    points = corrected(workspace, qtbot)
    workspace.hide()
    workspace.show()
    assert workspace.live.frozen
    np.testing.assert_array_equal(workspace.view.points()[0], points)


def test_a_frame_that_is_shown_again_says_nothing_about_the_speed(workspace, qtbot) -> None:
    run(workspace, qtbot)
    corrected(workspace, qtbot)
    workspace.trigger("freeze")
    qtbot.waitUntil(lambda: len(workspace.live.history) > 3)
    workspace.trigger("undo")
    workspace.view.repaint()
    qtbot.wait(20)
    assert max(timing.total for _, timing in workspace.live.history) < 5 and workspace.view.frozen is not None
    newest = workspace.live.history[-1]
    workspace.live.drawn(workspace.view.frozen.result)
    assert workspace.live.history[-1] is newest


def test_what_is_no_draft_is_passed_over(tmp_path: Path, workspace, qtbot) -> None:
    run(workspace, qtbot)
    corrected(workspace, qtbot)
    drafts, whole = Drafts(tmp_path), workspace.view.frozen.draft
    drafts.write(whole)
    data = (tmp_path / whole.name).read_bytes()
    line, _, picture = data.partition(b"\n")
    broken = (b"", data[:100], data[:-200], line, b"{}\n" + picture, b"[]\n", b"\xff\n" + picture,
              line.replace(b'"number"', b'"count"') + b"\n" + picture,
              line.replace(b'"instances": ["', b'"instances": ["AA') + b"\n" + picture)  # fmt: skip
    for n, bad in enumerate(broken):
        (tmp_path / f"{n}.draft").write_bytes(bad)
    assert [draft.moment for draft in drafts.read()] == [whole.moment]


def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path, workspace, qtbot) -> None:
    run(workspace, qtbot)
    (tmp_path / "file").write_bytes(b"")
    workspace.freezing.drafts = Drafts(tmp_path / "file")
    told: list[str] = []
    workspace.keeping.failed.connect(told.append)
    corrected(workspace, qtbot)
    workspace.freezing.keep()
    workspace.freezing.keep()
    assert len(told) == 1 and told[0].endswith(".")
    workspace.trigger("occluded")
    workspace.freezing.drafts = Drafts(tmp_path / "room")  # as a disk on which there is room again
    workspace.freezing.keep()
    (draft,) = workspace.freezing.drafts.read()
    assert len(told) == 1 and draft.instances[0].visibility[0] == Visibility.OCCLUDED
    workspace.freezing.drafts = Drafts(tmp_path / "file")
    workspace.freezing.keep()
    assert len(told) == 2  # as it fails anew
    with pytest.raises(UserError):
        Drafts(tmp_path / "file" / "deeper").write(Draft(workspace.view.result, (), datetime.now()))


@pytest.mark.parametrize("damage", ["index", "deep", "nan", "null", "shown", "huge", "score", "time", "box"])
def test_a_damaged_draft_hides_no_good_one(damage: str, workspace, qtbot, live_context) -> None:
    """Live opens with what can be read; the damaged file stays as it is."""
    run(workspace, qtbot)
    points = corrected(workspace, qtbot)
    workspace.freezing.keep()
    (good,) = files(workspace)
    line, _, picture = good.read_bytes().partition(b"\n")
    head = json.loads(line)
    subject = head["subjects"][0]
    if damage in ("nan", "null", "huge"):
        subject["landmarks"][0][0] = {"nan": float("nan"), "null": None, "huge": 10**30}[damage]
    elif damage == "shown":
        subject["shown"][0][0] = float("nan")
    elif damage == "score":
        subject["landmarks"][0][2] = 1e300  # no float32
    elif damage == "box":
        subject["box"]["side"] = 1e300
    else:
        head[damage] = {"index": float("inf"), "time": {}, "deep": 0}[damage]
    bad = good.with_name(f"2999-01-01 00.00.00.000000{good.suffix}")
    bad.write_bytes(b"[" * 200_000 if damage == "deep" else json.dumps(head).encode() + b"\n" + picture)
    data = bad.read_bytes()
    closed(workspace)
    again = next_start(live_context, qtbot)
    np.testing.assert_array_equal(again.view.points()[0], points)
    assert not again.freezing._gone and bad.read_bytes() == data
