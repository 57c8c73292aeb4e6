"""Checks of a picture's places: the projector of note 7, LLaVA's way to put vectors into a text, and positions."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect

NAMES = ("features", "first", "first_bias", "second", "second_bias")


def check_projector(learner: Any) -> None:
    """The two patches of note 7 become (2.183, -0.841) and (0.183, -0.841)."""
    features, first = torch.eye(2)[None], torch.tensor([[1.0, -1], [1, 1]])
    compare_projectors(
        learner, features, first, torch.zeros(2), torch.tensor([[2.0, 0], [0, -1]]), torch.tensor([0.5, 0])
    )


def check_widths(learner: Any) -> None:
    """Two pictures of one patch, three features, two hidden ones, and word vectors of two numbers."""
    features = torch.tensor([[[1.0, 2, -1]], [[-2, 0.5, 1]]])
    first, second = torch.tensor([[1.0, 0, 2], [-1, 1, 0]]), torch.tensor([[50.0, 100], [200, -100]])
    compare_projectors(learner, features, first, torch.tensor([0.5, -0.5]), second, torch.tensor([1.0, -1]))


def compare_projectors(learner: Any, *given: Tensor) -> None:
    features, first, first_bias, second, second_bias = given
    inner = features @ first.mT + first_bias
    hidden = functional.gelu(inner)
    mistakes = {
        "There is nothing between the layers: two layers without an activation are one.": inner @ second.mT
        + second_bias,
        "The activation is ReLU; LLaVA's projector has GELU.": inner.relu() @ second.mT + second_bias,
        "GELU is applied once more, behind the second layer.": functional.gelu(hidden @ second.mT + second_bias),
        "GELU stands before the first layer; it belongs between the two.": (
            (functional.gelu(features) @ first.mT + first_bias) @ second.mT + second_bias
        ),
        "The biases are missing.": functional.gelu(features @ first.mT) @ second.mT,
        "GELU is its tanh formula; the exact one is meant.": (
            functional.gelu(inner, approximate="tanh") @ second.mT + second_bias
        ),
    }
    expect(
        learner.project,
        dict(zip(NAMES, given, strict=True)),
        hidden @ second.mT + second_bias,
        mistakes,
        1e-6 * float(second.abs().max()) + 1e-5,
    )


def check_places_before_the_text(learner: Any) -> None:
    """Two rows whose picture stands before the words, two patches each; token 9 marks them."""
    compare_places(learner, torch.tensor([[9, 9, 1, 2], [9, 9, 3, 4]]))


def check_places_in_the_text(learner: Any) -> None:
    """Padding on the left in one row, a word between the patches in the other one."""
    compare_places(learner, torch.tensor([[0, 9, 9, 1], [9, 5, 9, 6]]))


def compare_places(learner: Any, tokens: Tensor) -> None:
    words = tokens[:, :, None].repeat(1, 1, 2).float()  # both numbers of a word vector are its token
    vectors = torch.tensor([[[0.1, 0.2], [0.3, 0.4]], [[0.5, 0.6], [0.7, 0.8]]])
    marked = (tokens == 9)[:, :, None]
    front = words.clone()
    front[:, :2] = vectors
    mistakes = {
        "The vectors are added to the word vectors of the picture token; they must replace them.": words.masked_scatter(
            marked, vectors + 9
        ),
        "Every row has the picture of the first one.": words.masked_scatter(marked, vectors[:1].repeat(2, 1, 1)),
        "The patches are filled in from right to left.": words.masked_scatter(marked, vectors.flip(1)),
        "The first places are overwritten: look where the picture tokens are.": front,
        "The vectors stand before the text; their places are in it already.": torch.cat([vectors, words], dim=1),
        "All places of a row have the mean of its vectors.": words.masked_scatter(
            marked, vectors.mean(dim=1, keepdim=True).repeat(1, 2, 1)
        ),
    }
    given = {"words": words, "tokens": tokens, "vectors": vectors, "picture_token": 9}
    expect(learner.put_into, given, words.masked_scatter(marked, vectors), mistakes)


def check_positions(learner: Any) -> None:
    """A row without padding, one with padding on the left, one with padding between picture and text."""
    mask = torch.tensor([[1, 1, 1, 1, 1], [0, 0, 1, 1, 1], [1, 1, 0, 0, 1]]).bool()
    counted = mask.long().cumsum(dim=1)
    mistakes = {
        "Positions count places: padding pushes what is behind it away.": torch.arange(5).repeat(3, 1),
        "Each position is one too large: what stands before a place does not include it.": counted,
        "Padding has a position below 0, for which there is no vector.": counted - 1,
        "The count begins again behind the padding.": torch.tensor([[0, 1, 2, 3, 4], [0, 0, 0, 1, 2], [0, 1, 2, 2, 0]]),
    }
    expect(learner.positions, {"mask": mask}, counted - mask.long(), mistakes)
