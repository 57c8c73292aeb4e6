"""What the words around a name are about: subjects, found without labels, as a mixture of ways to draw words.

Each text has one hidden subject, and its words are drawn from that subject's frequencies (Nigam et al. 2000, mixture of
unigrams). Two texts about one person share a subject, even where they share no word.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

SMOOTHED = 0.05  # of an occurrence, which each word has in each subject before any text is read


@dataclass(frozen=True)
class Subjects:
    """How frequent each subject is, and each word in it."""

    words: tuple[str, ...]
    prior: Float64[Tensor, " subjects"]
    log_words: Float64[Tensor, "subjects words"]

    def posterior(self, counts: Float64[Tensor, "texts words"]) -> Float64[Tensor, "texts subjects"]:
        """Return how likely each subject is for each text."""
        return (counts @ self.log_words.mT + self.prior.log()).softmax(dim=1)

    def log_likelihood(self, counts: Float64[Tensor, "texts words"]) -> float:
        """Return the log likelihood (nats) of the texts' words."""
        return float((counts @ self.log_words.mT + self.prior.log()).logsumexp(dim=1).sum())


def count_words(
    texts: Sequence[str], words: Sequence[str] | None = None
) -> tuple[Float64[Tensor, "texts words"], tuple]:
    """Return how often each word occurs in each text, and the words (default: all that occur)."""
    known = tuple(sorted({word for text in texts for word in text.split()})) if words is None else tuple(words)
    number = {word: place for place, word in enumerate(known)}
    counts = torch.zeros(len(texts), len(known), dtype=torch.float64)
    for row, text in zip(counts, texts, strict=True):
        for word in text.split():
            if word in number:
                row[number[word]] += 1
    return counts, known


def learn_subjects(
    texts: Sequence[str], subjects: int, generator: torch.Generator, *, starts: int = 10, steps: int = 60
) -> Subjects:
    """Return the subjects that EM finds; of several starts at random the one with the highest likelihood.

    Raises:
        ValueError: fewer texts than subjects, or no subject.
    """
    if not 1 <= subjects <= len(texts):
        raise ValueError(f"there must be 1 to {len(texts)} subjects, one for each text at most; got {subjects}")
    counts, words = count_words(texts)
    best, highest = None, -float("inf")
    for _ in range(starts):
        begin = counts[torch.randperm(len(texts), generator=generator)[:subjects]]
        found = _counted(words, torch.ones(subjects, dtype=torch.float64), begin + counts.mean(dim=0))
        for _ in range(steps):
            belief = found.posterior(counts)
            found = _counted(words, belief.sum(dim=0), belief.mT @ counts)
        if (likelihood := found.log_likelihood(counts)) > highest:
            best, highest = found, likelihood
    assert best is not None
    return best


def _counted(
    words: tuple, texts: Float64[Tensor, " subjects"], of_words: Float64[Tensor, "subjects words"]
) -> Subjects:
    """Return the subjects that so many texts and words of each make."""
    of_words, texts = of_words + SMOOTHED, texts + SMOOTHED
    return Subjects(words, texts / texts.sum(), (of_words / of_words.sum(dim=1, keepdim=True)).log())


def context_bits(
    subjects: Subjects, first: Sequence[str], second: Sequence[str], pairs: Int64[Tensor, "pairs 2"]
) -> Float64[Tensor, " pairs"]:
    """Return log2 P(both | one subject) / P(each on its own) for each pair: sum over s of P(s | a) P(s | b) / P(s)."""
    left = subjects.posterior(count_words(first, subjects.words)[0]) / subjects.prior.sqrt()
    right = subjects.posterior(count_words(second, subjects.words)[0]) / subjects.prior.sqrt()
    return (left[pairs[:, 0]] * right[pairs[:, 1]]).sum(dim=1).log2()


def choose_subjects(texts: Sequence[str], numbers: Sequence[int], generator: torch.Generator) -> Subjects:
    """Return subjects of that number which, learnt from a half of the texts, makes the other half most likely."""
    order = torch.randperm(len(texts), generator=generator).tolist()
    half = [[texts[place] for place in part] for part in (order[::2], order[1::2])]
    fits = []
    for number in numbers:
        found = learn_subjects(half[0], number, generator, starts=4)
        fits.append(found.log_likelihood(count_words(half[1], found.words)[0]))
    return learn_subjects(texts, numbers[fits.index(max(fits))], generator)
