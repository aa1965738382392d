"""Time and memory of converting many instances: python benchmarks/labels.py [--instances 200000] [--to coco ...]

Writes a COCO keypoints file of people with 17 landmarks and outlines, then runs `hourbit convert` on it in a process
of its own and prints what that took.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

LANDMARKS, PER_PICTURE, OUTLINE = 17, 3, 24
ROOT = Path(__file__).resolve().parents[1]


def write_coco(path: Path, instances: int) -> None:
    """A file as COCO's own, written piece by piece."""
    rng = np.random.default_rng(0)
    pictures = -(-instances // PER_PICTURE)
    names = [f"landmark {n}" for n in range(LANDMARKS)]
    with path.open("w") as file:
        file.write('{"info": {}, "images": [')
        for n in range(pictures):
            entry = {"id": n + 1, "width": 640, "height": 480, "file_name": f"train/{n:012d}.jpg"}
            file.write((", " if n else "") + json.dumps(entry))
        file.write('], "annotations": [')
        for n in range(instances):
            values = np.concatenate([rng.random((LANDMARKS, 2)) * 480, rng.integers(0, 3, (LANDMARKS, 1))], 1)
            values[values[:, 2] == 0] = 0
            entry = {
                "id": n + 1, "image_id": n // PER_PICTURE + 1, "category_id": 1, "iscrowd": 0,
                "keypoints": values.round(2).ravel().tolist(), "bbox": [10.5, 20.25, 200.0, 300.0], "area": 40000.5,
                "num_keypoints": int((values[:, 2] > 0).sum()),
                "segmentation": [(rng.random(2 * OUTLINE) * 480).round(2).tolist()],
            }  # fmt: skip
            file.write((", " if n else "") + json.dumps(entry))
        categories = [{"id": 1, "name": "person", "keypoints": names, "skeleton": [[1, 2], [2, 3]]}]
        file.write('], "categories": ' + json.dumps(categories) + "}")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instances", type=int, default=200_000)
    parser.add_argument("--to", nargs="+", default=["coco"])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "labels.json"
        write_coco(source, asked.instances)
        print(f"{asked.instances} instances, {source.stat().st_size / 1e6:.0f} MB")
        for form in asked.to:
            out = str(Path(folder) / f"out-{form}")
            command = [sys.executable, "main.py", "convert", str(source), out, "--to", form]
            before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            done = subprocess.run([*command, "--json"], cwd=ROOT, capture_output=True, text=True, check=False)
            wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            peak = after.ru_maxrss / 1e3
            print(f"to {form}: {cpu:.1f} s CPU, {wall:.1f} s, at most {peak:.0f} MB; exit code {done.returncode}")
            print(done.stdout.strip()[:300] or done.stderr.strip()[:300])


if __name__ == "__main__":
    main()
