"""A schema being edited, schemas in files, and what a change does to the labels of a project."""

from __future__ import annotations

import json

import numpy as np
import pytest

from app.plugins import load_plugins
from app.project.document import Document
from app.project.edits import AddImages, Migrate, NewImage, PutInstance
from app.project.migration import by_name
from app.project.schema_draft import SchemaDraft, boxed
from app.project.skeletons import mirror_pairs, schema_of, side_of
from app.project.values import Instance, Origin, Visibility
from app.services.own_schemas import write_schema
from app.services.schemas import read_schemas
from engine.errors import UserError
from engine.labels import Skeleton
from engine.schema import SchemaError, load_schema, schema_from_json, schema_names
from engine.types import Box


@pytest.mark.parametrize("name", schema_names())
def test_a_draft_left_alone_is_the_schema(name):
    schema = load_schema(name)
    made = SchemaDraft(schema).schema()
    assert {k: v for k, v in made.to_json().items() if k not in ("mean", "flip", "groups")} == {
        k: v for k, v in schema.to_json().items() if k not in ("mean", "flip", "groups")
    }
    assert sorted(map(sorted, made.flip)) == sorted(map(sorted, schema.flip))
    assert {g: sorted(m) for g, m in made.groups.items()} == {g: sorted(m) for g, m in schema.groups.items()}
    np.testing.assert_allclose(made.mean, schema.mean, atol=0.03)


def test_the_schemas_that_ship_are_those_of_the_data_sets():
    assert {"mpii16", "coco17", "ibug68", "aflw21", "aflw19", "pifa34", "wflw98"} <= set(schema_names())
    assert "ours" in load_schema("pifa34").title


def test_landmarks_are_added_removed_renamed_and_moved_with_what_hangs_on_them():
    draft = SchemaDraft(load_schema("mpii16"))
    ankle, knee, hip = draft.landmarks[:3]
    toe = draft.add("Right toe", ankle)
    draft.toggle_line(toe, ankle)
    draft.rename(knee, " Knee  of the right ")
    draft.remove(hip)
    draft.move(toe, 0)
    made = draft.schema()
    assert made.landmarks[:3] == ("Right toe", "Right ankle", "Knee of the right") and len(made) == 16
    assert draft.source()[:4] == (None, 0, 1, 3)
    assert (0, 1) in [tuple(sorted(e)) for e in made.edges]
    assert all(made.landmarks[a] != "Left hip" or made.landmarks[b] != "Left hip" for a, b in made.flip)
    assert made.landmarks.index("Left hip") not in [k for pair in made.flip for k in pair]  # its partner is gone


def test_names_are_there_and_different():
    draft = SchemaDraft(load_schema("lsp14"))
    for wrong in ("", "  ", draft.landmarks[1].name, "x" * 65):
        with pytest.raises(SchemaError):
            draft.rename(draft.landmarks[0], wrong)
    assert draft.add().name == "New landmark" and draft.add().name == "New landmark 2"
    while len(draft.landmarks) > 2:
        draft.remove(draft.landmarks[0])
    with pytest.raises(SchemaError, match="two landmarks"):
        draft.remove(draft.landmarks[0])
    draft.name = "two words"
    with pytest.raises(SchemaError, match="short name"):
        draft.schema()


def test_pairs_are_mutual_and_sides_follow():
    draft = SchemaDraft(load_schema("coco17"))
    nose, left, right = draft.landmarks[0], draft.landmarks[1], draft.landmarks[2]
    draft.pair(nose, left)
    assert left.partner is nose and right.partner is None and nose.side == "right"
    draft.set_side(nose, "left")
    assert left.side == "right"
    draft.pair(nose, nose)
    assert nose.partner is None and left.partner is None


def test_the_landmark_that_measures_errors_is_replaced_when_it_goes():
    draft = SchemaDraft(load_schema("ibug68"))
    gone = draft.measure[0]
    draft.remove(gone)
    assert gone not in draft.measure and len(set(map(id, draft.measure))) == 2
    draft.schema()


def test_colours_of_groups_are_kept_and_checked():
    draft = SchemaDraft(load_schema("ibug68"))
    draft.colours = {"Jaw": "#12ab34", "gone": "#000000"}
    made = draft.schema()
    assert made.colours == {"Jaw": "#12ab34"} and made.colour(0) == "#12ab34" and made.colour(40) == ""
    assert schema_from_json(json.loads(json.dumps(made.to_json()))) == made
    with pytest.raises(SchemaError, match="colours"):
        schema_from_json(made.to_json() | {"colours": {"Jaw": "red"}})


