"""The training loop: it learns, repeats itself exactly, resumes exactly, and refuses damaged files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import load_file, save_file  # noqa: E402

from engine.train.checkpoint import CheckpointError, load_latents, save_latents  # noqa: E402
from engine.train.fit import Fit, TrainingError  # noqa: E402
from engine.train.recipes import RecipeError, load_recipe, with_settings  # noqa: E402
from tests.engine.train.toys import RECIPE, losses, new_fit, run, small_network  # noqa: E402

SHIPPED = (
    "face-parts", "finetune", "ours-face", "ours-face-gpu", "ours-face-gpu-192", "ours-pose", "ours-pose-gpu",
    "ours-pose-gpu-192", "ours-pose-gpu-teacher", "paper-300wlp", "paper-aflw", "paper-mpii", "paper-pifa",
)  # fmt: skip



@pytest.fixture(autouse=True)
def one_thread():
    """Sums of several threads may differ from run to run."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def weights(fit: Fit) -> dict[str, np.ndarray]:
    return {name: value.numpy().copy() for name, value in fit.network.state_dict().items()}


def assert_same_weights(one: Fit, other: Fit) -> None:
    mine, others = weights(one), weights(other)
    assert mine.keys() == others.keys()
    different = [name for name in mine if not np.array_equal(mine[name], others[name])]
    assert not different


def test_a_resumed_run_ends_where_an_unbroken_one_does(tmp_path: Path) -> None:
    whole, first = new_fit(tmp_path / "whole"), new_fit(tmp_path / "parts")
    expected = losses(run(whole))
    assert len(expected) == 6
    found = losses(run(first, until=3))
    second = new_fit(tmp_path / "parts", network_seed=7)  # what it starts from is replaced by the checkpoint
    assert second.resume() and second.step == 3
    assert second.seconds == pytest.approx(first.seconds)
    found += losses(run(second))
    assert found == expected
    assert_same_weights(whole, second)


def test_without_a_checkpoint_there_is_nothing_to_resume(tmp_path: Path) -> None:
    fit = new_fit(tmp_path)
    assert not fit.resume()
    assert fit.step == 0


def test_same_seed_same_run_and_another_seed_another(tmp_path: Path) -> None:
    one, same, other = (new_fit(tmp_path / str(n), seed=seed) for n, seed in enumerate((4, 4, 5)))
    first, again, differing = (losses(run(fit, until=2)) for fit in (one, same, other))
    assert first == again != differing
    assert_same_weights(one, same)


def test_a_short_training_learns_to_find_spots(tmp_path: Path) -> None:
    fit = new_fit(tmp_path, with_settings(RECIPE, {"steps": 40, "warmup": 5, "rate": 5e-3}), held=4)
    before = fit.measure()["nme"]
    found = losses(run(fit))
    assert np.mean(found[-5:]) < 0.75 * np.mean(found[:3])
    assert fit.measure()["nme"] < 0.5 * before
    fit.recalibrate(40)
    assert fit.measure()["nme"] < 0.5 * before


def test_measurements_and_checkpoints_come_on_time(tmp_path: Path) -> None:
    fit = new_fit(tmp_path, with_settings(RECIPE, {"evaluate_every": 2, "checkpoint_every": 3, "steps": 4}), held=1)
    kinds = [(record["type"], record["step"]) for record in run(fit)]
    assert kinds == [
        ("progress", 1), ("progress", 2), ("metric", 2), ("progress", 3), ("checkpoint", 3), ("progress", 4),
        ("metric", 4),
    ]  # fmt: skip
    assert fit.done == 1 and fit.latest.is_file()
    assert not list(tmp_path.glob("*.part")) and not list(tmp_path.glob(".*.part"))


def test_nothing_held_out_gives_no_measurement(tmp_path: Path) -> None:
    assert new_fit(tmp_path).measure() == {}


def test_the_rate_warms_up_and_falls_to_nothing(tmp_path: Path) -> None:
    fit, rates = new_fit(tmp_path, with_settings(RECIPE, {"steps": 100, "warmup": 10})), []
    for fit.step in range(101):
        rates.append(fit.set_rate())
    assert np.argmax(rates) == 9 and rates[0] == pytest.approx(RECIPE.rate / 10)
    assert (np.diff(rates[9:]) < 0).all() and rates[100] == pytest.approx(0, abs=1e-12)


def test_a_schedule_counts_minutes_before_epochs_before_steps(tmp_path: Path) -> None:
    def scheduled(**settings: float) -> Fit:
        return new_fit(tmp_path, with_settings(RECIPE, {"steps": 50, **settings}))

    by_steps, by_epochs, by_time = scheduled(), scheduled(epochs=2.3), scheduled(epochs=2.3, minutes=2.0)
    assert by_steps.steps == 50
    assert by_epochs.steps == 5  # 2.3 passes over 8 examples, 4 at a time, rounded up
    for fit in (by_steps, by_epochs, by_time):
        fit.step, fit.seconds = 4, 60.0
    assert [fit.done for fit in (by_steps, by_epochs, by_time)] == [0.08, 0.8, 0.5]
    by_time.seconds = 1e6
    assert by_time.done == 1
    assert len(run(scheduled(minutes=1e-9))) == 1


