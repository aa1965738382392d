"""The landmarks of a new project: any schema that ships, one's own from a file, kept and found again."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from app.plugins import load_plugins
from app.project.document import Document
from app.services.own_schemas import find_schema, keep_schema, known_schemas, own_folder, own_schemas, write_schema
from app.services.projects import FACES, open_folder
from app.views.schema.choice import SchemaChoice
from app.views.schema.kinds import Kinds
from engine.errors import UserError
from engine.schema import load_schema, schema_names
from tests.app.cli_runner import hourbit
from tests.app.views.small import write_pictures
from tests.app.views.window_bench import bare_context, close_context

BIRD = replace(load_schema("coco17"), name="bird17", title="Bird", subject="bird")


@pytest.mark.parametrize("name", schema_names())
def test_a_folder_becomes_a_project_of_any_schema_that_ships(tmp_path: Path, name: str) -> None:
    write_pictures(tmp_path / "photos", 1)
    document = open_folder(tmp_path / "photos", name)
    assert document.schema == load_schema(name) and len(document.images()) == 1
    document.close()
    assert len(list(tmp_path.glob("*.hourbit-project"))) == 1


def test_ones_own_is_kept_and_found_by_its_name(tmp_path: Path) -> None:
    assert keep_schema(BIRD) == keep_schema(BIRD) == "bird17"
    assert find_schema("bird17") == BIRD and known_schemas()[-1] == BIRD
    with pytest.raises(UserError, match="another schema 'bird17'"):
        keep_schema(replace(BIRD, title="Another"))
    with pytest.raises(UserError, match="another schema 'mpii16'"):
        keep_schema(replace(BIRD, name="mpii16"))
    for name in ("../../away", "/away", "a\nb", "", "x" * 65):
        with pytest.raises(UserError, match="cannot be called"):
            keep_schema(replace(BIRD, name=name))
    (own_folder() / "torn.json").write_text("{", "utf-8")
    os.mkfifo(own_folder() / "pipe.json")
    assert own_schemas() == [BIRD]
    with pytest.raises(UserError, match="no schema 'fish'; choose one of .*bird17"):
        find_schema("fish")


def test_choosing_one_from_a_file(qtbot, tmp_path: Path) -> None:
    load_plugins()
    write_schema(tmp_path / "bird.json", BIRD)
    page = SchemaChoice("mpii16")
    qtbot.addWidget(page)
    assert page.schema.name == "mpii16" and page.list.count() == len(schema_names())
    (tmp_path / "empty.json").touch()
    page.add_file(str(tmp_path / "empty.json"))
    qtbot.waitUntil(lambda: "empty.json" in page.banner.text.text(), timeout=10_000)
    page.add_file(str(tmp_path / "bird.json"))
    qtbot.waitUntil(lambda: page.schema == BIRD, timeout=10_000)
    assert not own_schemas()  # nothing is kept before it is chosen
    page.accept()
    assert page.result() == SchemaChoice.DialogCode.Accepted and own_schemas() == [BIRD]


def test_the_first_page_shows_what_is_chosen(qtbot, tmp_path: Path) -> None:
    context = bare_context()
    context.settings.set("subject", keep_schema(BIRD))
    kinds = Kinds(context)
    qtbot.addWidget(kinds)
    assert kinds.other.isChecked() and kinds.other.text() == "Bird" and kinds.schema == "bird17"
    kinds.faces.click()
    assert kinds.schema == FACES and kinds.other.text().startswith("Other")
    context.settings.set("subject", "bird17")
    (own_folder() / "bird17.json").unlink()
    kinds.refresh()
    assert kinds.schema == FACES and kinds.faces.isChecked()
    close_context(context)


def test_the_command_makes_projects_of_any_schema(tmp_path: Path) -> None:
    (picture,) = write_pictures(tmp_path / "photos", 1)
    value = hourbit("new", tmp_path / "a.hourbit-project", tmp_path / "photos", "--schema", "pifa34", "--json").json
    assert value["landmarks"] == 34 and value["images"] == 1
    write_schema(tmp_path / "bird.json", BIRD)
    told = hourbit("new", tmp_path / "b.hourbit-project", picture, "--schema", tmp_path / "bird.json")
    assert "1 image, 17 landmarks" in told.out
    document = Document.open(tmp_path / "b.hourbit-project")
    assert document.schema == BIRD
    document.close()
    coco = {"images": [], "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "keypoints": [1, 2, 2]}],
            "categories": [{"id": 1, "name": "dot", "keypoints": ["tip"]}]}  # fmt: skip
    (tmp_path / "coco.json").write_text(json.dumps(coco), "utf-8")
    for arguments, word in (
        (("c.hourbit-project", "--schema", "fish"), "no schema 'fish'"),
        (("c.hourbit-project", "--schema", tmp_path / "fish.json"), "fish.json"),
        (("c.project",), "ends in"), (("a.hourbit-project",), "exists already"),
        (("c.hourbit-project", tmp_path / "nowhere"), "nowhere"),
        (("c.hourbit-project", tmp_path / "coco.json"), "no picture"),
    ):  # fmt: skip
        refused = hourbit("new", tmp_path / arguments[0], *arguments[1:])
        assert refused.code == 2 and word in refused.err, arguments
    assert hourbit("new", tmp_path / "d.hourbit-project", "--schema", tmp_path / "coco.json", "--json").code == 0
