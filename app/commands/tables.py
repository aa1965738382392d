"""Tables for spreadsheets: each subject's errors of an evaluation."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

from app.files import atomic_write

if TYPE_CHECKING:
    from engine.evaluate import Evaluation
    from engine.schema import Schema


def write_errors(path: Path, done: Evaluation, schema: Schema) -> None:
    """One row a subject: name, what became of it, normaliser in pixels, score, mean error and each landmark's.

    Errors are in percent of the normaliser; cells of landmarks that are not labelled, and of subjects that were
    missed or left out, are empty. Raises UserError where the file cannot be written.
    """
    import numpy as np

    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["subject", "state", "normaliser_px", "score", "mean_percent", *schema.landmarks])
    usable = np.isfinite(done.size) & (done.size > 0)
    for n, errors in enumerate(done.errors):
        state = "left out" if not usable[n] else "measured" if done.seen.found[n] else "missed"
        known = errors[np.isfinite(errors)]
        mean = f"{known.mean():.4f}" if known.size else ""
        size = f"{done.size[n]:.4f}" if usable[n] else ""
        score = f"{done.seen.score[n]:.4f}" if done.seen.found[n] else ""
        table.writerow(
            [done.labelled.name(n), state, size, score, mean, *("" if np.isnan(e) else f"{e:.4f}" for e in errors)]
        )
    atomic_write(path, text.getvalue().encode())
