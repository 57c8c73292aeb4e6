"""Checks of `clip` and `siglip`: the example of the note, any lengths, both ways, the exponential, all cells."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect

PICTURES = torch.tensor([[1.0, 0], [0.6, 0.8], [0, 1], [-1, 0]])
TEXTS = torch.tensor([[1.0, 0], [0.8, 0.6], [0, 1], [-1, 0]])


def rows(logits: Tensor) -> Tensor:
    """Return the loss of each row alone."""
    return -logits.log_softmax(dim=1).diagonal().mean()


def compare_clip(learner: Any, pictures: Tensor, texts: Tensor, log_scale: float, tolerance: float = 1e-4) -> None:
    """Compare with the right loss, and with what the usual mistakes give."""
    scale = torch.tensor(log_scale)
    unit = functional.normalize(pictures, dim=-1) @ functional.normalize(texts, dim=-1).mT
    raw, both = pictures @ texts.mT, scale.exp() * unit
    right = (rows(both) + rows(both.mT)) / 2
    mistakes = {
        "The exponential is forgotten: you are given the logarithm of the scale.": (
            rows(scale * unit) + rows((scale * unit).mT)
        )
        / 2,
        "The scale is divided by: it is the inverse of the temperature.": (
            rows(unit / scale.exp()) + rows(unit.mT / scale.exp())
        )
        / 2,
        "Only the pictures ask: each text has to find its picture as well.": rows(both),
        "Only the texts ask: each picture has to find its text as well.": rows(both.mT),
        "The vectors keep their lengths: divide each by its own.": (
            rows(scale.exp() * raw) + rows(scale.exp() * raw.mT)
        )
        / 2,
        "The two ways are added up: take their mean.": 2 * right,
        "The minus is forgotten: a loss is minus the logarithm of a probability.": -right,
    }
    expect(learner.clip, {"pictures": pictures, "texts": texts, "log_scale": scale}, right, mistakes, tolerance)


def compare_siglip(learner: Any, pictures: Tensor, texts: Tensor, log_scale: float, bias: float) -> None:
    """Compare with the right loss, and with what the usual mistakes give."""
    scale, shift, pairs = torch.tensor(log_scale), torch.tensor(bias), len(pictures)
    unit = functional.normalize(pictures, dim=-1) @ functional.normalize(texts, dim=-1).mT
    raw, signs = pictures @ texts.mT, 2 * torch.eye(pairs) - 1

    def loss(logits: Tensor, signs: Tensor = signs) -> Tensor:
        return -functional.logsigmoid(signs * logits).sum() / pairs

    right = loss(scale.exp() * unit + shift)
    mistakes = {
        "It is the mean over all cells: divide by the pairs, not by their square.": right / pairs,
        "The minus is forgotten: a loss is minus the logarithm of a probability.": -right,
        "The signs are exchanged: yes on the diagonal, no elsewhere.": loss(scale.exp() * unit + shift, -signs),
        "The scale is divided by: it is the inverse of the temperature.": loss(unit / scale.exp() + shift),
        "The vectors keep their lengths: divide each by its own.": loss(scale.exp() * raw + shift),
        "The bias is forgotten.": loss(scale.exp() * unit),
        "The bias is subtracted.": loss(scale.exp() * unit - shift),
        "The bias is multiplied by the scale too.": loss(scale.exp() * (unit + shift)),
        "The exponential is forgotten: you are given the logarithm of the scale.": loss(scale * unit + shift),
        "Only the diagonal is asked: every other cell has to answer no.": loss(
            scale.exp() * unit + shift, torch.eye(pairs)
        )
        - (pairs - 1) * math.log(2),
        "Every cell is to answer yes: outside of the diagonal the answer is no.": loss(
            scale.exp() * unit + shift, torch.ones(pairs, pairs)
        ),
    }
    given = {"pictures": pictures, "texts": texts, "log_scale": scale, "bias": shift}
    expect(learner.siglip, given, right, mistakes)


def draw(pairs: int, features: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return vectors of all lengths."""
    pictures, texts = (
        torch.randn(2, pairs, features, generator=torch.Generator().manual_seed(seed)).mul(10).round() / 10
    )
    return pictures + 0.05, texts + 0.05


def check_clip_on_the_four_pairs(learner: Any) -> None:
    """Scale 5: 0.236."""
    # To three digits, as the note has it: the two ways differ in the fourth, and in the next check by much.
    compare_clip(learner, PICTURES, TEXTS, math.log(5), tolerance=1e-3)


def check_clip_on_vectors_of_any_length(learner: Any) -> None:
    """Five pairs of three features; the two ways differ."""
    compare_clip(learner, *draw(5, 3, seed=0), 1.3)


def check_siglip_on_the_four_pairs(learner: Any) -> None:
    """Scale 5, bias -3: 1.186."""
    compare_siglip(learner, PICTURES, TEXTS, math.log(5), -3.0)


def check_siglip_on_vectors_of_any_length(learner: Any) -> None:
    """Three pairs of four features."""
    compare_siglip(learner, *draw(3, 4, seed=1), 0.7, -1.5)


def check_that_large_logits_are_no_problem(learner: Any) -> None:
    """A scale of 150, with a bias of 0: exp of that is beyond float32."""
    pictures, texts = torch.tensor([[1.0, 0], [0, 1]]), torch.tensor([[-1.0, 0], [0, 1]])
    compare_clip(learner, pictures, texts, math.log(150))
    compare_siglip(learner, pictures, texts, math.log(150), 0.0)
