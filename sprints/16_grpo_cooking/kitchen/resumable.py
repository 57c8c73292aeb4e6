"""Runs of GRPO that can be stopped and go on as if they had not been, and their curves for TensorBoard."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from kitchen.grpo_loop import Signals, Trainer, train
from shared.training.checkpoints import (
    check_compatible,
    check_replaceable,
    check_room,
    load_checkpoint,
    restore,
    save_checkpoint,
)

CHECKPOINT = "checkpoint.pt"


def check_start(path: Path, config: Mapping[str, Any], *, steps: int, resume: bool) -> None:
    """Check that a run may go on from its checkpoint, or else that it overwrites nothing; errors as below."""
    if resume:
        check_compatible(load_checkpoint(path), config, path)
    else:
        check_replaceable(path, config, steps)


def resumable_steps(
    trainer: Trainer,
    path: Path,
    config: Mapping[str, Any],
    *,
    steps: int,
    save_every: int,
    resume: bool = False,
    tensorboard: bool = False,
) -> Iterator[tuple[int, list[Signals]]]:
    """Train, save what a resumed run needs, and yield steps done and all signals so far.

    Args:
        trainer: what is trained.
        path: of the checkpoint; TensorBoard's logs lie beside it.
        config: what must be equal for a run to resume.
        steps: steps to stop at.
        save_every: steps between checkpoints; the last step is saved too.
        resume: go on from the checkpoint.
        tensorboard: write logs.

    Raises:
        CheckpointError: there is no checkpoint to go on from, it belongs to another configuration, or one that this run
            would not make again is in its place.
        NonFiniteTraining: a step has no finite loss or gradient; the checkpoint before it is kept.
    """
    start, signals = 0, []
    check_start(path, config, steps=steps, resume=resume)
    check_room(path, trainer.saved)
    if resume:
        checkpoint = load_checkpoint(path)
        start = restore(checkpoint, trainer.saved, [trainer.optimizer])
        trainer.generator.set_state(checkpoint["data"]["generator"])
        signals = [Signals(**step) for step in checkpoint["extra"]["signals"]]
        yield start, signals
    writer = None
    for step, signal in train(trainer, steps, start):
        signals.append(signal)
        if tensorboard:
            writer = writer or SummaryWriter(str(path.parent))  # now that there is something to log
            _log(writer, signal, step)
        if step % save_every == 0 or step == steps:
            extra = {"signals": [asdict(each) for each in signals]}
            state = {"step": step, "config": config, "data": trainer.state(), "extra": extra}
            save_checkpoint(path, model=trainer.saved, optimizers=[trainer.optimizer], **state)
        yield step, signals
    if writer is not None:
        writer.close()


def _log(writer: SummaryWriter, signals: Signals, step: int) -> None:
    """Give TensorBoard what there is to see of a step."""
    values = asdict(signals)
    for name, value in values.pop("parts").items():
        writer.add_scalar(f"reward/{name}", value, step)
    for name, value in values.items():
        writer.add_scalar(f"signal/{name}", value, step)
