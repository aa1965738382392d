"""Schemas in files: our own, and what label files of other tools say of their landmarks."""

from __future__ import annotations

import os
from pathlib import Path

from app.formats.converting import read_labels
from app.formats.registry import ReadOptions
from app.formats.yolo.description import read_description
from app.project.skeletons import mean_shape, schema_of
from app.services.importing import telling
from app.services.own_schemas import LARGEST
from app.services.projects import Told
from engine.label_reading import head_of, load_json
from engine.labels import MOST_LANDMARKS, Problems
from engine.schema import Schema, SchemaError, schema_from_json

SUFFIX, YAML = ".json", (".yaml", ".yml")
OURS = ("landmarks", "edges", "flip")  # what tells our own files from other tools'


def read_schemas(path: Path, told: Told = lambda done, total: True) -> list[Schema]:
    """The schemas of a file, the one with most instances first: ours, or those of a label file (COCO, YOLO, ...).

    Raises UserError where there is none, and Cancelled.
    """
    if path.suffix.lower() == SUFFIX and os.path.isfile(path) and path.stat().st_size <= LARGEST:
        data = load_json(path)
        if isinstance(data, dict) and all(key in data for key in OURS):
            schema = schema_from_json(data)
            if len(schema) > MOST_LANDMARKS:
                raise SchemaError(f"{path.name} names {len(schema)} landmarks and a schema holds at most "
                                  f"{MOST_LANDMARKS}; leave out those that are not needed.")  # fmt: skip
            return [schema]
    if path.suffix.lower() in YAML and b"kpt_shape" in head_of(path):
        skeletons = read_description(path, Problems()).classes.values()  # its pictures may be elsewhere
        return [schema_of(skeleton) for skeleton in dict.fromkeys(skeletons)]
    labels, _ = read_labels(path, None, ReadOptions(None, None, telling(told)))
    tables = sorted(labels.tables, key=len, reverse=True)
    if not tables:
        raise SchemaError(f"{path.name} names no landmarks; choose a schema, a COCO file or a YOLO data.yaml.")
    return [schema_of(table.skeleton, mean_shape(table)) for table in tables]
