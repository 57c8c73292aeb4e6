"""Learning from a model instead of from texts: soft targets (Hinton, Vinyals, Dean 2015).

    loss = share T^2 KL(p_T || q_T) + (1 - share) (-log q(next token)),     p_T = softmax(z_teacher / T)

A text says which token came next. The teacher says how likely each token was, which is the mean over all the texts that
it could have written there.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from shared.text.batches import Batch
from shared.training.loop import LossFunction
from shared.training.losses import count_targets, token_losses


def soft_target_losses(
    logits: Float[Tensor, "*places vocab"], teacher_logits: Float[Tensor, "*places vocab"], temperature: float = 1.0
) -> Float[Tensor, "*places"]:
    """Return T^2 KL(teacher || student) of each place in nats; 0 where both say the same. Section 2 of the paper.

    Args:
        logits: of the student.
        teacher_logits: of the teacher, at the same places.
        temperature: divides the logits of both before the softmax. Gradients shrink with its square, hence the factor.

    Raises:
        ValueError: the temperature is not above 0.
    """
    if not temperature > 0:
        raise ValueError(f"a temperature must be above 0, and 1 changes nothing; got {temperature}")
    student = (logits / temperature).log_softmax(dim=-1)
    teacher = (teacher_logits.detach() / temperature).log_softmax(dim=-1)
    return temperature**2 * (teacher.exp() * (teacher - student)).sum(dim=-1)


def distillation_loss(teacher: nn.Module, share: float = 1.0, temperature: float = 1.0) -> LossFunction:
    """Return a loss function for `train_steps`: sum and number of the losses of a batch, as `language_model_loss`.

    Args:
        teacher: a model of the same tokens; it is not trained.
        share: of the soft targets in the loss; what is left to 1 is that of the texts.
        temperature: of the soft targets.

    Raises:
        ValueError: a share outside 0 to 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"the share of soft targets must be from 0 to 1; got {share}")
    teacher.eval()

    def loss(model: nn.Module, batch: Batch) -> tuple[Float[Tensor, ""], int]:
        tokens, mask = batch
        logits = model(tokens[:, :-1])
        with torch.no_grad():
            soft = teacher(tokens[:, :-1])
        losses = share * soft_target_losses(logits, soft, temperature)  # (batch, targets)
        if mask is not None:
            losses = losses.where(mask[:, 1:], 0.0)
        total = losses.sum()
        if share < 1:
            total = total + (1 - share) * token_losses(logits, tokens, mask).sum()
        return total, count_targets(tokens, mask)

    return loss
