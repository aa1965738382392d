"""COCO keypoints files, read in one pass and in bounded memory: the only reader of them."""

from __future__ import annotations

from engine.coco.read import read_coco

__all__ = ["claims", "read_coco"]


def claims(head: bytes) -> bool:
    """Whether the first 64 KiB are those of a JSON object with COCO's lists, or of a list of results."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:1] == b"[":
        return b'"image_id"' in head and b'"keypoints"' in head
    words = sum(b'"%s"' % word in head for word in (b"images", b"annotations", b"categories"))
    fields = b'"file_name"' in head or b'"image_id"' in head or b'"supercategory"' in head
    return start[:1] == b"{" and (words >= 2 or (words >= 1 and fields)) and not _others(head)


def _others(head: bytes) -> bool:
    """Marks of formats that use some of the same words."""
    return any(mark in head for mark in (b'"_via_', b'"shapes"', b'"items"', b'"label_studio'))
