"""Checks of `beam_search`: by hand, beside all texts there are, and the usual mistakes by name."""

import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect

Beam = list[tuple[float, list[int]]]


def search(
    log_probs: Tensor, start: int, steps: int, width: int, keep: Callable[[Beam, int], Beam] | None = None
) -> list[int]:
    """Return what a beam finds that keeps the best, or what `keep` keeps."""
    beam: Beam = [(0.0, [start])]
    for _ in range(steps):
        longer = [
            (score + log_probs[text[-1], token].item(), [*text, token])
            for score, text in beam
            for token in range(len(log_probs))
        ]
        beam = (keep or (lambda texts, most: sorted(texts, key=lambda pair: -pair[0])[:most]))(longer, width)
    return max(beam, key=lambda pair: pair[0])[1][1:]


def last_step_only(texts: Beam, width: int, log_probs: Tensor) -> Beam:
    """Keep those whose last step was the most probable."""
    return sorted(texts, key=lambda pair: -log_probs[pair[1][-2], pair[1][-1]].item())[:width]


def one_of_each(texts: Beam, width: int) -> Beam:
    """Keep the best continuation of each beginning."""
    groups: dict[tuple[int, ...], tuple[float, list[int]]] = {}
    for pair in sorted(texts, key=lambda pair: -pair[0]):
        groups.setdefault(tuple(pair[1][:-1]), pair)
    return list(groups.values())[:width] if len(groups) > 1 else sorted(texts, key=lambda pair: -pair[0])[:width]


def compare(learner: Any, log_probs: Tensor, start: int, steps: int, width: int) -> None:
    given = {"log_probs": log_probs, "start": start, "steps": steps, "width": width}
    right = search(log_probs, start, steps, width)
    expect(
        learner.beam_search,
        given,
        right,
        {
            "The start is in it; it must be left out.": [start, *right],
            "This is what greedy decoding finds: `width` beginnings must be kept.": search(log_probs, start, steps, 1),
            "Beginnings are compared by their last step alone; add up all steps.": search(
                log_probs, start, steps, width, lambda texts, most: last_step_only(texts, most, log_probs)
            ),
            "One continuation of each beginning is kept; keep the best of all, whoever they come from.": search(
                log_probs, start, steps, width, one_of_each
            ),
            "The least probable ones are kept: log-probabilities are negative, and larger is better.": search(
                log_probs, start, steps, width, lambda texts, most: sorted(texts, key=lambda pair: pair[0])[:most]
            ),
            "It looks at more beginnings than `width`.": search(log_probs, start, steps, len(log_probs) ** steps),
        },
    )


def dishes() -> Tensor:
    """Return the model of the note: a; nice, warm, hot; pie, soup, stew."""
    table = torch.full((7, 7), 1e-6)
    table[0, 1:4] = torch.tensor([0.4, 0.35, 0.25])
    table[1, 4:7] = torch.tensor([0.4, 0.3, 0.3])
    table[2, 4:7] = torch.tensor([1e-6, 0.51, 0.49])
    table[3, 5] = 1.0
    return table.log()


def check_the_note(learner: Any) -> None:
    """The tree of the note, with a beam of two."""
    compare(learner, dishes(), 0, 2, 2)


def check_greedy(learner: Any) -> None:
    """A beam of one is greedy decoding."""
    compare(learner, dishes(), 0, 2, 1)


def check_a_wider_beam(learner: Any) -> None:
    """The same tree with a beam of three finds the most probable text."""
    compare(learner, dishes(), 0, 2, 3)


def check_three_steps(learner: Any) -> None:
    """A drawn table, three steps, a beam of two."""
    table = torch.rand(4, 4, generator=torch.Generator().manual_seed(3)).mul(10).round().add(0.5)
    compare(learner, (table / table.sum(1, keepdim=True)).log(), 1, 3, 2)


def check_all_texts(learner: Any) -> None:
    """A beam that is wide enough finds the best of all texts."""
    table = torch.rand(3, 3, generator=torch.Generator().manual_seed(0)).mul(10).round().add(0.5)
    log_probs = (table / table.sum(1, keepdim=True)).log()

    def score(text: tuple[int, ...]) -> float:
        return sum(log_probs[last, token].item() for last, token in itertools.pairwise((0, *text)))

    best = max(itertools.product(range(3), repeat=3), key=score)
    given = {"log_probs": log_probs, "start": 0, "steps": 3, "width": 27}
    expect(learner.beam_search, given, list(best))
