"""Checks of `chunked`: two tokens by hand, autograd, and how many logits there are at a time."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from shared.lab.checking import expect


def draw(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).mul(10).round().div(10)


def by_autograd(hidden: Tensor, weight: Tensor, labels: Tensor, chunk: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return loss and gradients with all logits at once."""
    del chunk
    leaves = hidden.clone().requires_grad_(), weight.clone().requires_grad_()
    loss = functional.cross_entropy(leaves[0] @ leaves[1].mT, labels)
    in_hidden, in_weight = torch.autograd.grad(loss, leaves)
    return loss.detach(), in_hidden, in_weight


def compare(learner: Any, hidden: Tensor, weight: Tensor, labels: Tensor, chunk: int) -> None:
    given: dict[str, Any] = {"hidden": hidden, "weight": weight, "labels": labels, "chunk": chunk}
    loss, in_hidden, in_weight = by_autograd(**given)
    ends = range(0, len(hidden), chunk)
    parts = [by_autograd(hidden[s : s + chunk], weight, labels[s : s + chunk], 1) for s in ends]
    softmax = (hidden @ weight.mT).softmax(dim=1) / len(labels)
    whole = len(hidden) // chunk * chunk
    mistakes = {
        "The gradient of the weight is that of the last chunk: every chunk adds its share.": (
            loss, in_hidden, parts[-1][2] * len(hidden[ends[-1] :]) / len(hidden),
        ),
        "Every chunk is averaged by itself, so that the short last one weighs too much: divide by all tokens.": (
            torch.stack([part[0] for part in parts]).mean(), torch.cat([part[1] for part in parts]) / len(parts),
            torch.stack([part[2] for part in parts]).mean(0),
        ),
        "The gradient in the logits lacks the label: softmax, less 1 at the label.": (
            loss, softmax @ weight, softmax.mT @ hidden,
        ),
        "These are gradients of the sum: the loss is a mean.": (loss, in_hidden * len(labels), in_weight * len(labels)),
        "The last chunk has fewer tokens, and is left out.": (
            by_autograd(hidden[:whole], weight, labels[:whole], 1)[0] * whole / len(hidden) if whole else loss,
            torch.cat([in_hidden[:whole], torch.zeros_like(in_hidden[whole:])]), in_weight,
        ),
    }  # fmt: skip
    if len(parts) == 1:
        mistakes = {}
    for place, expected in enumerate((loss, in_hidden, in_weight)):

        def part(*arguments: Any, place: int = place) -> Tensor:
            return learner.chunked(*arguments)[place]

        expect(part, given, expected, {sentence: results[place] for sentence, results in mistakes.items()})


def check_two_tokens(learner: Any) -> None:
    """Two words, so that a softmax is easy: logits 0 and 0, a token at a time."""
    compare(learner, torch.tensor([[1.0, 0], [0, 2]]), torch.zeros(2, 2), torch.tensor([0, 1]), 1)


def check_chunks_that_divide_the_tokens(learner: Any) -> None:
    """Six tokens, two at a time."""
    compare(learner, draw(0, 6, 3), draw(1, 5, 3), torch.tensor([4, 0, 2, 2, 1, 3]), 2)


def check_a_last_chunk_that_is_shorter(learner: Any) -> None:
    """Seven tokens, three at a time."""
    compare(learner, draw(2, 7, 4), draw(3, 5, 4), torch.tensor([1, 1, 0, 4, 2, 3, 0]), 3)


def check_a_chunk_for_all(learner: Any) -> None:
    """A chunk larger than the batch."""
    compare(learner, draw(4, 4, 3), draw(5, 6, 3), torch.tensor([5, 0, 2, 2]), 10)


class Logits(TorchFunctionMode):
    """Counts the rows of everything that is as wide as the vocabulary."""

    def __init__(self, vocab: int) -> None:
        super().__init__()
        self.vocab, self.most = vocab, 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and result.dim() == 2 and result.shape[1] == self.vocab:
            self.most = max(self.most, result.shape[0])
        return result


def check_only_a_chunk_of_logits_at_a_time(learner: Any) -> None:
    """Of 12 tokens and 101 words, no tensor may have the logits of more than four tokens."""
    given = {"hidden": draw(6, 12, 3), "weight": draw(7, 101, 3), "labels": torch.arange(12), "chunk": 4}

    def few(*arguments: Any) -> bool:
        with Logits(101) as counted:
            learner.chunked(*arguments)
        return counted.most <= 4

    mistake = "There are logits of too many tokens at once: make those of a chunk, use them, and forget them."
    expect(few, given, True, {mistake: False})
