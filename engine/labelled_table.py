"""Labels of any format (engine.labels) as subjects to measure a model on."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import metrics
from engine.coco.bodies import PERSON
from engine.labels import ABSENT, OCCLUDED, LabelSet, Picture, Table
from engine.layouts.packs import pixels
from engine.naming import NONE, counterparts, numbered_alike
from engine.schema import Schema
from engine.subjects import EXTRAS, LabelError, Labelled, Scenes

# Where COCO's people and MPII's name the same place: (COCO index, MPII index). Pelvis, thorax, neck and head
# top have no counterpart and stay unlabelled: a model is measured on what people placed.
PERSON_TO_MPII = (
    (5, 13), (6, 12), (7, 14), (8, 11), (9, 15), (10, 10), (11, 3), (12, 2), (13, 4), (14, 1), (15, 5), (16, 0),
)  # fmt: skip


def from_labels(labels: LabelSet, schema: Schema, split: str | None = None) -> Labelled:
    """The instances that a model can be measured on, in the schema's order of landmarks.

    Of several skeletons the one whose landmarks fit counts; split keeps the pictures of one only. Instances
    with fewer than two landmarks, and crowds, are regions to ignore. The extra columns head_box (x0, y0,
    x1, y1), head_size, yaw, area and crowd are used where present. Raises LabelError where nothing fits.
    """
    table, pairs = _fitting(labels, schema)
    wanted = [n for n, picture in enumerate(labels.pictures) if split is None or picture.split == split]
    number = {picture: n for n, picture in enumerate(wanted)}
    crowd = np.asarray(table.extras.get("crowd", np.zeros(len(table))), bool)
    points, weight = np.zeros((len(table), len(schema), 2)), np.zeros((len(table), len(schema)))
    for source, target in pairs:
        seen = table.visibility[:, source]
        points[:, target] = np.where((seen > ABSENT)[:, None], table.points[:, source], 0)
        weight[:, target] = np.select([seen == ABSENT, seen == OCCLUDED], [0, 0.5], 1)
    here = [int(picture) in number for picture in table.picture]
    rows = np.array([
        i for i in range(len(table)) if here[i] and not crowd[i] and has_box(points[i], weight[i])
    ], np.int64)  # fmt: skip
    if not len(rows):
        where = f" of the split {split}" if split else ""
        raise LabelError(f"No instance{where} has two landmarks of the model; choose other data.")
    pictures = [labels.pictures[n] for n in wanted]
    image = tuple(number[int(table.picture[i])] for i in rows)
    _refuse_missing({n: pictures[n] for n in image})
    ignored = tuple(
        (number[int(table.picture[i])], _corner_form(table.box[i]), bool(crowd[i]))
        for i in sorted({*range(len(table))} - {*rows.tolist()}) if here[i] and np.isfinite(table.box[i]).all()
    )  # fmt: skip
    return Labelled(
        picture=lambda n: pixels(pictures[image[n]]), points=points[rows], weight=weight[rows],
        box=metrics.tight_boxes(points[rows], weight[rows] > 0), extras=_extras(table, rows),
        ids=tuple(f"{pictures[n].name}#{table.subject[i] or i}" for n, i in zip(image, rows, strict=True)), image=image,
        scenes=Scenes(len(pictures), lambda n: pixels(pictures[n]), ignored), problems=labels.problems,
        predicted=not table.hand[rows].any(),
    )  # fmt: skip


def has_box(points: np.ndarray, weight: np.ndarray) -> bool:
    """Whether at least two of a subject's landmarks (K, 2), weight (K,), span a box."""
    labelled = points[weight > 0]
    return len(labelled) > 1 and float(np.ptp(labelled, 0).max()) > 0


def match_landmarks(names: tuple[str, ...], schema: Schema) -> list[tuple[int, int]]:
    """(index in the file, index in the schema): by name, by COCO's people; by order only where nothing is named.

    Raises LabelError for names that the schema lacks.
    """
    nameless = numbered_alike(names, names)
    if schema.by_mpii and (counterparts(names, PERSON) == [*range(len(PERSON))] or
                           (nameless and len(names) == len(PERSON))):  # fmt: skip
        return list(PERSON_TO_MPII)
    if nameless:
        if len(names) != len(schema):
            raise LabelError(
                f"The file has {len(names)} landmarks a subject and the model {len(schema)}; choose labels that fit."
            )
        return [(k, k) for k in range(len(names))]
    found = counterparts(names, schema.landmarks)
    strange = [name for name, at in zip(names, found, strict=True) if at == NONE]
    if strange:
        some = f"{', '.join(strange[:3])}{', ...' if len(strange) > 3 else ''}"
        raise LabelError(
            f"The file names landmarks that {schema.title} lacks ({some}); rename them, or choose another model."
        )
    return list(enumerate(found))


def _fitting(labels: LabelSet, schema: Schema) -> tuple[Table, list[tuple[int, int]]]:
    """The first table whose landmarks are the schema's, and which is which; raises LabelError as the last one did."""
    problem = LabelError("The file holds no labelled subjects; choose another file.")
    for table in labels.tables:
        try:
            return table, match_landmarks(table.skeleton.landmarks, schema)
        except LabelError as error:
            problem = error
    raise problem


def _extras(table: Table, rows: np.ndarray) -> dict[str, np.ndarray]:
    found: dict[str, Any] = {name: table.extras[name] for name in EXTRAS if name in table.extras}
    if "area" in found:
        found["area"] = _areas(table)
    if "head_size" not in found and "head_box" in table.extras:
        found["head_size"] = metrics.head_size(np.asarray(table.extras["head_box"], np.float64))
    if "box_size" not in found:
        found["box_size"] = np.sqrt(np.clip(table.box[:, 2:] - table.box[:, :2], 0, None).prod(1))
    chosen = {name: np.asarray(values, np.float64)[rows] for name, values in found.items()}
    return {name: values for name, values in chosen.items() if np.isfinite(values).any()}


def _areas(table: Table) -> np.ndarray:
    """(M,) square pixels: as the file says, else of the box, else of the tight box around the landmarks."""
    there = (table.visibility > ABSENT)[..., None]
    low, high = np.where(there, table.points, np.inf).min(1), np.where(there, table.points, -np.inf).max(1)
    around = np.clip(high - low, 0, None).prod(1)
    box = np.clip(table.box[:, 2:] - table.box[:, :2], 0, None).prod(1)
    given = np.asarray(table.extras["area"], np.float64)
    return np.where(given > 0, given, np.where(box > 0, box, around))


def _corner_form(box: np.ndarray) -> tuple[float, float, float, float]:
    """x0, y0, x1, y1 to COCO's x, y, width, height."""
    x0, y0, x1, y1 = (float(v) for v in box)
    return x0, y0, x1 - x0, y1 - y0


def _refuse_missing(pictures: dict[int, Picture]) -> None:
    for picture in pictures.values():
        if picture.path is None:
            raise LabelError(f"The picture {picture.name} was not found; put it where the labels say.")
