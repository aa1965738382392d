"""Writing SLEAP's files, format 1.2."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from app.files import atomic_file
from app.formats.extras import needs
from app.formats.names import written_names
from app.formats.registry import WriteOptions
from app.formats.sleap.parts import EDGE, MIRROR
from app.formats.sleap.read import PREDICTED, USER
from engine.labels import ABSENT, VISIBLE, LabelSet, Table

FORMAT = 1.2
POINT = [("x", "f8"), ("y", "f8"), ("visible", "?"), ("complete", "?")]
FRAME = [("frame_id", "u8"), ("video", "u4"), ("frame_idx", "u8"), ("instance_id_start", "u8"),
         ("instance_id_end", "u8")]  # fmt: skip
INSTANCE = [("instance_id", "i8"), ("instance_type", "u1"), ("frame_id", "u8"), ("skeleton", "u4"), ("track", "i4"),
            ("from_predicted", "i8"), ("score", "f4"), ("point_id_start", "u8"), ("point_id_end", "u8"),
            ("tracking_score", "f4")]  # fmt: skip


def write_sleap(labels: LabelSet, out: Path, options: WriteOptions) -> None:
    """One .slp file; raises FormatError."""
    with needs("h5py", f"Writing {out.name}"):
        import h5py
    names = written_names(labels.pictures, out.absolute().parent)
    videos, place = _videos(labels, names)
    tracks = sorted({subject for table in labels.tables for subject in table.subject.tolist() if subject})
    made = _arrays(labels, place, {name: n for n, name in enumerate(tracks)}, options.offset or 0.0)
    text = h5py.string_dtype("utf-8")
    with atomic_file(out) as handle, h5py.File(handle.name, "w") as file:
        metadata = file.create_group("metadata")
        metadata.attrs["format_id"] = FORMAT
        metadata.attrs["json"] = np.bytes_(_encoded(_metadata(labels.tables)))
        for name, values in made.items():
            file.create_dataset(name, data=values, maxshape=(None,))
        for name, entries in (
            ("videos_json", videos), ("tracks_json", [[n, name] for n, name in enumerate(tracks)]),
            ("suggestions_json", []),
        ):  # fmt: skip
            file.create_dataset(name, data=[_encoded(one) for one in entries], shape=(len(entries),), dtype=text)


def _encoded(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def _videos(labels: LabelSet, names: list[str]) -> tuple[list[dict[str, Any]], list[tuple[int, int]]]:
    """A sequence of pictures for each size, and where each picture is: (sequence, place in it)."""
    sequences: dict[tuple[int, int] | None, list[str]] = {}
    place = []
    for picture, name in zip(labels.pictures, names, strict=True):
        held = sequences.setdefault(picture.size, [])
        place.append((list(sequences).index(picture.size), len(held)))
        held.append(name)
    made = []
    for size, held in sequences.items():
        shape = [len(held), size[1], size[0], 3] if size is not None else None
        backend = {"type": "ImageVideo", "shape": shape, "filename": held[0], "filenames": held, "grayscale": False}
        made.append({"filename": held, "backend": backend})
    return made, place


def _metadata(tables: tuple[Table, ...]) -> dict[str, Any]:
    nodes: list[dict[str, Any]] = []
    skeletons = []
    for table in tables:
        start = len(nodes)
        nodes += [{"name": name, "weight": 1.0} for name in table.skeleton.landmarks]
        pairs = [(pair, EDGE) for pair in table.skeleton.edges] + [(pair, MIRROR) for pair in table.skeleton.flip]
        links = []
        for n, ((a, b), kind) in enumerate(pairs):
            words = {"py/reduce": [{"py/type": "sleap.skeleton.EdgeType"}, {"py/tuple": [kind]}]}
            link: dict[str, Any] = {"key": 0, "source": start + a, "target": start + b, "type": words}
            links.append({**link, "edge_insert_idx": n} if kind == EDGE else link)
        skeletons.append({
            "directed": True, "multigraph": True, "links": links, "nodes": [
                {"id": start + n} for n in range(len(table.skeleton))
            ], "graph": {"name": table.skeleton.name, "num_edges_inserted": len(table.skeleton.edges)},
        })  # fmt: skip
    return {
        "version": "2.0.0", "skeletons": skeletons, "nodes": nodes, "videos": [], "tracks": [], "suggestions": [],
        "negative_anchors": {}, "provenance": {},
    }  # fmt: skip


def _arrays(
    labels: LabelSet, place: list[tuple[int, int]], tracks: dict[str, int], offset: float
) -> dict[str, np.ndarray]:
    """frames, instances, points and pred_points."""
    rows = sorted((int(p), n, row) for n, table in enumerate(labels.tables) for row, p in enumerate(table.picture))
    points: dict[bool, list[np.ndarray]] = {True: [], False: []}
    used = {True: 0, False: 0}
    instances = np.zeros(len(rows), INSTANCE)
    frames = np.zeros(len(labels.pictures), FRAME)
    first = np.searchsorted([row[0] for row in rows], np.arange(len(labels.pictures) + 1))
    for n, (video, frame) in enumerate(place):
        frames[n] = (n, video, frame, first[n], first[n + 1])
    for n, (picture, kind, row) in enumerate(rows):
        table = labels.tables[kind]
        hand, count = bool(table.hand[row]), len(table.skeleton)
        score = table.score[row][np.isfinite(table.score[row])]
        instances[n] = (
            n, USER if hand else PREDICTED, picture, kind, tracks.get(str(table.subject[row]), -1), -1,
            score.mean() if len(score) and not hand else 0.0, used[hand], used[hand] + count, 0.0,
        )  # fmt: skip
        used[hand] += count
        points[hand].append(_points(table, row, hand, offset))
    kinds = {True: np.dtype(POINT), False: np.dtype([*POINT, ("score", "f8")])}
    joined = {hand: np.concatenate([np.zeros(0, kind), *points[hand]]) for hand, kind in kinds.items()}
    return {"frames": frames, "instances": instances, "points": joined[True], "pred_points": joined[False]}


def _points(table: Table, row: int, hand: bool, offset: float) -> np.ndarray:
    seen = table.visibility[row]
    made = np.zeros(len(seen), POINT if hand else [*POINT, ("score", "f8")])
    places = np.where((seen > ABSENT)[:, None], table.points[row] - offset, np.nan)
    made["x"], made["y"], made["visible"], made["complete"] = places[:, 0], places[:, 1], seen == VISIBLE, hand
    if not hand:
        made["score"] = table.score[row]
    return made
