"""The models at hand: those that ship, and those that were fine-tuned or imported here. No Qt."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from app.files import atomic_write, free_name
from app.settings import Settings
from engine.errors import UserError
from engine.external import SUFFIX, ExternalModel, description_path, read_external
from engine.modelfile import make_model, write_model
from engine.models import SUFFIXES, AnyModel, open_model
from engine.torch7_network import SUFFIX as TORCH7
from engine.torch7_network import import_torch7

LATENTS = ".latents.safetensors"
LONGEST_STEM = 50  # letters, of up to 4 bytes; systems bear 255 bytes with the endings


@dataclass(frozen=True)
class Entry:
    """One model file. origin: shipped, fine-tuned or imported; `problem` says why it cannot be used."""

    name: str
    title: str
    schema: str
    path: Path
    size: int
    origin: str
    parent: str = ""
    created: str = ""
    problem: str = ""
    card: dict[str, Any] | None = None

    @property
    def latents(self) -> Path | None:
        """The real weights beside the model, from which training goes on; None where there are none."""
        path = self.path.with_name(self.path.stem + LATENTS)
        return path if os.path.isfile(path) else None

    @property
    def external(self) -> bool:
        """Whether it is another maker's network, which runs as it is and cannot be trained on."""
        return self.path.suffix == SUFFIX

    @property
    def model(self) -> AnyModel:
        """The model itself, read and checked; raises UserError."""
        return open_model(self.path)


