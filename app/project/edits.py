"""Edits: everything that can happen to a project, as values. `Document.apply` is the one door for them."""

from __future__ import annotations

from dataclasses import dataclass

from app.project.values import Instance, State
from engine.errors import UserError


class Outdated(UserError):
    """An edit that was worked out before others came."""


@dataclass(frozen=True)
class NewImage:
    """A picture to add: its path, size in pixels as displayed, and a digest of its bytes."""

    path: str
    width: int
    height: int
    digest: str = ""


@dataclass(frozen=True)
class AddImages:
    """Add pictures; those whose path the project has already are left as they are."""

    images: tuple[NewImage, ...]

    @property
    def title(self) -> str:
        return "Add an image" if len(self.images) == 1 else f"Add {len(self.images)} images"


@dataclass(frozen=True)
class PutInstance:
    """Store an instance: a new one where its id is 0, else in place of the one with that id.

    In a Batch an image of 0 means the image that the batch added last.
    """

    instance: Instance
    title: str = "Edit landmarks"


@dataclass(frozen=True)
class RemoveInstance:
    """Delete an instance."""

    id: int
    title: str = "Delete the instance"


@dataclass(frozen=True)
class SetState:
    """Set an image's state, with a reason where it is broken or rejected; 0 in a Batch as in PutInstance."""

    image: int
    state: State
    reason: str = ""

    @property
    def title(self) -> str:
        return f"Mark as {self.state.value}"


@dataclass(frozen=True)
class Accept:
    """A person agrees with what an image shows: done, or done and empty."""

    image: int
    title: str = "Accept"


@dataclass(frozen=True)
class Reject:
    """A person leaves an image out."""

    image: int
    title: str = "Reject"


@dataclass(frozen=True)
class Predicted:
    """What a model found in an image. Not undoable, and without effect where a hand has been at work.

    It replaces the instances that a model alone made, in images that are new, predicted or were not to be
    read; doubt is 0 to 1 or unknown. In a Batch, which can be undone, an image of 0 is as in PutInstance.
    """

    image: int
    instances: tuple[Instance, ...]
    doubt: float | None = None
    title: str = ""


@dataclass(frozen=True)
class Batch:
    """Several edits as one: all of them happen or none."""

    edits: tuple[Edit, ...]
    title: str


Edit = AddImages | PutInstance | RemoveInstance | SetState | Accept | Reject | Predicted | Batch
