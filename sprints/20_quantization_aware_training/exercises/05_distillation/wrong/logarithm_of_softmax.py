"""Softmax first and its logarithm afterwards: an unlikely word is 0, and its logarithm minus infinity."""

from torch import Tensor


def soft_target_loss(logits: Tensor, teacher_logits: Tensor, mask: Tensor, temperature: float = 1.0) -> Tensor:
    student = (logits / temperature).softmax(dim=-1).log()
    teacher = (teacher_logits.detach() / temperature).softmax(dim=-1).log()
    divergence = (teacher.exp() * (teacher - student)).sum(dim=-1)
    return temperature**2 * divergence[mask].mean()
