"""What can follow a text in the cookbook, with exact probabilities: by characters and by tokens.

The grammar is replayed with every choice that agrees with the text so far, a little beyond its end.
"""

import math
from collections import defaultdict
from collections.abc import Callable

from shared.text.grammar import Choice, GrammarFault, Pen, Replayer
from shared.text.tokenizers import Tokenizer


class _Enough(Exception):
    pass


class Follower(Replayer):
    """Follows a text to its end, then makes the choices it is told, until `enough` says that it has gone far enough."""

    def __init__(self, text: str, indices: list[int], enough: Callable[[str], bool]) -> None:
        super().__init__(indices)
        self.given, self.enough, self.position = text, enough, 0

    @property
    def beyond(self) -> str:
        """What was written beyond the given text."""
        return self.text[len(self.given) :]

    def write(self, text: str, rule: str = "wording") -> None:
        if self.position >= len(self.given) and self.enough(self.beyond):
            raise _Enough
        self._fit((text,), rule)
        self.parts.append(text)
        self.position += len(text)

    def pick(self, options: Choice, rule: str) -> int:
        # A choice that lies within the text has one text that fits; one that straddles its end may have several.
        fitting = self._fit(options.texts, rule)
        told = self.indices[len(self.made)] if len(self.made) < len(self.indices) else 0
        self.write(options.texts[fitting[told]], rule)
        self.made.append(told)
        self.sizes.append(len(fitting))
        return fitting[told]

    def _fit(self, texts: tuple[str, ...], rule: str) -> list[int]:
        rest = self.given[self.position :]
        fitting = [index for index, text in enumerate(texts) if rest.startswith(text) or text.startswith(rest)]
        if not fitting:
            raise GrammarFault(self.position, rule, texts, rest[:40])
        return fitting


def continuations(grammar: Callable[[Pen], object], text: str, enough: Callable[[str], bool]) -> dict[str, float]:
    """Return what can follow a text, as far as `enough` asks for, with its probability given the text.

    Raises:
        GrammarFault: the text is not the beginning of one that the grammar can write.
    """
    found: dict[str, float] = defaultdict(float)
    indices: list[int] | None = []
    while indices is not None:
        pen = Follower(text, indices, enough)
        try:
            grammar(pen)
            if pen.position < len(text):
                raise GrammarFault(pen.position, "end of text", ("",), text[pen.position :][:40])
        except _Enough:
            pass
        found[pen.beyond] += math.exp(pen.log_prob)
        # The next combination, in the order of an odometer.
        indices = pen.made
        while indices and indices[-1] + 1 == pen.sizes[len(indices) - 1]:
            indices = indices[:-1]
        indices = [*indices[:-1], indices[-1] + 1] if indices else None
    total = math.fsum(found.values())
    return {continuation: mass / total for continuation, mass in found.items()}


def next_words(grammar: Callable[[Pen], object], tokenizer: Tokenizer, text: str) -> dict[str, float]:
    """Return the continuations of a text up to the end of their first word, so that no later character respells it."""
    pieces = tokenizer.backend.pre_tokenizer.pre_tokenize_str
    return continuations(grammar, text, lambda beyond: len(pieces(beyond)) > 1)


def next_tokens(grammar: Callable[[Pen], object], tokenizer: Tokenizer, text: str) -> dict[int, float]:
    """Return the exact distribution of the token after a text whose tokens are those of the tokenizer.

    Raises:
        GrammarFault: the text is not the beginning of one that the grammar can write.
        ValueError: with what can follow, the text would be spelled in other tokens, as one that ends in a space is.
    """
    ids = tokenizer.encode(text)
    found: dict[int, float] = defaultdict(float)
    for continuation, probability in next_words(grammar, tokenizer, text).items():
        longer = [*tokenizer.encode(text + continuation), tokenizer.end_token]
        # " fr" + "idge" and " f" + "reezer": after the token " f" a fridge is ruled out, though not after the letter f.
        if longer[: len(ids)] == ids:
            found[longer[len(ids)]] += probability
    if not found:
        raise ValueError(
            f"the text must end where a token ends; whatever follows {text[-12:]!r}, its tokens are others"
        )
    total = math.fsum(found.values())
    return {token: probability / total for token, probability in found.items()}
