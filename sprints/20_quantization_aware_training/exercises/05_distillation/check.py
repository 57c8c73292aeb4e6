"""Checks of `soft_target_loss`: beside PyTorch's kl_div, in its value and its gradients."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect

THREE_WORDS = {
    "logits": torch.tensor([[[0.6, 0.2, 0.2]]]).log(),
    "teacher_logits": torch.tensor([[[0.5, 0.3, 0.2]]]).log(),
    "mask": torch.tensor([[True]]),
}


def divergences(student: Tensor, teacher: Tensor, of_student: float, of_teacher: float) -> Tensor:
    """Return KL(teacher || student) of each place, by PyTorch."""
    logs = (student / of_student).log_softmax(-1)
    return functional.kl_div(logs, (teacher / of_teacher).softmax(-1), reduction="none").sum(-1)


def right(logits: Tensor, teacher_logits: Tensor, mask: Tensor, temperature: float = 1.0) -> Tensor:
    each = divergences(logits, teacher_logits.detach(), temperature, temperature)
    return temperature**2 * each[mask].mean()


def mistakes(logits: Tensor, teacher_logits: Tensor, mask: Tensor, temperature: float = 1.0) -> dict[str, Tensor]:
    """Return what the usual mistakes return."""
    square = temperature**2
    each = divergences(logits, teacher_logits, temperature, temperature)
    soft = (teacher_logits / temperature).softmax(-1)
    crossed = -(soft * (logits / temperature).log_softmax(-1)).sum(-1)
    return {
        "It is the divergence of the teacher from the student: the teacher's probabilities must be the weights.": square
        * divergences(teacher_logits, logits, temperature, temperature)[mask].mean(),
        "The factor T^2 is missing.": each[mask].mean(),
        "The factor is T; it must be its square.": temperature * each[mask].mean(),
        "It is divided by T^2; it must be multiplied.": each[mask].mean() / square,
        "Places without a target count in the sum.": square * each.mean(),
        "The sum is right, and divided by all places: divide by those that have a target.": square
        * each[mask].sum()
        / mask.numel(),
        "It is the sum over the places; it must be their mean.": square * each[mask].sum(),
        "The mask is inverted: True means that a place has a target.": square * each[~mask].mean(),
        "It is divided by the vocabulary too: add up over it.": square * each[mask].mean() / logits.shape[-1],
        "The teacher's entropy is in it: of equal models the divergence is 0, the cross-entropy is not.": square
        * crossed[mask].mean(),
        "The teacher's logits are not divided by T.": square
        * divergences(logits, teacher_logits, temperature, 1.0)[mask].mean(),
        "The student's logits are not divided by T.": square
        * divergences(logits, teacher_logits, 1.0, temperature)[mask].mean(),
        "The logits are multiplied by T; they must be divided.": square
        * divergences(logits, teacher_logits, 1 / temperature, 1 / temperature)[mask].mean(),
    }


def compare(learner: Any, given: dict[str, Any]) -> None:
    expect(learner.soft_target_loss, given, right(**given), mistakes(**given))


def draw(*shape: int, seed: int = 0) -> Tensor:
    """Return numbers of one decimal, the same at each call for the same shape."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).mul(20).round().div(10)


def gradients(function: Any, given: dict[str, Any]) -> Tensor:
    """Return the gradient of the student's logits, and below it that of the teacher's: zeros if there is none."""
    leaves = [given["logits"].clone().requires_grad_(), given["teacher_logits"].clone().requires_grad_()]
    loss = function(*leaves, given["mask"], given["temperature"])
    found = torch.autograd.grad(loss, leaves, allow_unused=True, materialize_grads=True)
    return torch.cat(found)


def check_three_words(learner: Any) -> None:
    """The three words of note 8: 0.0305 nats."""
    compare(learner, THREE_WORDS)


def check_the_same(learner: Any) -> None:
    """A student that says what its teacher says has nothing to learn."""
    compare(learner, THREE_WORDS | {"logits": THREE_WORDS["teacher_logits"]})


def check_padding(learner: Any) -> None:
    """Two rows of three places, and the second row has one target."""
    mask = torch.tensor([[True, True, True], [True, False, False]])
    compare(learner, {"logits": draw(2, 3, 4), "teacher_logits": draw(2, 3, 4, seed=1), "mask": mask})


def check_temperature(learner: Any) -> None:
    """At temperature 2 both are softer."""
    compare(learner, THREE_WORDS | {"temperature": 2.0})


def check_unlikely_words(learner: Any) -> None:
    """Words that are all but impossible make no infinity."""
    logits = torch.tensor([[[200.0, 0.0, -200.0]]])
    compare(learner, {"logits": logits, "teacher_logits": logits.flip(-1) / 2, "mask": torch.tensor([[True]])})


def check_gradients(learner: Any) -> None:
    """The student gets a gradient, (q - p) / T times T^2, and the teacher none."""
    given = {"logits": draw(1, 2, 3), "teacher_logits": draw(1, 2, 3, seed=1), "mask": torch.tensor([[True, False]])}
    given["temperature"] = 2.0

    def learners(logits: Tensor, teacher_logits: Tensor, mask: Tensor, temperature: float) -> Tensor:
        arguments = {"logits": logits, "teacher_logits": teacher_logits, "mask": mask, "temperature": temperature}
        return gradients(learner.soft_target_loss, arguments)

    expected = gradients(right, given)
    teachers = (given["teacher_logits"] / 2).softmax(-1)
    wanted = -(given["logits"] / 2).log_softmax(-1) + (given["teacher_logits"] / 2).log_softmax(-1)
    leak = 2 * teachers * (wanted - (teachers * wanted).sum(-1, keepdim=True)) * given["mask"][..., None]
    leaking = torch.cat([expected[:1], leak])
    expect(learners, given, expected, {"A gradient goes into the teacher: it must not learn, `detach` it.": leaking})
