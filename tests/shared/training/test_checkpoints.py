"""Checkpoints: whole at any moment, exact when resumed, clear when unusable."""

import errno
import itertools
import os
import random
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from shared.nn.gpt import GPT, GPTConfig
from shared.text.batches import BlockBatches
from shared.training.checkpoints import (
    CheckpointError,
    check_compatible,
    check_replaceable,
    check_room,
    load_checkpoint,
    random_states,
    restore,
    save_checkpoint,
    set_random_states,
)
from shared.training.loop import train_steps
from shared.training.losses import language_model_loss
from shared.training.optimizers import make_optimizers
from shared.training.sealed import save_sealed

SIZE = GPTConfig(vocab_size=11, context=8, layers=1, heads=2, d_model=8, dropout=0.3)


class TrainingRun:
    """A model with dropout, two optimizers and random data: all that has a state."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.model = GPT(SIZE)
        self.optimizers = make_optimizers(self.model, learning_rate=1e-2, muon_learning_rate=1e-2)
        generator = torch.Generator().manual_seed(1)
        self.batches = BlockBatches(np.arange(100) % 11, 4, 8, generator)

    def train(self, start: int, steps: int) -> list[float]:
        trained = train_steps(
            self.model,
            self.batches,
            loss_function=language_model_loss,
            optimizers=self.optimizers,
            schedule=lambda step: 1 / (step + 1),
            start=start,
            steps=steps,
        )
        return [loss for _, loss in trained]

    def save(self, path: Path, step: int = 3) -> None:
        save_checkpoint(
            path,
            model=self.model,
            optimizers=self.optimizers,
            step=step,
            config={"layers": 1},
            data=self.batches.state_dict(),
            extra={"losses": [1.0, 2.0]},
        )


def test_a_resumed_run_equals_an_undisturbed_one_bit_for_bit(tmp_path: Path):
    calm = TrainingRun()
    expected = calm.train(0, 8)
    first = TrainingRun()
    losses = first.train(0, 3)
    first.save(tmp_path / "run.pt")
    second = TrainingRun()
    torch.manual_seed(99)
    random.seed(99)
    checkpoint = load_checkpoint(tmp_path / "run.pt")
    assert restore(checkpoint, second.model, second.optimizers) == 3
    second.batches.load_state_dict(checkpoint["data"])
    losses += second.train(3, 8)
    assert losses == expected
    for mine, theirs in zip(second.model.parameters(), calm.model.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    assert checkpoint["extra"]["losses"] == [1.0, 2.0]


def test_random_states_of_all_libraries_come_back():
    states = random_states()
    draw = lambda: (random.random(), random.gauss(0, 1), np.random.rand(), np.random.randn(), torch.rand(2).tolist())  # noqa: E731, NPY002
    first = draw()
    assert draw() != first
    set_random_states(states)
    assert draw() == first


@pytest.mark.parametrize("broken", ["os.replace", "torch.save", "os.fsync"])
def test_a_full_disk_leaves_the_old_checkpoint_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str):
    path, run = tmp_path / "run.pt", TrainingRun()
    run.save(path, step=1)
    old = path.read_bytes()

    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(broken, full)
    with pytest.raises(CheckpointError, match=r"No space left.*the checkpoint before it is intact.*--out"):
        run.save(path, step=2)
    monkeypatch.undo()
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["run.pt"], "nothing half-written is left"
    assert load_checkpoint(path)["step"] == 1


def test_an_interrupted_save_leaves_the_old_checkpoint_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path, run = tmp_path / "run.pt", TrainingRun()
    run.save(path, step=1)
    calls = itertools.count()

    def interrupted(*_args: object) -> None:
        next(calls)
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run.save(path, step=2)
    assert load_checkpoint(path)["step"] == 1


def test_unusable_files_are_named(tmp_path: Path):
    path = tmp_path / "run.pt"
    with pytest.raises(CheckpointError, match=r"no checkpoint .*run\.pt; start without --resume"):
        load_checkpoint(path)
    TrainingRun().save(path)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(
        CheckpointError,
        match=r"truncated, damaged or of another program.*name the checkpoint of a training run, or start again",
    ):
        load_checkpoint(path)
    for content in ("weights", {"model": {}}):
        save_sealed(content, path)
        with pytest.raises(CheckpointError, match=r"run\.pt is not a checkpoint of a training run"):
            load_checkpoint(path)


def test_what_is_not_finite_is_never_written(tmp_path: Path):
    path, run = tmp_path / "run.pt", TrainingRun()
    run.train(0, 1)
    run.save(path, step=1)
    for broken in (run.model.head.weight.data, run.optimizers[0].state_dict()["state"][0]["exp_avg"]):
        value = broken[0, 0].item()
        broken[0, 0] = float("nan")
        with pytest.raises(
            CheckpointError, match=r"after step 2 a weight.*not saved, and the checkpoint before it is in"
        ):
            run.save(path, step=2)
        broken[0, 0] = value
    assert load_checkpoint(path)["step"] == 1


def test_room_is_asked_for_before_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    model = torch.nn.Linear(1000, 1000, bias=False)
    check_room(tmp_path / "not" / "yet" / "there.pt", model)
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=23e6))
    with pytest.raises(CheckpointError, match="needs 24 MB and 23 MB are free"):
        check_room(tmp_path / "run.pt", model)


def test_a_run_from_the_beginning_replaces_only_what_it_makes_again(tmp_path: Path):
    path, options = tmp_path / "run.pt", {"layers": 1}
    check_replaceable(path, options, 3)  # nothing is there
    TrainingRun().save(path, step=3)
    check_replaceable(path, options, 3)
    for steps in (2, 4):
        with pytest.raises(
            CheckpointError, match=f"holds 3 steps.*run of {steps} steps would overwrite it: give --resu"
        ):
            check_replaceable(path, options, steps)
    with pytest.raises(CheckpointError, match=r"other options \(layers is 2, in the checkpoint 1\).*: choose another"):
        check_replaceable(path, {"layers": 2}, 3)


def test_another_configuration_is_named_field_by_field(tmp_path: Path):
    checkpoint = {"config": {"layers": 1, "heads": 2, "gone": 0}}
    check_compatible(checkpoint, {"layers": 1, "heads": 2, "gone": 0}, tmp_path)
    with pytest.raises(CheckpointError, match=r"heads is 4, in the checkpoint 2; new is 1, in the checkpoint None"):
        check_compatible(checkpoint, {"layers": 1, "heads": 4, "gone": 0, "new": 1}, tmp_path)
