"""Checks of holes and orders: beside sums over all texts, and the usual mistakes."""

import math
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


class Texts(dict[tuple[str, ...], float]):
    """Texts and the logarithms of their probabilities; called with a text, it returns its logarithm."""

    def __init__(self, chances: dict[str, float], shift: float = 0.0) -> None:
        super().__init__({tuple(text.split()): math.log(chance) - shift for text, chance in chances.items()})

    def __call__(self, words: tuple[str, ...]) -> float:
        return self.get(tuple(words), -math.inf)

    def __repr__(self) -> str:
        shown = ", ".join(f"{' '.join(words)!r}: {value:.3f}" for words, value in self.items())
        return f"a function; {shown}; all other texts: -inf"


SOUPS = {"hot soup with bread": 0.5, "hot soup with rice": 0.2, "cold soup with bread": 0.1, "cold soup with rice": 0.2}


def compare_hole(learner: Any, log_prob: Texts, text: str, place: int, candidates: str) -> None:
    words, tried = tuple(text.split()), tuple(candidates.split())

    def logs(place: int) -> Tensor:
        texts = [(*words[:place], word, *words[place + 1 :]) for word in tried]
        return torch.tensor([log_prob(text) for text in texts], dtype=torch.float64)

    right = (logs(place) - logs(place).max()).exp()
    right = right / right.sum()
    mistakes = {
        "These are probabilities of whole texts: divide by their sum over the candidates.": logs(place).exp(),
        "These are logarithms: take the exponential.": right.log(),
        "The logarithms are divided by the number of words; a probability is not a mean.": (
            logs(place) / len(words)
        ).softmax(0),
        "All candidates count alike, whatever the text: use the probability of the text with each.": torch.full_like(
            right, 1 / len(right)
        ),
        "The hole is one place too far to the right: places are counted from 0.": logs(
            (place + 1) % len(words)
        ).softmax(0),
    }
    given = {"log_prob": log_prob, "words": words, "place": place, "candidates": tried}
    expect(learner.hole, given, right, mistakes)


def check_one_hole(learner: Any) -> None:
    """The soup of note 5: hot, cold or green?"""
    compare_hole(learner, Texts(SOUPS), "hot soup with bread", 0, "hot cold green")


def check_long_texts(learner: Any) -> None:
    """Probabilities as small as those of a text of thousands of words; what stands in the hole is none of them."""
    compare_hole(learner, Texts(SOUPS, shift=2000.0), "cold soup with [hole]", 3, "rice bread")


def compare_order(learner: Any, rows: Tensor, chances: Tensor, text: int, order: tuple[int, ...]) -> None:
    def probability(places: tuple[int, ...]) -> float:
        kept = list(places)
        return chances[(rows[:, kept] == rows[text, kept]).all(dim=1)].sum().item()

    def costs(order: tuple[int, ...]) -> Tensor:
        steps = [probability(order[:k]) / probability(order[: k + 1]) for k in range(len(order))]
        return torch.tensor(steps, dtype=torch.float64).log()

    right, everything = costs(order), tuple(range(rows.shape[1]))
    inverse = torch.tensor(order).argsort()
    others = [tuple(p for p in everything if p != place) for place in order]
    alone = torch.tensor([probability(o) / probability(everything) for o in others], dtype=torch.float64).log()
    single = torch.tensor([1 / probability((place,)) for place in order], dtype=torch.float64).log()
    mistakes = {
        "These are bits: take the natural logarithm.": right / math.log(2),
        "The words are revealed from left to right; follow `order`.": costs(everything),
        "The costs are sorted by place; entry k is that of the word at order[k].": right[inverse],
        "All other words are seen; only those before it in the order are.": alone,
        "Nothing is seen; the words before it in the order are.": single,
        "These are sums: the cost of a word is what it adds.": right.cumsum(0),
        "The word itself is among those that are seen: it is revealed after it was paid for.": torch.zeros_like(right),
        "The signs are turned: a cost is minus a logarithm.": -right,
    }
    given = {"rows": rows, "log_probs": chances.log(), "text": text, "order": order}
    expect(learner.cost_in_order, given, right, mistakes)


def check_label_and_soup(learner: Any) -> None:
    """A label, the soup that it copies, and a side dish: revealed from the right."""
    rows = torch.tensor([[0, 0, 2], [0, 0, 3], [1, 1, 2], [1, 1, 3]])
    compare_order(learner, rows, torch.tensor([0.4, 0.1, 0.3, 0.2], dtype=torch.float64), 1, (2, 1, 0))


def check_any_order(learner: Any) -> None:
    """Twenty texts of four words, in an order that is neither from the left nor from the right."""
    generator = torch.Generator().manual_seed(3)
    every = torch.cartesian_prod(*[torch.arange(3)] * 4)
    rows = every[torch.randperm(len(every), generator=generator)[:20]]
    chances = torch.rand(20, generator=generator, dtype=torch.float64)
    compare_order(learner, rows, chances / chances.sum(), 4, (2, 0, 3, 1))
