"""SLEAP: values worked out by hand, every trap of the format, and what sleap-io reads of what is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.formats.registry import FormatError, ReadOptions, WriteOptions
from app.formats.sleap import Sleap
from app.formats.sleap.write import FRAME, INSTANCE, POINT
from engine.images import encode_png
from engine.labels import LabelSet, Picture, Skeleton, table
from tests.app.formats.documents import words

h5py = pytest.importorskip("h5py")
KIND = {"py/reduce": [{"py/type": "sleap.skeleton.EdgeType"}, {"py/tuple": [1]}]}
MIRROR = {"py/reduce": [{"py/type": "sleap.skeleton.EdgeType"}, {"py/tuple": [2]}]}


def metadata() -> dict[str, Any]:
    """Landmarks tail, nose, ear: the skeleton's order goes through ids, the list of nodes has another."""
    links = [
        {"source": 2, "target": 0, "type": MIRROR}, {"source": 0, "target": 2, "type": {"py/id": 1}},
        {"source": 1, "target": 0, "type": KIND}, {"source": 1, "target": 2, "type": {"py/id": 2}},
    ]  # fmt: skip
    skeleton = {"nodes": [{"id": 1}, {"id": 0}, {"id": 2}], "links": links, "graph": {"name": "mouse"}}
    return {"nodes": [{"name": name, "weight": 1} for name in ("nose", "tail", "ear")], "skeletons": [skeleton]}


def slp(path: Path, version: float = 1.2, video: int = 0, videos: list[Any] | None = None, **changes: Any) -> Path:
    """One frame (number 5 of a video) with a user's and a predicted instance."""
    entry = {"filename": "a.mp4", "backend": {"filename": "clips/a.mp4", "shape": [9, 40, 60, 1]}}
    made = {
        "frames": np.array([(0, video, 5, 0, 2)], FRAME),
        "instances": np.array([(0, 0, 0, 0, -1, 1, 0, 0, 3, 0), (1, 1, 0, 0, 1, -1, 0.5, 0, 3, 0)], INSTANCE),
        "points": np.array([(1, 2, True, True), (3.5, 4, False, True), (np.nan, np.nan, False, False)], POINT),
        "pred_points": np.array([(7, 8, True, False, 0.25), (0, 0, True, False, 0.5), (9, 9, True, False, 1)],
                                [*POINT, ("score", "f8")]),
        "tracks_json": [json.dumps([0, "t0"]), json.dumps([0, "t1"])],
        "videos_json": [json.dumps(one) for one in videos or [entry]],
        **changes,
    }  # fmt: skip
    with h5py.File(path, "w") as file:
        group = file.create_group("metadata")
        group.attrs["format_id"] = version
        group.attrs["json"] = np.bytes_(json.dumps(made.pop("metadata", metadata())).encode())
        for name, value in made.items():
            if value is not None:
                file.create_dataset(name, data=value)
    return path


def read(path: Path, **options: object) -> LabelSet:
    return Sleap().read(path, ReadOptions(**options))


def test_landmarks_in_the_skeletons_order_of_users_and_models(tmp_path: Path) -> None:
    path = slp(tmp_path / "a.slp")
    assert Sleap().claims(path, path.read_bytes()[: 1 << 16])
    labels = read(path)
    one = labels.tables[0]
    assert one.skeleton == Skeleton("mouse", ("tail", "nose", "ear"), ((0, 1), (0, 2)), ((1, 2),))
    assert one.points.tolist() == [[[1, 2], [3.5, 4], [0, 0]], [[7, 8], [0, 0], [9, 9]]]
    assert one.visibility.tolist() == [[2, 1, 0], [2, 2, 2]]
    assert one.hand.tolist() == [True, False] and one.subject.tolist() == ["", "t1"]
    assert np.isnan(one.score[0]).all() and one.score[1].tolist() == [0.25, 0.5, 1]
    assert [(p.name, p.path, p.size) for p in labels.pictures] == [("clips/a.mp4#5", None, (60, 40))]


def test_before_1_1_only_what_users_placed_counts_from_the_corner(tmp_path: Path) -> None:
    path = slp(tmp_path / "a.slp", version=1.0)
    assert read(path).tables[0].points[:, 0].tolist() == [[0.5, 1.5], [7, 8]]
    assert read(path, offset=0.0).tables[0].points[:, 0].tolist() == [[1, 2], [7, 8]]


def test_pictures_of_a_list_and_pictures_inside_the_file(tmp_path: Path) -> None:
    data = np.frombuffer(encode_png(np.zeros((20, 30, 3), np.uint8)), np.int8)
    (tmp_path / "p.png").write_bytes(data.tobytes())
    listed = {"filename": ["x/p.png"], "backend": {"type": "ImageVideo", "filenames": ["/gone/p.png", "q.png"]}}
    inside = {"filename": ".", "backend": {"type": "HDF5Video", "filename": ".", "dataset": "video7/video"}}
    frames = np.array([(0, 0, 1, 0, 1), (1, 7, 5, 1, 2), (2, 0, 0, 2, 2)], FRAME)
    path = slp(tmp_path / "a.pkg.slp", videos=[listed, inside], frames=frames)
    with h5py.File(path, "r+") as file:
        file.create_dataset("video7/video", data=data[None])
        file.create_dataset("video7/frame_numbers", data=[5])
        file.create_group("video7/source_video").attrs["json"] = json.dumps({"backend": {"filename": "b.avi"}})
    labels = read(path)
    assert [p.name for p in labels.pictures] == ["q.png", "b.avi#5", "/gone/p.png"]
    assert [p.size for p in labels.pictures] == [None, (30, 20), (30, 20)]
    assert labels.pictures[2].path == tmp_path / "p.png" and labels.tables[0].picture.tolist() == [0, 1]
    assert "inside the file" in words(labels)


