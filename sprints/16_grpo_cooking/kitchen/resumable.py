"""Runs of GRPO that can be stopped and go on as if they had not been, and their curves for TensorBoard."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from kitchen.grpo_loop import Signals, Trainer, train
from shared.training.checkpoints import check_compatible, load_checkpoint, restore, save_checkpoint

CHECKPOINT = "checkpoint.pt"


def resumable_steps(
    trainer: Trainer,
    folder: Path,
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
        folder: where the checkpoint and TensorBoard's logs lie.
        config: what must be equal for a run to resume.
        steps: steps to stop at.
        save_every: steps between checkpoints; the last step is saved too.
        resume: go on from the checkpoint.
        tensorboard: write logs.

    Raises:
        CheckpointError: there is no checkpoint to go on from, or it belongs to another configuration.
    """
    start, signals, path = 0, [], folder / CHECKPOINT
    if resume:
        checkpoint = load_checkpoint(path)
        check_compatible(checkpoint, config, path)
        start = restore(checkpoint, trainer.policy, [trainer.optimizer])
        trainer.generator.set_state(checkpoint["data"]["generator"])
        signals = [Signals(**step) for step in checkpoint["extra"]["signals"]]
        yield start, signals
    writer = SummaryWriter(str(folder)) if tensorboard else None
    for step, signal in train(trainer, steps, start):
        signals.append(signal)
        if writer is not None:
            _log(writer, signal, step)
        if step % save_every == 0 or step == steps:
            extra = {"signals": [asdict(each) for each in signals]}
            state = {"step": step, "config": config, "data": trainer.state(), "extra": extra}
            save_checkpoint(path, model=trainer.policy, optimizers=[trainer.optimizer], **state)
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
