"""What is in a hole? The exact probability of each token, given everything else in the text.

A grammar gives the probability of a whole text. The probability of a token v in a hole between left and right is

    p(v | left, right) = P(left v right) / sum over w of P(left w right),

so the text is parsed with each candidate. Candidates without a chance are not parsed: the grammar reads up to the hole,
and only what it may write there is followed.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared.text.grammar import Choice, GrammarFault, Pen
from shared.text.tokenizers import Tokenizer


class Pieces:
    """The pieces of text that tokens stand for, found by how they begin."""

    def __init__(self, pieces: Mapping[int, str]) -> None:
        self.tokens: dict[str, int] = {piece: token for token, piece in pieces.items() if piece}
        self.beginnings: dict[str, list[str]] = {}
        for piece in self.tokens:
            for length in range(1, len(piece) + 1):
                self.beginnings.setdefault(piece[:length], []).append(piece)
        self.longest = max(map(len, self.tokens))

    def fitting(self, text: str, right: str) -> list[str]:
        """Return the pieces with which piece + right begins with a text that is not empty."""
        whole = [text[:length] for length in range(1, min(len(text) - 1, self.longest) + 1)]
        inside = [piece for piece in whole if piece in self.tokens and right.startswith(text[len(piece) :])]
        return inside + self.beginnings.get(text, [])


class HoleReader(Pen):
    """Reads a text with a hole that one piece fills; where the hole leaves the grammar a choice, the text forks.

    Args:
        left: the text before the hole.
        right: the text behind it.
        pieces: what may stand in the hole.
        followed: which way to go at the first forks; at all others the first way is taken.
    """

    def __init__(self, left: str, right: str, pieces: Pieces, followed: Sequence[int] = ()) -> None:
        super().__init__()
        self.left, self.right, self.pieces, self.followed = left, right, pieces, followed
        self.position = 0
        self.behind = ""  # what was read behind `left`, from where the hole begins
        self.fits: list[str] = []  # the pieces that can be in the hole, as soon as something was read of it
        self.whole: str | None = None  # the text, as soon as one piece is left
        self.forks: list[int] = []  # how many ways there were at each fork

    def pieces_with(self, text: str) -> list[str] | None:
        """Return the pieces that may be in the hole if `text` comes next; None if it cannot come next."""
        if self.whole is not None:
            return self.fits if self.whole.startswith(text, self.position) else None
        inside = len(self.left) - self.position  # characters that are still before the hole
        if len(text) <= inside:
            return self.fits if self.left.startswith(text, self.position) else None
        if inside > 0 and not text.startswith(self.left[self.position :]):
            return None
        return self.pieces.fitting(self.behind + text[max(0, inside) :], self.right) or None

    def take(self, text: str, fits: list[str]) -> None:
        """Go on behind `text`."""
        self.behind += text[max(0, len(self.left) - self.position) :]
        self.position += len(text)
        self.fits = fits
        if len(fits) == 1:
            self.whole = self.left + fits[0] + self.right

    def fault(self, rule: str, expected: Sequence[str]) -> GrammarFault:
        """Return the fault at the present position."""
        found = (self.whole or f"{self.left}[hole]{self.right}")[self.position :]
        return GrammarFault(self.position, rule, expected, found[:40])

    def write(self, text: str, rule: str = "wording") -> None:
        """Read a text that leaves no choice."""
        if (fits := self.pieces_with(text)) is None:
            raise self.fault(rule, [text])
        self.take(text, fits)

    def pick(self, options: Choice, rule: str) -> int:
        """Read one of the texts and return its index; where several fit, it is a fork."""
        found = ((index, self.pieces_with(text)) for index, text in enumerate(options.texts))
        ways = [(index, fits) for index, fits in found if fits is not None]
        if not ways:
            raise self.fault(rule, options.texts)
        way = 0
        if len(ways) > 1:
            way = self.followed[len(self.forks)] if len(self.forks) < len(self.followed) else 0
            self.forks.append(len(ways))
        index, fits = ways[way]
        self.take(options.texts[index], fits)
        return index

    def finish(self) -> int:
        """Return the token that was read, at the end of the text; raise a fault if the text goes on."""
        for piece in self.fits:
            if self.position == len(self.left) + len(piece) + len(self.right):
                return self.pieces.tokens[piece]
        raise self.fault("end of text", [""])


def readings(grammar: Callable[[Pen], object], left: str, right: str, pieces: Pieces) -> Iterator[tuple[int, float]]:
    """Yield each token that the grammar can write into the hole, with the log-probability of the whole text."""
    waiting: list[list[int]] = [[]]
    while waiting:
        followed = waiting.pop()
        reader = HoleReader(left, right, pieces, followed)
        try:
            grammar(reader)
            yield reader.finish(), reader.log_prob
        except GrammarFault:
            pass  # what was written into the hole does not fit what comes later
        for fork in range(len(followed), len(reader.forks)):
            taken = [*followed, *[0] * (fork - len(followed))]
            waiting += [[*taken, way] for way in range(1, reader.forks[fork])]


@dataclass(frozen=True)
class Hole:
    """A token that was taken out of a text, and the probability of each token that may stand there."""

    token: int
    chances: dict[int, float]

    @property
    def nats(self) -> float:
        """-ln p(token | everything else): what the best possible model loses here."""
        return -math.log(self.chances[self.token])


class HoleFiller:
    """Fills a hole of one token in a text of a grammar, exactly.

    Args:
        grammar: writes a text with a pen, for example `Cookbook().write`.
        tokenizer: cuts texts into tokens.
    """

    def __init__(self, grammar: Callable[[Pen], object], tokenizer: Tokenizer) -> None:
        self.grammar, self.tokenizer = grammar, tokenizer
        tokens = (token for token in range(tokenizer.vocab_size) if token != tokenizer.end_token)
        self.pieces = Pieces({token: tokenizer.decode([token]) for token in tokens})

    def hole(self, tokens: Sequence[int], place: int) -> Hole:
        """Return the exact distribution of the token at a place, given all others.

        A candidate counts only if the tokenizer cuts its text at the same places: a text has one sequence of tokens,
        and a model never sees the others.

        Args:
            tokens: a document of the grammar, with or without end tokens around it.
            place: which of them is the hole.

        Raises:
            ValueError: there is no such place, it holds an end token, or the grammar cannot write this text.
        """
        end = self.tokenizer.end_token
        if not 0 <= place < len(tokens) or tokens[place] == end:
            raise ValueError(
                f"a hole takes the place of a token of the text; place {place} of {len(tokens)} tokens holds none: "
                "give another place"
            )
        before, behind = ([token for token in part if token != end] for part in (tokens[:place], tokens[place + 1 :]))
        text_of = self.tokenizer.decode
        left, right = text_of(before), text_of(behind)
        found = dict(readings(self.grammar, left, right, self.pieces))
        if tokens[place] not in found:
            raise ValueError(
                f"only a text of the grammar has exact probabilities; it cannot write {text_of(tokens)[:60]!r}...: "
                "draw the text from the grammar"
            )
        if len(found) > 1:
            cuts = self.tokenizer.encode_batch([left + text_of([token]) + right for token in found])
            rows = zip(found.items(), cuts, strict=True)
            found = {token: log_prob for (token, log_prob), cut in rows if cut == [*before, token, *behind]}
        most = max(found.values())
        weights = {token: math.exp(log_prob - most) for token, log_prob in found.items()}
        return Hole(tokens[place], {token: weight / sum(weights.values()) for token, weight in weights.items()})
