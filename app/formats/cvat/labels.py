"""CVAT's list of labels: landmarks of a skeleton in their order, and lines by the nodes of its drawing."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from app.formats.xmls import Placed
from engine.label_reading import shown
from engine.labels import Problems

MAX_DRAWING = 4 << 20  # characters
TAG = re.compile(r"<(\w+)\b([^<>]*)>")
ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


@dataclass(frozen=True)
class Kind:
    """A skeleton's landmarks, and its lines as pairs of their names."""

    landmarks: tuple[str, ...]
    edges: tuple[tuple[str, str], ...]


def kinds_of(meta: Placed, problems: Problems) -> dict[str, Kind]:
    """The skeletons of a file by name; raises nothing, what does not fit is listed."""
    parts: dict[str, list[str]] = {}
    drawings: dict[str, tuple[str, int]] = {}
    for label in meta.iter("label"):
        name, parent = label.findtext("name", "").strip(), label.findtext("parent", "").strip()
        if parent:
            held = parts.setdefault(parent, [])
            if name in held:
                problems.add(f"line {label.line}", f"{shown(parent)} has the landmark {shown(name)} twice")
            else:
                held.append(name)
        elif label.findtext("type", "").strip() == "skeleton" or label.find("svg") is not None:
            drawings[name] = (label.findtext("svg", ""), label.line)
            parts.setdefault(name, [])
    made = {}
    for name, landmarks in parts.items():
        text, line = drawings.get(name, ("", 0))
        nodes, pairs = _drawing(text[:MAX_DRAWING], landmarks)
        edges = [(nodes[a], nodes[b]) for a, b in pairs if a in nodes and b in nodes and nodes[a] != nodes[b]]
        if len(edges) != len(pairs):
            problems.add(f"line {line}", f"{len(pairs) - len(edges)} lines of {shown(name)} lead to no landmark")
        listed = landmarks or list(nodes.values())
        made[name] = Kind(tuple(dict.fromkeys(listed)), tuple(dict.fromkeys(edges)))
    return made


def _drawing(text: str, landmarks: list[str]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Names of the nodes by their ids, and pairs of ids; nodes without names are the landmarks in order."""
    nodes: dict[str, str] = {}
    unnamed: list[str] = []
    pairs: list[tuple[str, str]] = []
    for tag in TAG.finditer(html.unescape(text) if "&lt;" in text else text):
        said = {name: html.unescape(a or b) for name, a, b in ATTRIBUTE.findall(tag[2])}
        if "data-node-from" in said and "data-node-to" in said:
            pairs.append((said["data-node-from"], said["data-node-to"]))
        elif "data-node-id" in said:
            if "data-label-name" in said:
                nodes[said["data-node-id"]] = said["data-label-name"]
            else:
                unnamed.append(said["data-node-id"])
    if unnamed and not nodes and len(unnamed) == len(landmarks):
        unnamed.sort(key=lambda word: (len(word), word))
        nodes = dict(zip(unnamed, landmarks, strict=True))
    return nodes, pairs
