"""How a run of training begins: anew, if that overwrites nothing, or from its last checkpoint.

Theory: notes/11_resuming.md
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn
from torch.optim import Optimizer

from pretraining_study.history import History
from shared.training.checkpoints import check_compatible, check_replaceable, check_room, load_checkpoint, restore
from shared.training.parallel import Stream


def begin(
    path: Path,
    fixed: Mapping[str, Any],
    model: nn.Module,
    optimizers: Sequence[Optimizer],
    batches: Stream,
    *,
    steps: int,
    resume: bool,
) -> tuple[int, History]:
    """Return the steps that are done and what was seen in them; when resuming, everything is put back in place.

    Args:
        path: where the run's checkpoint is, or will be.
        fixed: what must be equal for a run to resume.
        model, optimizers, batches: whose states a checkpoint holds.
        steps: the step to stop at.
        resume: go on from the checkpoint.

    Raises:
        CheckpointError: there is no checkpoint to go on from, it is of other options, a run from the beginning would
            overwrite more than it makes again, or there is no room.
    """
    check_room(path, model)
    if not resume:
        check_replaceable(path, fixed, steps)
        return 0, History()
    checkpoint = load_checkpoint(path)
    check_compatible(checkpoint, fixed, path)
    batches.load_state_dict(checkpoint["data"])
    return restore(checkpoint, model, optimizers), History(**checkpoint["extra"])
