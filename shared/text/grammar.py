"""Probabilistic grammars that are written once and read three ways.

A grammar here is a function that writes a text from left to right with a pen. Wherever the text may go on in several
ways it calls `pen.choose`, elsewhere `pen.write`. What happens then depends on the pen:

- `Sampler` draws each choice, so the grammar writes a random text;
- `Parser` holds a text and looks up which choice it made, so the grammar recognises it and knows its probability;
- `derivations` replays the grammar with every combination of choices, so that a small one can be enumerated.

Texts that one choice offers are prefix-free (none begins another), hence at most one of them continues a given text:
the grammar is unambiguous, a text has one derivation, and the probability of the text is the product of its choices.
"""

import math
from abc import ABC, abstractmethod
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import accumulate, pairwise

import torch


class Choice:
    """Texts to choose from with their probabilities.

    Raises:
        ValueError: no texts, a weight that is not positive, or a text that begins another one.
    """

    def __init__(self, texts: Sequence[str], weights: Sequence[int | float] | None = None) -> None:
        self.texts = tuple(texts)
        weights = [1.0] * len(self.texts) if weights is None else list(weights)
        if not self.texts or len(weights) != len(self.texts) or min(weights) <= 0:
            raise ValueError(f"a choice needs texts, each with a positive weight; got {self.texts} with {weights}")
        for shorter, longer in pairwise(sorted(self.texts)):
            if longer.startswith(shorter):
                raise ValueError(f"no text of a choice may begin another one, but {shorter!r} begins {longer!r}")
        total = math.fsum(weights)
        self.log_probs = [math.log(weight / total) for weight in weights]
        self.cumulative = list(accumulate(weight / total for weight in weights))
        self.entropy = -math.fsum(math.exp(log_prob) * log_prob for log_prob in self.log_probs)


@cache
def choice(*texts: str) -> Choice:
    """Return the uniform choice between the texts (built once for each set of texts)."""
    return Choice(texts)


class GrammarFault(ValueError):
    """The text leaves the grammar: `position` in characters, the `rule` that it breaks, what was expected and found."""

    def __init__(self, position: int, rule: str, expected: Sequence[str], found: str) -> None:
        self.position, self.rule, self.expected, self.found = position, rule, tuple(expected), found
        some = " or ".join(repr(text) for text in self.expected[:4]) + (" ..." if len(self.expected) > 4 else "")
        super().__init__(f"{rule}: expected {some} at character {position}, found {found!r}")


class Pen(ABC):
    """What a grammar writes with. `log_prob` and `entropy` (both in nats) add up over the choices made."""

    def __init__(self) -> None:
        self.log_prob = 0.0
        # The sum of the entropies of the choices along a path has the grammar's entropy as its mean, as -log_prob has,
        # but with a smaller variance.
        self.entropy = 0.0

    @abstractmethod
    def write(self, text: str, rule: str = "wording") -> None:
        """Write a text that leaves no choice."""

    @abstractmethod
    def pick(self, options: Choice, rule: str) -> int:
        """Write one of the texts and return its index."""

    def choose(self, options: Choice, rule: str = "wording") -> int:
        """Write one of the texts, account for its probability and return its index."""
        index = self.pick(options, rule)
        self.log_prob += options.log_probs[index]
        self.entropy += options.entropy
        return index


class Sampler(Pen):
    """Draws every choice from a generator."""

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        self.generator = generator
        self.parts: list[str] = []
        self.uniforms: list[float] = []

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self.parts)

    def write(self, text: str, rule: str = "wording") -> None:  # noqa: ARG002 (rules explain faults; a sampler has none)
        self.parts.append(text)

    def pick(self, options: Choice, rule: str) -> int:  # noqa: ARG002
        if not self.uniforms:
            # Drawing many at a time: a call of torch.rand costs more than all the rest of a choice.
            self.uniforms = torch.rand(128, generator=self.generator, dtype=torch.float64).tolist()
        index = min(bisect(options.cumulative, self.uniforms.pop()), len(options.texts) - 1)
        self.parts.append(options.texts[index])
        return index


class Parser(Pen):
    """Reads a given text; raises `GrammarFault` where the text leaves the grammar."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.position = 0

    def fault(self, rule: str, expected: Sequence[str]) -> GrammarFault:
        """Return the fault at the present position."""
        length = max([len(text) for text in expected], default=0) + 12
        return GrammarFault(self.position, rule, expected, self.text[self.position : self.position + length])

    def write(self, text: str, rule: str = "wording") -> None:
        if not self.text.startswith(text, self.position):
            raise self.fault(rule, [text])
        self.position += len(text)

    def pick(self, options: Choice, rule: str) -> int:
        for index, text in enumerate(options.texts):
            if self.text.startswith(text, self.position):
                self.position += len(text)
                return index
        raise self.fault(rule, options.texts)

    def finish(self) -> None:
        """Raise a fault if the text goes on after its end."""
        if self.position < len(self.text):
            raise self.fault("end of text", [""])


class Replayer(Sampler):
    """Makes the choices it is told, then always the first; remembers how many there were to choose from."""

    def __init__(self, indices: Sequence[int]) -> None:
        super().__init__(torch.Generator())
        self.indices = list(indices)
        self.made: list[int] = []
        self.sizes: list[int] = []

    def pick(self, options: Choice, rule: str) -> int:  # noqa: ARG002
        index = self.indices[len(self.made)] if len(self.made) < len(self.indices) else 0
        self.made.append(index)
        self.sizes.append(len(options.texts))
        self.parts.append(options.texts[index])
        return index


def derivations(grammar: Callable[[Pen], object]) -> Iterator[tuple[str, float]]:
    """Yield every text of a small grammar with its log-probability, in the order of an odometer of choices."""
    indices: list[int] | None = []
    while indices is not None:
        pen = Replayer(indices)
        grammar(pen)
        yield pen.text, pen.log_prob
        indices = pen.made
        while indices and indices[-1] + 1 == pen.sizes[len(indices) - 1]:
            indices = indices[:-1]
        indices = [*indices[:-1], indices[-1] + 1] if indices else None
