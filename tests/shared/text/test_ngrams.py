"""N-gram models are distributions, equal a definition written as plainly as can be, and reach known figures."""

import math
import os
from collections import Counter
from pathlib import Path

import pytest
import torch

from shared.text.ngrams import KneserNey, NGram, WittenBell

VOCAB = 5
DOCUMENTS = [
    torch.randint(4, (length,), generator=torch.Generator().manual_seed(length)).tolist() for length in range(3, 40)
]


class ByHand:
    """The same smoothing by recursion over dictionaries."""

    def __init__(self, kind: type[NGram], order: int, documents: list[list[int]]) -> None:
        self.kind, self.order = kind, order
        self.grams = [Counter() for _ in range(order + 1)]
        for document in documents:
            padded = [VOCAB] * order + document
            for end in range(order + 2, len(padded) + 1):
                for length in range(1, order + 1):
                    self.grams[length][tuple(padded[end - length : end])] += 1
        self.counts = [self.count(length) for length in range(order + 1)]

    def count(self, length: int) -> Counter:
        if self.kind is WittenBell or length == self.order or length == 0:
            return self.grams[length]
        return Counter(gram[1:] for gram in self.grams[length + 1])

    def probability(self, context: tuple[int, ...], token: int) -> float:
        shorter = self.probability(context[1:], token) if context else 1 / VOCAB
        counts = self.counts[len(context) + 1]
        following = {gram[-1]: count for gram, count in counts.items() if gram[:-1] == context}
        if not following:
            return shorter
        if self.kind is WittenBell:
            kinds, total = len(following), sum(following.values())
            return (following.get(token, 0) + kinds * shorter) / (total + kinds)
        ones, twos, threes, fours = (sum(count == n for count in counts.values()) for n in (1, 2, 3, 4))
        discounts = [0.0, 0.5, 1.0, 1.5]
        if min(ones, twos, threes, fours):
            y = ones / (ones + 2 * twos)
            exact = [1 - 2 * y * twos / ones, 2 - 3 * y * threes / twos, 3 - 4 * y * fours / threes]
            discounts = [0.0, *(min(max(d, 0.1), most) for d, most in zip(exact, (0.99, 1.99, 2.99), strict=True))]
        taken = sum(discounts[min(count, 3)] for count in following.values())
        count = following.get(token, 0)
        return (count - discounts[min(count, 3)] + taken * shorter) / sum(following.values())


@pytest.mark.parametrize("kind", [KneserNey, WittenBell])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_probabilities_equal_those_by_hand(kind: type[NGram], order: int):
    model, by_hand = kind(order, VOCAB).fit(DOCUMENTS), ByHand(kind, order, DOCUMENTS)
    unseen = [0, 1, 1, 4, 2, 3, 0, 0, 1]
    padded = [VOCAB] * order + unseen
    expected = [
        by_hand.probability(tuple(padded[end - order + 1 : end]), padded[end]) for end in range(order + 1, len(padded))
    ]
    assert model.probabilities(unseen).tolist() == pytest.approx(expected)


@pytest.mark.parametrize("kind", [KneserNey, WittenBell])
@pytest.mark.parametrize("context", [[0], [0, 1, 2], [4, 4, 4], [3]])
def test_probabilities_sum_to_one(kind: type[NGram], context: list[int]):
    model = kind(3, VOCAB).fit(DOCUMENTS)
    assert sum(model.probabilities([*context, token])[-1] for token in range(VOCAB)) == pytest.approx(1)


def test_loss_is_the_mean_over_all_tokens_but_the_first_of_each_document():
    model = KneserNey(2, VOCAB).fit(DOCUMENTS)
    documents = [[0, 1, 2], [3], [2, 2, 2, 2]]
    each = [-math.log(p) for document in documents for p in model.probabilities(document)]
    assert len(each) == 5
    assert model.loss(documents) == pytest.approx(sum(each) / 5)


def test_a_unigram_is_the_frequencies():
    model = WittenBell(1, 2).fit([[0] + [0] * 6 + [1] * 2])
    # 6 and 2 of 8, two kinds: (6 + 2 / 2) / 10
    assert model.probabilities([0, 0, 1]).tolist() == pytest.approx([0.7, 0.3])


def test_an_ngram_learns_what_a_shorter_one_cannot():
    alternating = [[0, 0, 1, 1] * 20]
    losses = [KneserNey(order, 2).fit(alternating).loss(alternating) for order in (1, 2, 3)]
    assert losses[0] > losses[2]
    assert losses[2] < 0.1


def test_bad_sizes_and_empty_corpora_are_refused():
    with pytest.raises(ValueError, match="at least 1; got 0 and 5"):
        KneserNey(0, 5)
    with pytest.raises(ValueError, match="two tokens; got none"):
        KneserNey(2, 5).fit([[1], [2]])
    with pytest.raises(ValueError, match="two tokens; got none"):
        KneserNey(2, 5).fit([[1, 2]]).loss([])
    with pytest.raises(ValueError, match="knows nothing before `fit`"):
        KneserNey(2, 5).loss([[1, 2]])


@pytest.mark.parametrize("document", [[0, 5], [-1, 2]])
def test_tokens_outside_the_vocabulary_are_refused(document: list[int]):
    # 5 is the number of the padding before a document, and larger ones would count as other n-grams.
    with pytest.raises(ValueError, match="tokens must be from 0 to 4, got"):
        WittenBell(2, 5).fit([document])
    with pytest.raises(ValueError, match="tokens must be from 0 to 4, got"):
        WittenBell(2, 5).fit([[1, 2]]).probabilities(document)


@pytest.mark.skipif("SPRINTS_DATA" not in os.environ, reason="SPRINTS_DATA names no folder with TinyShakespeare")
def test_known_figures_on_tinyshakespeare():
    text = (Path(os.environ["SPRINTS_DATA"]) / "tinyshakespeare" / "input.txt").read_text()
    numbers = {character: number for number, character in enumerate(sorted(set(text)))}
    ids, cut = [numbers[character] for character in text], len(text) * 9 // 10
    for order, nats in ((1, 3.347), (2, 2.486), (3, 2.049), (5, 1.669)):
        assert WittenBell(order, 65).fit([ids[:cut]]).loss([ids[cut:]]) == pytest.approx(nats, abs=1e-3)
