"""Checks of `embed`: beside PyTorch's embedding, and the usual mistakes by name."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect


def vectors(rows: int, d_model: int, seed: int) -> Tensor:
    return torch.randn(rows, d_model, generator=torch.Generator().manual_seed(seed)).mul(10).round().div(10)


def compare(learner: Any, tokens: Tensor, token_vectors: Tensor, position_vectors: Tensor) -> None:
    batch, length = tokens.shape
    words = functional.embedding(tokens, token_vectors)
    places = functional.embedding(torch.arange(length), position_vectors).expand_as(words)
    d_model = token_vectors.shape[1]
    mistakes = {
        "The positions are missing: a token has the same vector at every place.": words,
        "The tokens are missing: what you return does not depend on them.": places,
        "The positions are looked up by token id. They belong to the places 0, 1, 2, ...": (
            words + position_vectors[tokens.clamp(max=len(position_vectors) - 1)]
        ),
        "Places are counted from 0; yours begin at 1.": words + position_vectors[1 : length + 1],
        "Every token of a row has the same place: the places run along the tokens, not along the batch.": (
            words + position_vectors[:batch, None]
        ),
        "The places run backwards.": words + places.flip(1),
        "Token and position are put side by side; they are added.": torch.cat([words, places], dim=-1),
        "Token and position are multiplied; they are added.": words * places,
        "The token vectors are multiplied by the root of d_model. Vaswani et al. do so, GPT-2 does not.": (
            words * math.sqrt(d_model) + places
        ),
    }
    given = {"tokens": tokens, "token_vectors": token_vectors, "position_vectors": position_vectors}
    expect(learner.embed, given, words + places, mistakes)


def check_the_example_of_the_note(learner: Any) -> None:
    """The tokens 2 and 0 of a vocabulary of three."""
    token_vectors = torch.tensor([[1.0, 0], [0, 1], [2, -1]])
    compare(learner, torch.tensor([[2, 0]]), token_vectors, torch.tensor([[0.0, 1], [0.5, 0], [0, 0]]))


def check_the_same_token_twice(learner: Any) -> None:
    """One token at three places has three vectors."""
    compare(learner, torch.tensor([[1, 1, 1]]), vectors(4, 2, 1), vectors(5, 2, 2))


def check_a_batch(learner: Any) -> None:
    """Two rows of three tokens."""
    compare(learner, torch.tensor([[4, 0, 2], [1, 3, 3]]), vectors(5, 4, 3), vectors(6, 4, 4))