def test_a_shape_is_boxed():
    assert boxed([(10, 10), (30, 20)]) == [[0.0, 0.25], [1.0, 0.75]] and boxed([(5, 5), (5, 5)]) == [[0.5, 0.5]] * 2


@pytest.mark.parametrize(("name", "side", "mirror"), [
    ("left_eye", "left", "right_eye"), ("Right Ear", "right", "Left Ear"), ("l_wrist", "left", "r_wrist"),
    ("nose", "centre", "nose"), ("lips", "centre", "lips"), ("R-knee", "right", "L-knee"),
])  # fmt: skip
def test_sides_and_mirror_names(name, side, mirror):
    assert side_of(name) == side
    assert mirror_pairs((name, mirror)) == (set() if name == mirror else {(0, 1)})


def test_a_skeleton_becomes_a_schema():
    names = ("nose", "left_eye", "right_eye", "tail")
    made = schema_of(Skeleton("big cat", names, ((0, 1),)))
    assert made.landmarks == names and made.flip == ((1, 2),) and made.sides == ("centre", "left", "right", "centre")
    assert made.name == "big-cat4" and made.edges == ((0, 1),)


def test_our_own_files_go_out_and_in(tmp_path):
    schema = load_schema("wflw98")
    write_schema(tmp_path / "s.json", schema)
    assert read_schemas(tmp_path / "s.json") == [schema]


def test_a_coco_category_is_a_schema(tmp_path):
    load_plugins()
    names = ["nose", "left_eye", "right_eye"]
    annotations = [{"id": n, "image_id": 1, "category_id": 1, "num_keypoints": 3, "bbox": [0, 0, 40, 40],
                    "keypoints": [20, 30, 2, 30, 10, 2, 10, 10, 2]} for n in range(1, 4)]  # fmt: skip
    path = tmp_path / "coco.json"
    path.write_text(json.dumps({
        "images": [{"id": 1, "file_name": "a.png", "width": 50, "height": 50}], "annotations": annotations,
        "categories": [{"id": 1, "name": "cat", "keypoints": names, "skeleton": [[1, 2], [1, 3]]}],
    }))  # fmt: skip
    (made,) = read_schemas(path)
    assert made.landmarks == tuple(names) and made.edges == ((0, 1), (0, 2)) and made.flip == ((1, 2),)
    np.testing.assert_allclose(made.mean, [(0.5, 1), (1, 0), (0, 0)], atol=1e-3)


def test_a_yolo_yaml_is_a_schema(tmp_path):
    pytest.importorskip("yaml")
    load_plugins()
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    path = tmp_path / "data.yaml"
    path.write_text("path: .\ntrain: images\nkpt_shape: [3, 3]\nflip_idx: [0, 2, 1]\nnames: {0: cat}\n")
    (made,) = read_schemas(path)
    assert len(made) == 3 and made.flip == ((1, 2),)


@pytest.mark.parametrize("text", ["{", "[]", '{"landmarks": [], "edges": [], "flip": []}', '{"a": 1}'])
def test_what_is_no_schema_is_refused(tmp_path, text):
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(UserError):
        read_schemas(tmp_path / "s.json")


def test_a_change_is_one_edit_that_can_be_undone(tmp_path):
    before = load_schema("mpii16")
    document = Document.create(tmp_path / "p.hourbit-project", before, "P")
    image = document.apply(AddImages((NewImage("a.png", 100, 100),))).created
    count = len(before)
    document.apply(PutInstance(Instance(
        0, image, Box(50, 50, 80, 1, "whole"), np.random.default_rng(0).uniform(10, 90, (count, 2)),
        np.full(count, Visibility.VISIBLE, np.uint8), np.full(count, Origin.HAND, np.uint8),
        np.ones(count, np.float32), np.full((count, 2), np.nan),
    )))  # fmt: skip
    held = document.instances(image)
    draft = SchemaDraft(before)
    draft.remove(draft.landmarks[0])
    draft.rename(draft.landmarks[0], "Knee")
    draft.add("Toe")
    edit = Migrate(draft.schema(), draft.source())
    found = document.migration_preview(edit)
    assert (found.added, found.dropped, found.renamed) == (("Toe",), ("Right ankle",), (("Right knee", "Knee"),))
    assert (found.instances, found.lost, found.moved) == (1, 1, 15)
    document.apply(edit)
    (now,) = document.instances(image)
    np.testing.assert_array_equal(now.points[:15], held[0].points[1:])
    assert now.visibility[15] == Visibility.ABSENT and document.schema.landmarks[0] == "Knee"
    document.undo()
    assert document.schema == before and document.instances(image) == held
    assert by_name(before, load_schema("lsp14"))[0] == before.landmarks.index(load_schema("lsp14").landmarks[0])
    document.close()


