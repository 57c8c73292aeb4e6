"""Checks of `tie` and `count_parameters`: beside the `GPT` of this course, and the usual mistakes by name."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.lab.checking import expect
from shared.nn.gpt import GPT, GPTConfig


class TwoLayers(nn.Module):
    """An embedding and a head, and a loss that uses both."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.head = nn.Embedding(3, 2), nn.Linear(2, 3, bias=False)
        with torch.no_grad():
            self.embedding.weight.copy_(torch.tensor([[1.0, 0], [0, 1], [1, 1]]))
            self.head.weight.copy_(torch.tensor([[5.0, 5], [6, 6], [7, 7]]))

    def step(self) -> None:
        logits = self.head(self.embedding(torch.tensor([0, 1])))
        functional.cross_entropy(logits, torch.tensor([1, 2])).backward()
        with torch.no_grad():
            for parameter in self.parameters():
                assert parameter.grad is not None
                parameter -= parameter.grad


def tied(learner: Any) -> TwoLayers:
    model = TwoLayers()
    learner.tie(model.embedding, model.head)
    return model


def after(model: TwoLayers) -> Tensor:
    """Return embedding and head after a step, one above the other."""
    model.step()
    return torch.cat([model.embedding.weight, model.head.weight]).detach()


def right(copied: bool = False, backwards: bool = False) -> TwoLayers:
    model = TwoLayers()
    if copied:
        model.head.weight.data.copy_(model.embedding.weight)
    elif backwards:
        model.embedding.weight = model.head.weight
    else:
        model.head.weight = model.embedding.weight
    return model


def check_tied_before_training(learner: Any) -> None:
    """The head has the numbers of the embedding."""
    given = {"embedding": TwoLayers().embedding.weight, "head": TwoLayers().head.weight}
    mistakes = {
        "The head is as it was: nothing is tied.": TwoLayers().head.weight,
        "It is the embedding that has got the numbers of the head.": right(backwards=True).head.weight,
    }
    expect(lambda *_: tied(learner).head.weight.detach(), given, right().embedding.weight, mistakes)


def check_tied_after_a_step(learner: Any) -> None:
    """After a step of gradient descent they are still the same, and have both gradients."""
    model = TwoLayers()
    given = {"embedding": model.embedding.weight, "head": model.head.weight}
    mistakes = {
        "The numbers were copied. There are two matrices, and training parts them.": after(right(copied=True)),
        "Nothing is tied.": after(TwoLayers()),
        "It is the embedding that has got the matrix of the head.": after(right(backwards=True)),
    }
    expect(lambda *_: after(tied(learner)), given, after(right()), mistakes)


def check_tied_once(learner: Any) -> None:
    """There is one parameter, with six numbers."""
    model = TwoLayers()
    given = {"embedding": model.embedding.weight, "head": model.head.weight}
    mistakes = {"There are two matrices of 6 numbers; a tied head adds none.": 12}
    expect(lambda *_: sum(weight.numel() for weight in tied(learner).parameters()), given, 6, mistakes)


def compare(learner: Any, vocab_size: int, context: int, layers: int, d_model: int, tied: bool) -> None:
    with torch.device("meta"):
        model = GPT(GPTConfig(vocab_size, context, layers, heads=1, d_model=d_model, tie_weights=tied))
    expected = sum(parameter.numel() for parameter in model.parameters())
    head, biases = vocab_size * d_model, layers * 9 * d_model
    mistakes = {
        "The tied head is counted with the embedding and once more.": expected + head if tied else -1,
        "The head of its own is missing.": -1 if tied else expected - head,
        "The positions are missing.": expected - context * d_model,
        "The biases of the matrices are missing.": expected - biases,
        "The biases and the norms are missing.": expected - biases - (4 * layers + 2) * d_model,
        "The norm at the end is missing.": expected - 2 * d_model,
        "The norms of the blocks are missing.": expected - 4 * layers * d_model,
        "The norms are missing.": expected - (4 * layers + 2) * d_model,
        "The output matrix of attention is missing.": expected - layers * (d_model**2 + d_model),
        "A feed-forward network has two matrices, to 4 d_model and back.": (
            expected - layers * (4 * d_model**2 + d_model)
        ),
        "The head has a bias in your count; GPT-2's has none.": expected + vocab_size,
    }
    given = {"vocab_size": vocab_size, "context": context, "layers": layers, "d_model": d_model, "tied": tied}
    expect(learner.count_parameters, given, expected, mistakes)


def check_count_of_a_tiny_model(learner: Any) -> None:
    """Two layers of four features."""
    compare(learner, 10, 6, 2, 4, tied=True)


def check_count_of_an_untied_model(learner: Any) -> None:
    """Three layers of six features, with a head of its own."""
    compare(learner, 20, 8, 3, 6, tied=False)


def check_count_of_gpt2(learner: Any) -> None:
    """GPT-2 small."""
    compare(learner, 50_257, 1024, 12, 768, tied=True)