def test_a_loss_that_is_no_number_ends_the_training(tmp_path: Path) -> None:
    fit = new_fit(tmp_path)
    with torch.no_grad():
        fit.network.layer(fit.network.graph.nodes[-1]).bias.fill_(float("nan"))
    with pytest.raises(TrainingError, match="lower rate"):
        run(fit)


def test_latents_keep_every_sign(tmp_path: Path) -> None:
    network, other = small_network(1), small_network(2)
    with torch.no_grad():
        binary = next(node for node in network.graph.nodes if node.op == "binary")
        weight = network.layer(binary).weight
        weight[0, :4, 0, 0] = torch.tensor([1e-7, -1e-7, 0.0, 1.0])  # far below a step of the int8 grid
    save_latents(tmp_path / "a.safetensors", network)
    load_latents(tmp_path / "a.safetensors", other)
    mine, found = network.lowered(), other.lowered()
    for name in mine:
        if name.endswith(".alpha"):
            np.testing.assert_allclose(found[name], mine[name], rtol=1e-6)
        else:
            np.testing.assert_array_equal(found[name], mine[name], err_msg=name)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("not a checkpoint")


def gone(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("damage", [cut, empty, text])
def test_damaged_checkpoints_are_refused(tmp_path: Path, damage) -> None:
    fit = new_fit(tmp_path)
    fit.save()
    damage(fit.latest)
    with pytest.raises(CheckpointError, match="start anew"):
        new_fit(tmp_path).resume()


def test_checkpoints_of_another_network_or_with_odd_moments_are_refused(tmp_path: Path) -> None:
    fit = new_fit(tmp_path)
    run(fit, until=1)
    whole = load_file(fit.latest)
    name = next(n for n in whole if n.startswith("network.") and n.endswith("weight"))
    for tensors in (
        {n: t for n, t in whole.items() if n != name},
        whole | {name: torch.zeros(1)},
        whole | {"optimiser.first.step": torch.zeros(1)},
        whole | {"optimiser.0.exp_avg": torch.zeros(1)},
    ):
        save_file(tensors, fit.latest, {"state": '{"step": 1, "seconds": 1}'})
        with pytest.raises(CheckpointError) as caught:
            new_fit(tmp_path).resume()
        assert len(str(caught.value).splitlines()) == 1 and len(str(caught.value)) < 220


@pytest.mark.parametrize("damage", [cut, empty, text, gone])
def test_damaged_latents_are_refused(tmp_path: Path, damage) -> None:
    path = tmp_path / "a.latents.safetensors"
    save_latents(path, small_network())
    damage(path)
    with pytest.raises(CheckpointError, match="a.latents.safetensors"):
        load_latents(path, small_network())


def test_latents_that_lack_or_change_a_part_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.latents.safetensors"
    save_latents(path, small_network())
    whole = load_file(path)
    scale, q = (next(n for n in whole if n.endswith(end)) for end in (".scale", ".q"))
    for tensors in (
        {n: t for n, t in whole.items() if n != scale},
        {n: t for n, t in whole.items() if n != q},
        whole | {scale: whole[scale][:-1].clone()},
        whole | {scale: torch.full_like(whole[scale], float("nan"))},
        whole | {q: whole[q][:, :-1].clone()},
    ):
        save_file(tensors, path)
        with pytest.raises(CheckpointError):
            load_latents(path, small_network())


@pytest.mark.parametrize("name", SHIPPED)
def test_recipes_that_ship_load(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.batch > 0 and (recipe.minutes or recipe.epochs or recipe.steps)
    assert recipe != RECIPE


def test_a_recipe_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("rate = 1\nflip = false\nbatch = 3\n")
    recipe = load_recipe(path)
    assert (recipe.rate, recipe.flip, recipe.batch) == (1.0, False, 3) and isinstance(recipe.rate, float)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("speed = 3", "No setting 'speed'"), ("batch = 2.5", "batch must be a whole number"),
        ("batch = 100000000", "4096 or less"), ("rate = true", "rate must be"),
        ('rate = "fast"', "rate must be"), ("flip = 1", "flip must be"), ("batch = 0", "batch must be"),
        ("rate = nan", "rate must be"), ("rate = inf", "rate must be"), ("minutes = -1", "minutes must be"),
        ("rate = = 2", "not a TOML file"), ("pad = -2", "pad must be"),
    ],
)  # fmt: skip
def test_recipes_with_a_fault_name_it(tmp_path: Path, line: str, sentence: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(line)
    with pytest.raises(RecipeError, match=sentence):
        load_recipe(path)


def test_recipes_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="finetune, ours-detect, ours-face, ours-face-gpu, .*paper-300wlp"):
        load_recipe("theirs")
    with pytest.raises(RecipeError, match="cannot be read"):
        load_recipe(tmp_path / "absent.toml")
