"""The landmarks of the sample's portrait, found on this machine now, and what found them."""

from __future__ import annotations

import time
from typing import Any

from app.services.projects import FACES
from app.views.context import Context
from app.views.words import mark, told, tr
from engine.errors import UserError
from engine.predictor import Predictor
from engine.runtime import Runtime
from engine.samples import sample_pictures

NAMES = {"packed": mark("Packed"), "reference": "NumPy", "onnx": "ONNX Runtime"}
ISAS = {
    "amx": "AMX", "avx512": "AVX-512", "avx512bw": "AVX-512 BW", "avx2": "AVX2", "neon": "NEON",
    "scalar": mark("scalar"),
}  # fmt: skip


def predict_sample(context: Context) -> dict[str, Any]:
    """With the faces' model in use: prediction, schema, name, seconds of one core, truth; problem where it failed."""
    found: dict[str, Any] = {}
    try:
        runtime = context.runtime_for(FACES)
        predictor, pixels = Predictor(runtime), sample_pictures()[0][1]
        faces = predictor.predict(pixels)
        found |= {"schema": runtime.model.schema, "name": runtime.model.name, "truth": runtime_truth(runtime)[0]}
        if faces:
            started = time.thread_time()
            found["prediction"] = predictor.predict_box(pixels, faces[0].box)
            found["seconds"] = time.thread_time() - started
    except (UserError, OSError) as error:
        found["problem"] = str(error)
    return found


def runtime_truth(runtime: Runtime) -> tuple[str, bool]:
    """Runtime, instruction set, threads and self-check in one line, and whether all is well."""
    if runtime.notice:
        return told(runtime.notice), False
    kind = f"{tr(NAMES[runtime.name])} {tr(ISAS.get(runtime.isa, ''))}".strip()
    threads = tr("1 core") if runtime.threads == 1 else tr("{0} threads").format(runtime.threads)
    check = tr("Self-check passed") if runtime.checked else tr("No self-check")
    return f"{kind}, {threads}. {check}", runtime.checked
