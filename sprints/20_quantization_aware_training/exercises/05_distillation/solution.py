"""The divergence of a student from its teacher, at the places that count."""

from torch import Tensor


def soft_target_loss(logits: Tensor, teacher_logits: Tensor, mask: Tensor, temperature: float = 1.0) -> Tensor:
    """Return T^2 KL(teacher || student), the mean over the places that have a target, in nats."""
    student = (logits / temperature).log_softmax(dim=-1)
    teacher = (teacher_logits.detach() / temperature).log_softmax(dim=-1)  # the teacher does not learn
    divergence = (teacher.exp() * (teacher - student)).sum(dim=-1)  # (batch, places)
    return temperature**2 * divergence[mask].mean()
