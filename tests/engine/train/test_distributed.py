"""Several processes train the very weights that one trains; a killed run goes on as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import load_file  # noqa: E402

from engine.modelfile import read_model  # noqa: E402
from tests.engine.packfile import blob_points, write_pack  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = (
    "width=32", "stem=16", "side=64", "batch=4", "evaluate_every=3", "checkpoint_every=3", "warmup=1",
    "ema=0.9", "head_bias=0",
)  # fmt: skip
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
RUN = ("-m", "engine.train.run")


GRADIENTS = """
import sys
from tests.engine.train.test_distributed import save_gradients
save_gradients(sys.argv[1], sys.argv[2])
"""
STEPS = 7


def save_gradients(pack: str, out: str) -> None:
    """Loss, gradients and a running variance of a first step, in out.npz, as averaged over the processes there are."""
    from engine.train import distributed
    from engine.train.prepare import prepare
    from engine.train.starting import read_start

    group = distributed.join("cpu")
    settings = {"width": 32, "stem": 16, "side": 64, "batch": 4, "bf16": False, "exact": False, "real": True}
    start = {"snapshot": [pack], "schema": "mpii16", "seed": 3, "out": out, "settings": settings | {"stacks": 2}}
    fit = prepare(read_start(start), group).fit
    loss, _ = fit.advance()
    if group.first:
        gradients = {name: p.grad.numpy() for name, p in fit.network.named_parameters()}
        buffers = dict(fit.network.named_buffers())
        np.savez(out + ".npz", loss=loss, buffers=buffers["layers.head_norm.running_var"].numpy(), **gradients)
    distributed.leave()


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten pictures of three spots, named as sixteen landmarks."""
    points = blob_points(10)
    return write_pack(tmp_path_factory.mktemp("data") / "p.npz", np.tile(points, (1, 6, 1))[:, :16], pictures=points,
                      holdout=np.arange(10) % 5 == 0)  # fmt: skip


def command(pack: Path, out: Path, *more: str, launcher: tuple[str, ...] = ()) -> list[str]:
    settings = [word for text in (*SETTINGS, f"steps={STEPS}") for word in ("--set", text)]
    return [sys.executable, *launcher, *RUN, str(pack), "--schema", "mpii16", "--out", str(out), "--seed", "3",
            "--device", "cpu", *settings, *more]  # fmt: skip


def environment() -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if name not in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
    return plain | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def train(*arguments, **options) -> list[str]:
    """Run to the end; returns what was printed, line by line."""
    words = command(*arguments, **options)
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


def differences(one: Path, other: Path) -> dict[str, float]:
    """Largest difference of each tensor of two runs' last checkpoints, where there is one."""
    mine, others = (load_file(folder / "latest.safetensors") for folder in (one, other))
    assert mine.keys() == others.keys() and len(mine) > 500
    found = {name: float((mine[name].double() - others[name].double()).abs().max()) for name in mine}
    return {name: value for name, value in found.items() if value}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, pack: Path) -> tuple[Path, list[str]]:
    """The folder of a run by one process that nothing disturbed, and what it printed."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, train(pack, folder, "--workers", "2")


def test_two_processes_train_the_weights_of_one(tmp_path: Path, pack: Path, whole: tuple[Path, list[str]]) -> None:
    alone, told = whole
    together = train(pack, tmp_path / "two", launcher=TORCHRUN)
    assert [line[:20] for line in together] == [line[:20] for line in told]  # each record once
    found = differences(alone, tmp_path / "two")
    assert max(found.values(), default=0.0) <= 1e-5, found
    assert read_model(tmp_path / "two" / "model.hourbit").architecture.width == 32
    assert not list((tmp_path / "two").glob(".*")), "a half-written file"


def test_averaged_gradients_are_those_of_the_whole_batch(tmp_path: Path, pack: Path) -> None:
    """As on GPUs, through DistributedDataParallel; with real weights, where rounding flips no signs."""
    save_gradients(str(pack), str(tmp_path / "one"))
    (tmp_path / "script.py").write_text(GRADIENTS)
    words = [sys.executable, *TORCHRUN, str(tmp_path / "script.py"), str(pack), str(tmp_path / "two")]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    with np.load(tmp_path / "one.npz") as one, np.load(tmp_path / "two.npz") as two:
        assert set(one.files) == set(two.files) and len(one.files) > 300
        for name in one.files:
            least = max(2e-3 * np.abs(one[name]).max(), 2e-6)  # a bias before batch-norm has no gradient but rounding
            np.testing.assert_allclose(two[name], one[name], rtol=2e-3, atol=least, err_msg=name)


def test_a_run_killed_between_checkpoints_goes_on_exactly(
    tmp_path: Path, pack: Path, whole: tuple[Path, list[str]]
) -> None:
    words = command(pack, tmp_path / "parts")
    broken = subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, text=True)
    late = threading.Timer(300, broken.kill)  # or a training that says nothing would be waited for without end
    late.start()
    for line in broken.stdout:
        if '"step": 5' in line and "progress" in line:
            broken.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
            break
    late.cancel()
    assert broken.wait(60) != 0
    broken.stdout.close()
    rest = train(pack, tmp_path / "parts", "--resume", "--seed", "99")  # the run keeps the seed it began with
    steps = [line for line in rest if '"progress"' in line]
    assert len(steps) == 4 and '"step": 4' in steps[0]
    assert differences(whole[0], tmp_path / "parts") == {}
    tensors = [read_model(folder / "model.hourbit").tensors for folder in (whole[0], tmp_path / "parts")]
    assert all(np.array_equal(tensors[0][name], tensors[1][name]) for name in tensors[0])


def test_a_batch_that_processes_cannot_share_is_refused(tmp_path: Path) -> None:
    from engine.train.distributed import Group
    from engine.train.fit import Fit, TrainingError
    from tests.engine.train.toys import RECIPE, SCHEMA, small_network, spots

    with pytest.raises(TrainingError, match="A batch of 4 cannot be shared evenly by 3 processes"):
        Fit(small_network(), spots(8), spots(1), RECIPE, SCHEMA, tmp_path, group=Group(1, 3))
