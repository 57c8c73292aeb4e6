"""Checks of a network by hand: forwards, loss, and each gradient beside autograd's."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect

NAMES = ("hidden_weight", "hidden_bias", "output_weight", "output_bias")


def draw(examples: int, features: int, hidden: int, classes: int) -> dict[str, Tensor]:
    """Return weights and inputs of one decimal, the same at each call."""
    generator = torch.Generator().manual_seed(examples)
    shapes = {
        "inputs": (examples, features),
        "hidden_weight": (features, hidden),
        "hidden_bias": (hidden,),
        "output_weight": (hidden, classes),
        "output_bias": (classes,),
    }
    return {name: torch.randn(shape, generator=generator).mul(10).round().div(10) for name, shape in shapes.items()}


def network(given: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    hidden = torch.tanh(given["inputs"] @ given["hidden_weight"] + given["hidden_bias"])
    return hidden, hidden @ given["output_weight"] + given["output_bias"]


def check_hidden_features(learner: Any) -> None:
    """The hidden features of three examples."""
    given = draw(3, 2, 4, 2)
    sums = given["inputs"] @ given["hidden_weight"]
    mistakes = {
        "tanh is missing.": sums + given["hidden_bias"],
        "The bias of the hidden layer is missing.": sums.tanh(),
        "The bias is added after tanh.": sums.tanh() + given["hidden_bias"],
    }
    expect(lambda *arguments: learner.forward(*arguments)[0], given, network(given)[0], mistakes)


def check_logits(learner: Any) -> None:
    """The logits of three examples."""
    given = draw(3, 2, 4, 2)
    hidden, logits = network(given)
    mistakes = {
        "The logits must not go through tanh: they may have any size.": logits.tanh(),
        "The bias of the output is missing.": hidden @ given["output_weight"],
        "These are probabilities; the loss expects logits, from before the softmax.": logits.softmax(dim=1),
    }
    expect(lambda *arguments: learner.forward(*arguments)[1], given, logits, mistakes)


def compare_loss(learner: Any, logits: Tensor, labels: Tensor) -> None:
    each = functional.cross_entropy(logits, labels, reduction="none")
    exponentials = logits.exp()
    overflowing = (exponentials / exponentials.sum(dim=1, keepdim=True))[torch.arange(len(labels)), labels]
    mistakes = {
        "The exponential of a large logit is infinite: subtract the largest logit of each row from the row first.": (
            -overflowing.log().mean()
        ),
        "It is the sum over the examples; it must be the mean.": each.sum(),
        "The sign is wrong: the loss is minus the logarithm.": -each.mean(),
        "It is minus the probability; it must be minus its logarithm.": -(-each).exp().mean(),
        "It is minus the mean over all classes; only the right class of each example counts.": (
            -logits.log_softmax(dim=1).mean()
        ),
        "The softmax runs over the examples; probabilities of one example must add up to 1.": (
            functional.nll_loss(logits.log_softmax(dim=0), labels)
        ),
    }
    expect(learner.cross_entropy, {"logits": logits, "labels": labels}, each.mean(), mistakes)


def check_loss(learner: Any) -> None:
    """The loss of the example of the note, and of a second one."""
    compare_loss(learner, torch.tensor([[0.762, -0.762], [1.0, 2.0]]), torch.tensor([1, 1]))


def check_large_logits(learner: Any) -> None:
    """Logits of several hundred do not overflow."""
    compare_loss(learner, torch.tensor([[800.0, 0.0], [0.0, 0.0]]), torch.tensor([1, 0]))


def compare_gradient(learner: Any, number: int) -> None:
    drawn = draw(3, 2, 3, 3)
    labels = torch.tensor([2, 0, 2])
    given = {"inputs": drawn["inputs"], "labels": labels} | {name: drawn[name] for name in NAMES}
    weights = [drawn[name].clone().requires_grad_() for name in NAMES]
    hidden, logits = network(drawn | dict(zip(NAMES, weights, strict=True)))
    expected = torch.autograd.grad(functional.cross_entropy(logits, labels), weights)[number]
    hidden, logits = hidden.detach(), logits.detach()
    truth = functional.one_hot(labels, 3)
    right = (logits.softmax(dim=1) - truth) / 3

    def back(
        to_logits: Tensor = right, *, weight: Tensor = drawn["output_weight"].mT, slope: Tensor = 1 - hidden**2
    ) -> Tensor:
        to_sums = to_logits @ weight * slope
        return (drawn["inputs"].mT @ to_sums, to_sums.sum(dim=0), hidden.mT @ to_logits, to_logits.sum(dim=0))[number]

    mistakes = {
        "It is not divided by the number of examples: the loss is a mean.": back(right * 3),
        "The sign is wrong: probabilities minus truth.": back(-right),
        "The truth is not subtracted from the probabilities.": back(logits.softmax(dim=1) / 3),
        "The logits stand where the probabilities should.": back((logits - truth) / 3),
        "tanh is not differentiated: multiply by 1 - hidden².": back(slope=torch.ones_like(hidden)),
        "The derivative of tanh is 1 - hidden²; yours has no square.": back(slope=1 - hidden),
        "The output weight must be transposed on the way back.": back(weight=drawn["output_weight"]),
    }
    if number in (1, 3):
        mistakes["The gradient of a bias is the sum over the examples, not the mean."] = expected / 3
    else:
        mistakes["It is transposed: a gradient has the shape of its weight."] = expected.mT
    expect(lambda *arguments: learner.gradients(*arguments)[number], given, expected, mistakes)


def check_output_weight(learner: Any) -> None:
    """The gradient by the output weight."""
    compare_gradient(learner, 2)


def check_output_bias(learner: Any) -> None:
    """The gradient by the output bias."""
    compare_gradient(learner, 3)


def check_hidden_weight(learner: Any) -> None:
    """The gradient by the hidden weight, which has to go through tanh."""
    compare_gradient(learner, 0)


def check_hidden_bias(learner: Any) -> None:
    """The gradient by the hidden bias."""
    compare_gradient(learner, 1)