def points(**changes: Any) -> np.ndarray:
    made = np.array([(0, 0, 0, 0, -1, -1, 0, 0, 3, 0), (1, 1, 0, 0, 1, -1, 0.5, 0, 3, 0)], INSTANCE)
    for name, value in changes.items():
        made[name][0] = value
    return made


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"frames": np.array([(0, 3, 5, 0, 2)], FRAME)}, "frame 1: it is of video 3"),
        ({"frames": np.array([(0, 0, 5, 0, 9)], FRAME)}, "frame 1: its instances 0 to 9"),
        ({"frames": np.array([(0, 0, 5, 2**63, 2)], FRAME)}, "frame 1: its instances"),
        ({"instances": points(skeleton=4)}, "instance 1: it is of skeleton 5"),
        ({"instances": points(point_id_end=2)}, "instance 1: it has 2 landmarks"),
        ({"instances": points(point_id_start=2**63)}, "instance 1: it has"),
        ({"points": np.full(3, np.inf, POINT)}, "instance 1: it lies where"), ({"points": np.zeros(3)}, "points"),
        ({"instances": None}, "instances: it is missing"), ({"metadata": {"nodes": []}}, "metadata"),
        ({"metadata": {**metadata(), "nodes": [{"name": "a"}]}}, "id 2"), ({"metadata": []}, "no object"),
        ({"videos_json": ["{"]}, r"videos_json\[0\]"),
    ],
)  # fmt: skip
def test_damaged_files_are_refused_with_their_place(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FormatError, match=rf"a\.slp.*{message}"):
        read(slp(tmp_path / "a.slp", **changes))


def test_unknown_tracks_kinds_and_loose_instances_are_listed(tmp_path: Path) -> None:
    labels = read(slp(tmp_path / "a.slp", instances=points(track=7), frames=np.array([(0, 0, 5, 0, 1)], FRAME)))
    assert labels.instances == 1 and "track 7" in words(labels) and "1 belong to no frame" in words(labels)
    assert "kind 9 is unknown" in words(read(slp(tmp_path / "b.slp", instances=points(instance_type=9))))


def test_sleap_io_reads_what_is_written(tmp_path: Path) -> None:
    sleap_io = pytest.importorskip("sleap_io")
    pictures = []
    for name, size in (("a.png", (30, 20)), ("b é.png", (10, 12))):
        (tmp_path / name).write_bytes(encode_png(np.zeros((*size[::-1], 3), np.uint8)))
        pictures.append(Picture(name, tmp_path / name, size))
    places = [[[1 / 3, 2], [3, 4.125], [0, 0]], [[5, 6], [0, 0], [7, 8]]]
    mouse = table(
        Skeleton("mouse", ("tail", "nose", "ear"), ((1, 0),), ((1, 2),)), [0, 1], places, [[2, 1, 0], [2, 0, 2]],
        hand=[True, False], score=[[np.nan] * 3, [0.5, np.nan, 1]], subject=["", "anna"],
    )  # fmt: skip
    Sleap().write(LabelSet(tuple(pictures), (mouse,)), tmp_path / "out.slp", WriteOptions())
    found = sleap_io.load_slp(str(tmp_path / "out.slp"), open_videos=False)
    assert found.skeletons[0].node_names == ["tail", "nose", "ear"]
    assert found.skeletons[0].edge_inds == [(1, 0)] and found.skeletons[0].symmetry_inds == [(1, 2)]
    frames = {Path(frame.video.filename[frame.frame_idx]).name: frame.instances[0] for frame in found}
    user, predicted = frames["a.png"], frames["b é.png"]
    assert user.points["xy"][:2].tolist() == places[0][:2] and np.isnan(user.points["xy"][2]).all()
    assert user.points["visible"].tolist() == [True, False, False]
    assert type(predicted).__name__ == "PredictedInstance" and predicted.track.name == "anna"
    assert predicted.points["score"][0] == 0.5 and predicted.score == 0.75


def test_what_sleap_io_writes_is_read(tmp_path: Path) -> None:
    sleap_io = pytest.importorskip("sleap_io")
    (tmp_path / "a.png").write_bytes(encode_png(np.zeros((20, 30, 3), np.uint8)))
    skeleton = sleap_io.Skeleton(nodes=["a", "b"], edges=[("b", "a")], symmetries=[("a", "b")], name="fly")
    video = sleap_io.Video.from_filename([str(tmp_path / "a.png")])
    one = sleap_io.Instance.from_numpy(np.array([[1, 2.5], [np.nan, np.nan]]), skeleton=skeleton)
    sleap_io.Labels([sleap_io.LabeledFrame(video=video, frame_idx=0, instances=[one])]).save(str(tmp_path / "a.slp"))
    labels = read(tmp_path / "a.slp")
    assert labels.tables[0].points[0, 0].tolist() == [1, 2.5] and labels.tables[0].visibility.tolist() == [[2, 0]]
    assert labels.tables[0].skeleton == Skeleton("fly", ("a", "b"), ((1, 0),), ((0, 1),))
    assert labels.pictures[0].path == tmp_path / "a.png"