def _instance(image: int, points: list, visibility: list, origin: list) -> Instance:
    count = len(points)
    return Instance(0, image, Box(50, 50, 80, 1, "whole"), np.array(points, float), np.array(visibility, np.uint8),
                    np.array(origin, np.uint8), np.full(count, 0.5, np.float32),
                    np.full((count, 2), np.nan))  # fmt: skip


def test_merged_landmarks_go_to_their_middle_and_undo_is_exact(tmp_path):
    before = load_schema("mpii16")
    document = Document.create(tmp_path / "p.hourbit-project", before, "P")
    image = document.apply(AddImages((NewImage("a.png", 100, 100),))).created
    points = np.random.default_rng(0).uniform(10, 90, (16, 2)).round().tolist()
    points[8], points[9] = [20, 30], [40, 60]
    kinds, origins = [2] * 16, [Origin.MODEL] * 16
    kinds[8], origins[9] = Visibility.OCCLUDED, Origin.HAND
    document.apply(PutInstance(_instance(image, points, kinds, origins)))
    kinds[8] = Visibility.ABSENT
    document.apply(PutInstance(_instance(image, points, kinds, origins)))
    kinds[9] = Visibility.ABSENT
    document.apply(PutInstance(_instance(image, points, kinds, origins)))
    held = document.instances(image)
    draft = SchemaDraft(before)
    neck, top = draft.landmarks[8:10]
    ends = {one.name for one in (*draft.joined(neck), *draft.joined(top))} - {neck.name, top.name}
    draft.merge(neck, top)
    assert {one.name for one in draft.joined(neck)} == ends and len(draft.landmarks) == 15
    draft.rename(neck, "Head")
    edit = Migrate(draft.schema(), draft.source())
    assert edit.source[8] == (8, 9)
    found = document.migration_preview(edit)
    assert found.merged == (((before.landmarks[8], before.landmarks[9]), "Head"),)
    assert (found.averaged, found.lost, found.added, found.dropped, found.reopened) == (1, 0, (), (), 0)
    document.apply(edit)
    both, one, none = document.instances(image)
    assert both.points[8].tolist() == [30, 45] and both.visibility[8] == Visibility.VISIBLE
    assert both.origin[8] == Origin.EDITED and both.touched  # a hand was at work: no model moves it
    assert one.points[8].tolist() == [40, 60] and one.origin[8] == Origin.HAND
    assert none.visibility[8] == Visibility.ABSENT
    np.testing.assert_array_equal(both.points[9:], held[0].points[10:])
    document.undo()
    assert document.schema == before and document.instances(image) == held
    document.redo()
    assert document.instances(image) == (both, one, none)
    document.close()


def test_partners_that_become_one_stand_in_the_centre_and_merges_go_on():
    draft = SchemaDraft(load_schema("mpii16"))
    left, right = (next(a for a in draft.landmarks if a.name == name) for name in ("Left hip", "Right hip"))
    draft.merge(left, right)
    pelvis = next(a for a in draft.landmarks if a.name == "Pelvis")
    draft.merge(left, pelvis)
    assert left.side == "centre" and left.partner is None
    assert sorted(draft.source()[draft.landmarks.index(left)]) == [2, 3, 6]
    assert draft.schema().landmarks.index("Left hip") == draft.landmarks.index(left)
    with pytest.raises(SchemaError):
        draft.merge(left, left)


def test_a_merge_of_the_same_landmark_twice_is_refused(tmp_path):
    before = load_schema("lsp14")
    document = Document.create(tmp_path / "p.hourbit-project", before, "P")
    with pytest.raises(UserError):
        document.apply(Migrate(before, ((0, 1), 1, *range(2, 14))))
    document.close()
