"""Checks of `bits` and `em_step`: the numbers of the note, what is not said, and many steps."""

import math
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect

DOUBLE = torch.float64
PATTERNS = torch.tensor([[1, 1]] * 10 + [[1, 0]] * 9 + [[0, 1]] * 9 + [[0, 0]] * 72)


def weights(m: Tensor, u: Tensor, agrees: Tensor, missing: str) -> Tensor:
    """Return the weight of each property, what is not said being nothing, or a difference."""
    differs = ((1 - m) / (1 - u)).log2()
    found = torch.where(agrees == 1, (m / u).log2(), differs.expand(agrees.shape))
    return found if missing == "differs" else torch.where(agrees < 0, torch.zeros(()).to(m), found)


def check_the_pairs_of_the_note(learner: Any) -> None:
    """Initial, surname, town and trade of note 3, as agreements."""
    m, u = torch.tensor([0.8, 0.9, 0.8, 0.9], dtype=DOUBLE), torch.tensor([0.06, 0.01, 0.1, 0.1], dtype=DOUBLE)
    agrees = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0], [0, 1, 1, 0]])
    bits_of(learner, 0.001, m, u, agrees)


def bits_of(learner: Any, share: float, m: Tensor, u: Tensor, agrees: Tensor) -> None:
    """Compare the bits, and know the usual mistakes by what they give."""
    prior, parts = math.log2(share / (1 - share)), weights(m, u, agrees, "nothing")
    right = prior + parts.sum(dim=1)
    expect(learner.bits, {"share": share, "m": m, "u": u, "agrees": agrees}, right, {
        "These are nats: the logarithm to base 2 is `log2`.": right * math.log(2),
        "The share of matches is forgotten: before anything is compared, most pairs are none.": parts.sum(dim=1),
        "The odds before anything is compared are share / (1 - share); yours are turned round.": (
            parts.sum(dim=1) - prior
        ),
        "Only agreements count here; a difference speaks, too, and mostly against a match.": (
            prior + torch.where(agrees == 1, parts, torch.zeros(()).to(m)).sum(dim=1)
        ),
        "What is not said counts as a difference; it says nothing.": (
            prior + weights(m, u, agrees, "differs").sum(dim=1)
        ),
        "These are probabilities, not bits.": 1 / (1 + 2 ** -right),
    })  # fmt: skip


def check_what_is_not_said(learner: Any) -> None:
    """A -1 weighs nothing."""
    m, u = torch.tensor([0.9, 0.8], dtype=DOUBLE), torch.tensor([0.1, 0.3], dtype=DOUBLE)
    bits_of(learner, 0.2, m, u, torch.tensor([[-1, 1], [0, -1], [-1, -1], [1, 1]]))


def after(share: float, m: Tensor, u: Tensor, agrees: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return how likely each pair is to be a match, and share, m and u after a step."""
    prior = math.log2(share / (1 - share))
    match = 1 / (1 + 2 ** -(prior + weights(m, u, agrees, "nothing").sum(dim=1)))
    equal, said = (agrees == 1).to(m.dtype), (agrees >= 0).to(m.dtype)
    return match, match.mean(), match @ equal / (match @ said), (1 - match) @ equal / ((1 - match) @ said)


def step_of(learner: Any, share: float, m: Tensor, u: Tensor, agrees: Tensor) -> None:
    """Compare share, m and u after a step."""
    given = {"share": share, "m": m, "u": u, "agrees": agrees}
    match, new_share, new_m, new_u = after(share, m, u, agrees)
    equal, said = (agrees == 1).to(m.dtype), (agrees >= 0).to(m.dtype)

    def part(place: int) -> Any:
        return lambda *arguments: learner.em_step(*arguments)[place]

    expect(part(0), given, new_share, {
        "Pairs are called match or not; count each as much match as it is likely to be one.": (
            (match > 0.5).to(m.dtype).mean()
        ),
    }, tolerance=1e-6)  # fmt: skip
    expect(part(1), given, new_m, {
        "m is divided by the number of all pairs; divide by the expected number of matches.": (
            match @ equal / len(match)
        ),
        "What is not said is counted among the matches that differ: leave it out below the line, too.": (
            match @ equal / match.sum()
        ),
        "Pairs are called match or not; count each as much match as it is likely to be one.": (
            (match > 0.5).to(m.dtype) @ equal / ((match > 0.5).to(m.dtype) @ said)
        ),
    }, tolerance=1e-6)  # fmt: skip
    expect(part(2), given, new_u, {
        "u is counted over all pairs; a match counts for it only as much as it is none.": equal.sum(0) / said.sum(0),
        "u is what it was before; it has to be counted anew.": u,
        "What is not said is counted among the others that differ: leave it out below the line, too.": (
            (1 - match) @ equal / (1 - match).sum()
        ),
    }, tolerance=1e-6)  # fmt: skip


def check_the_step_of_the_note(learner: Any) -> None:
    """A hundred pairs with two properties."""
    step_of(learner, 0.1, torch.tensor([0.9, 0.9], dtype=DOUBLE), torch.tensor([0.1, 0.1], dtype=DOUBLE), PATTERNS)


def check_a_step_with_gaps(learner: Any) -> None:
    """Three properties, some of which are not said."""
    generator = torch.Generator().manual_seed(0)
    agrees = torch.randint(-1, 2, (40, 3), generator=generator)
    m, u = torch.tensor([0.9, 0.7, 0.8], dtype=DOUBLE), torch.tensor([0.2, 0.1, 0.3], dtype=DOUBLE)
    step_of(learner, 0.3, m, u, agrees)
