"""Checkpoints: whole at any moment, exact when resumed, clear when unusable."""

import errno
import itertools
import os
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from shared.nn.gpt import GPT, GPTConfig
from shared.text.batches import BlockBatches
from shared.training.checkpoints import (
    CheckpointError,
    check_compatible,
    load_checkpoint,
    random_states,
    restore,
    save_checkpoint,
    set_random_states,
)
from shared.training.loop import train_steps
from shared.training.losses import language_model_loss
from shared.training.optimizers import make_optimizers

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
    with pytest.raises(CheckpointError, match="truncated or no checkpoint"):
        load_checkpoint(path)
    path.write_bytes(b"not a checkpoint at all")
    with pytest.raises(CheckpointError, match="truncated or no checkpoint"):
        load_checkpoint(path)
    torch.save({"weights": torch.ones(2)}, path)
    with pytest.raises(CheckpointError, match="not a checkpoint of this project"):
        load_checkpoint(path)


def test_a_checkpoint_cannot_run_code(tmp_path: Path):
    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "owned"),))

    torch.save({"model": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(CheckpointError):
        load_checkpoint(tmp_path / "evil.pt")
    assert not (tmp_path / "owned").exists()


def test_another_configuration_is_named_field_by_field(tmp_path: Path):
    checkpoint = {"config": {"layers": 1, "heads": 2, "gone": 0}}
    check_compatible(checkpoint, {"layers": 1, "heads": 2, "gone": 0}, tmp_path)
    with pytest.raises(CheckpointError, match=r"heads is 4, in the checkpoint 2; new is 1, in the checkpoint None"):
        check_compatible(checkpoint, {"layers": 1, "heads": 4, "gone": 0, "new": 1}, tmp_path)