class Library:
    """Models in resources/models and in `home`/models; which one is in use for each schema is remembered."""

    def __init__(self, home: Path) -> None:
        self.folder = Path(home) / "models"
        self._settings = Settings(Path(home) / "library.json")
        self._read: dict[tuple[Path, int, int], Entry] = {}

    def entries(self, schema: str | None = None) -> list[Entry]:
        """All models, the shipped ones first, then the others by age; of one schema where it is given."""
        shipped = Path(str(resources.files("resources") / "models"))
        found = [self._entry(path, True) for path in sorted(shipped.glob("*.hourbit"), key=lambda path: path.stem)]
        files = sorted(self.folder.iterdir()) if os.path.isdir(self.folder) else []
        own = [path for path in files if path.suffix in SUFFIXES and os.path.isfile(path)]
        found += [self._entry(path, False) for path in sorted(own, key=lambda path: (path.stat().st_mtime_ns, path))]
        return [entry for entry in found if schema is None or entry.schema == schema]

    def in_use(self, schema: str) -> Entry:
        """The model that predicts for a schema; raises UserError where there is none."""
        usable = [entry for entry in self.entries(schema) if not entry.problem]
        for path in reversed(self._history(schema)):
            for entry in usable:
                if str(entry.path) == path:
                    return entry
        if not usable:
            raise UserError(f"There is no model for {schema}; import one in Models.")
        return usable[0]

    def adopt(self, entry: Entry) -> None:
        """Predict with this model from now on; raises UserError where it cannot be used."""
        if entry.problem:
            raise UserError(entry.problem)
        history = [path for path in self._history(entry.schema) if path != str(entry.path)]
        if not history and (first := self.in_use(entry.schema).path) != entry.path:
            history = [str(first)]
        self._settings.set(f"in use {entry.schema}", [*history, str(entry.path)][-50:])

    def roll_back(self, schema: str) -> Entry:
        """Go back to the model that was in use before; raises UserError where there is none."""
        history = self._history(schema)
        if len(history) < 2:
            raise UserError("There is no earlier model to go back to; choose one of the list.")
        self._settings.set(f"in use {schema}", history[:-1])
        return self.in_use(schema)

    def can_roll_back(self, schema: str) -> bool:
        """Whether an earlier model is known."""
        return len(self._history(schema)) > 1

    def import_file(
        self, path: str | Path, origin: str = "imported", description: Mapping[str, Any] | None = None
    ) -> Entry:
        """Take in a model file, checked, under a free name; raises UserError.

        With it come its latents, or what describes an ONNX file (engine.external): `description`, else the one
        beside it. A .t7 file of the paper's authors becomes a model file, its schema by the number of landmarks.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        try:
            if suffix == TORCH7:
                model: AnyModel = import_torch7(path, path.stem).model
            else:
                model = read_external(path, description) if suffix == SUFFIX else open_model(path)
        except OSError as error:
            raise UserError(f"{path} cannot be read ({error.strerror}); check the file.") from error
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"{self.folder} cannot be made ({error.strerror}); check its permissions.") from error
        stem = re.sub(r"[^\w.-]+", "-", model.name).strip("-.")[:LONGEST_STEM] or "model"
        target = free_name(self.folder, stem, SUFFIX if isinstance(model, ExternalModel) else ".hourbit", "-")
        latents = path.with_name(path.stem + LATENTS)
        if isinstance(model, ExternalModel):
            _describe(target, {"name": model.name, **model.description})
            atomic_write(target, path.read_bytes())
        elif suffix == TORCH7:
            write_model(target, model)
        else:
            if os.path.isfile(latents):
                atomic_write(target.with_name(target.stem + LATENTS), latents.read_bytes())
            atomic_write(target, path.read_bytes())
        origins = dict(self._settings.get("origins", {}))
        self._settings.set("origins", origins | {target.name: origin})
        return self._entry(target, False)

    def export_file(self, entry: Entry, path: Path) -> None:
        """Copy a model elsewhere, with what describes it; raises UserError."""
        if entry.external:
            _describe(path, entry.model.description)
        atomic_write(path, entry.path.read_bytes())

    def rename(self, entry: Entry, name: str) -> Entry:
        """Give one of the user's own models another name; raises UserError."""
        self._own(entry)
        model = entry.model
        name = name.strip()
        if isinstance(model, ExternalModel):
            description = {**model.description, "name": name}
            read_external(entry.path, description)
            _describe(entry.path, description)
        else:
            card = dict(model.card)
            write_model(entry.path, make_model(name, model.architecture, model.schema, model.tensors, card, model.crop))
        return self._entry(entry.path, False)

    def remove(self, entry: Entry) -> None:
        """Delete one of the user's own models; raises UserError for the one in use and for shipped ones."""
        self._own(entry)
        if not entry.problem and self.in_use(entry.schema).path == entry.path:
            raise UserError("This model is in use; choose another one first.")
        for path in (entry.path, entry.latents, description_path(entry.path) if entry.external else None):
            if path is not None:
                path.unlink(missing_ok=True)

    def _own(self, entry: Entry) -> None:
        if entry.path.parent != self.folder:
            raise UserError("Models that ship with Hourbit stay as they are; export a copy and import that.")

    def _history(self, schema: str) -> list[str]:
        """The models adopted for a schema that are still there, the one in use last."""
        known = [str(path) for path in self._settings.get(f"in use {schema}", [])]
        return [path for path in known if os.path.isfile(path)]

    def _entry(self, path: Path, shipped: bool) -> Entry:
        stat = path.stat()
        beside = description_path(path)
        described = beside.stat().st_mtime_ns if path.suffix == SUFFIX and os.path.isfile(beside) else 0
        key = (path, stat.st_mtime_ns, described)
        if key not in self._read:
            self._read[key] = self._look(path, stat.st_size, shipped)
        return self._read[key]

    def _look(self, path: Path, size: int, shipped: bool) -> Entry:
        origin = "shipped" if shipped else str(self._settings.get("origins", {}).get(path.name, "imported"))
        try:
            model = open_model(path)
        except (UserError, OSError) as error:
            return Entry(path.stem, path.stem, "", path, size, origin, problem=str(error))
        card = dict(model.card)
        name = path.stem if shipped else model.name
        return Entry(
            name, model.name, model.schema.name, path, size, origin,
            str(card.get("parent") or ""), str(card.get("date") or ""), card=card,
        )  # fmt: skip


def _describe(path: Path, description: Mapping[str, Any]) -> None:
    atomic_write(description_path(path), json.dumps(description, ensure_ascii=False, indent=1).encode())
