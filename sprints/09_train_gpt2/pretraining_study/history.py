"""What a run of training has seen so far; checkpoints hold it as plain values."""

from dataclasses import dataclass, field
from itertools import pairwise


@dataclass
class History:
    """The loss of every step, the steps with an evaluation and the losses there, and seconds of training."""

    losses: list[float] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def train_losses(self) -> list[float]:
        """Return the mean training loss between one evaluation and the next."""
        return [sum(self.losses[start:end]) / (end - start) for start, end in pairwise([0, *self.steps])]
