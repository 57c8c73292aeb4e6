"""Early stopping, and the weights from when the loss on validation data was lowest."""

import math

from torch import Tensor, nn


class KeepBest:
    """Keeps a copy of a model's weights from its lowest loss, and tells when there was none lower for too long.

        best = KeepBest(model, patience=5)
        for step, _ in train_steps(...):
            if step % eval_every == 0:
                best.update(evaluate_loss(model, validation)[0], step)
                if best.stop:
                    break
        best.restore()

    A loss that is not finite is no progress.

    Args:
        model: the module whose state is kept, buffers too. Of a model that is frozen in part, the trained parameters
            alone can be given: `nn.ParameterList(parameters)`.
        patience: updates in a row without a lower loss after which to stop (None: never).

    Raises:
        ValueError: a patience below 1.
    """

    def __init__(self, model: nn.Module, patience: int | None = None) -> None:
        if patience is not None and patience < 1:
            raise ValueError(f"patience must be at least 1, got {patience}: use None to never stop")
        self.model = model
        self.patience = patience
        self.best_loss = math.inf
        self.best_step = 0
        self.waited = 0
        self._weights: dict[str, Tensor] = {}

    def update(self, loss: float, step: int) -> bool:
        """Take the loss after a step; return whether it is the lowest so far (the first of equals is)."""
        if not math.isfinite(loss) or loss >= self.best_loss:
            self.waited += 1
            return False
        self.best_loss, self.best_step, self.waited = loss, step, 0
        # A clone, because training goes on in the same memory.
        self._weights = {name: value.clone() for name, value in self.model.state_dict().items()}
        return True

    @property
    def stop(self) -> bool:
        """Whether the loss was not lower for `patience` updates."""
        return self.patience is not None and self.waited >= self.patience

    def restore(self) -> None:
        """Give the model its best weights back.

        Raises:
            ValueError: there were no updates, or none had a finite loss.
        """
        if math.isinf(self.best_loss):
            raise ValueError(
                f"no weights were kept: of {self.waited} losses none was finite. "
                "Did training diverge, or was the model never evaluated?"
            )
        self.model.load_state_dict(self._weights)
