"""What a language model writes about the mentions of a sentence, step by step, and how mentions are made of it.

`LineWriting` takes what the model writes, `person: Ava Reed`, and looks for the name in the sentence afterwards.
`TagWriting` writes each word itself, `Ava:`, and lets the model choose the tag alone, so no name can be invented.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from knowledge.kinds import Mention
from knowledge.spans import mentions_of, tokens_of

OUTSIDE = "-"  # the tag of a word that belongs to no mention
Encode = Callable[[str], list[int]]  # the tokens of a text
Decode = Callable[[Sequence[int]], str]


class Written(NamedTuple):
    """The mentions that were read, in order, and the lines of which none could be made."""

    mentions: list[Mention]
    dropped: list[str]


def mention_lines(mentions: Sequence[Mention]) -> list[str]:
    """Return the lines that name mentions: "person: Ava Reed"."""
    return [f"{mention.kind}: {mention.text}\n" for mention in mentions]


def words_of(text: str) -> list[bool]:
    """Return for each token of a text whether it is a word; marks get no line, for no name has one."""
    return [token.text[0].isalnum() for token in tokens_of(text)]


def tag_lines(text: str, mentions: Sequence[Mention]) -> list[str]:
    """Return a line for each word: "Ava: person", "Reed: person", "works: -"."""
    lines = []
    for token, is_word in zip(tokens_of(text), words_of(text), strict=True):
        kinds = [mention.kind for mention in mentions if mention.start <= token.start < mention.end]
        if is_word:
            lines.append(f"{token.text}: {kinds[0] if kinds else OUTSIDE}\n")
    return lines


def mention_in(text: str, line: str, kinds: Sequence[str], taken: Sequence[Mention]) -> Mention | None:
    """Return the first place of a line's name that no mention has taken; None if there is none, or no such kind.

    A name must begin and end where a token does: *Lund* does not stand in *Lundby*.
    """
    kind, _, name = (part.strip() for part in line.partition(":"))
    tokens = tokens_of(text)
    ends = {token.end for token in tokens}
    for start in [token.start for token in tokens] if name and kind in kinds else []:
        end = start + len(name)
        free = all(end <= other.start or other.end <= start for other in taken)
        if free and end in ends and text.startswith(name, start):
            return Mention(start, end, name, kind)
    return None


class LineWriting:
    """What is being written for a sentence: at each step the most probable token.

    Args:
        text: the sentence.
        kinds: of mentions; a line with another kind is dropped.
        decode: makes text of tokens.
        end: the line that closes the list.
    """

    def __init__(self, text: str, kinds: Sequence[str], decode: Decode, end: str) -> None:
        self.text, self.kinds, self.decode, self.end = text, kinds, decode, end.strip()
        self.line: list[int] = []
        self.found = Written([], [])
        self.begin: list[int] = []  # tokens that are written without asking
        self.done = False

    def write(self, logits: Float[Tensor, " vocab"]) -> list[int]:
        """Choose the next token and return it."""
        self.line.append(token := int(logits.argmax()))
        line, newline, rest = self.decode(self.line).partition("\n")
        if newline:
            self.line = []
            self.done = line.strip() == self.end or "\n" in rest
            if line.strip() != self.end:
                mention = mention_in(self.text, line, self.kinds, self.found.mentions)
                self.found.dropped.append(line) if mention is None else self.found.mentions.append(mention)
        return [token]

    def written(self) -> Written:
        """Return what has been read so far."""
        return Written(sorted(self.found.mentions, key=lambda mention: mention.start), self.found.dropped)


class TagWriting:
    """What is being written for a sentence: a line for each word, of which the model chooses the tag.

    Args:
        text: the sentence.
        kinds: of mentions; they are the tags, with `OUTSIDE`.
        encode: makes tokens of text.
    """

    def __init__(self, text: str, kinds: Sequence[str], encode: Encode) -> None:
        self.text, self.encode = text, encode
        self.ends = {tuple(encode(f" {kind}\n")): kind for kind in (*kinds, OUTSIDE)}  # how a line may end
        self.words = [token.text for token in tokens_of(text) if token.text[0].isalnum()]
        self.tags: list[str] = []
        self.end: tuple[int, ...] = ()  # of this line, as far as it is written
        self.done = not self.words
        self.begin = [] if self.done else self._line()

    def write(self, logits: Float[Tensor, " vocab"]) -> list[int]:
        """Choose among the tags, and return the token with all that must stand before the next choice."""
        allowed = self._allowed()
        new = [allowed[int(logits[allowed].argmax())]]
        self.end = (*self.end, new[0])
        new += self._forced()
        if self.end in self.ends:
            self.tags.append(self.ends[self.end])
            self.end, self.done = (), len(self.tags) == len(self.words)
            new += [] if self.done else self._line()
        return new

    def written(self) -> Written:
        """Return what has been read so far; neighbours with one tag are one mention, as there is no B."""
        tags = iter(self.tags)
        kinds = [next(tags, OUTSIDE) if is_word else OUTSIDE for is_word in words_of(self.text)]
        marks = ["O" if kind == OUTSIDE else f"I-{kind}" for kind in kinds]
        return Written(mentions_of(self.text, tokens_of(self.text), marks), [])

    def _line(self) -> list[int]:
        """Begin the line of the next word."""
        return self.encode(f"{self.words[len(self.tags)]}:") + self._forced()

    def _forced(self) -> list[int]:
        """Go on with this line as long as there is only one way."""
        new: list[int] = []
        while len(allowed := self._allowed()) == 1:
            new += allowed
            self.end = (*self.end, *allowed)
        return new

    def _allowed(self) -> list[int]:
        at = len(self.end)
        return sorted({end[at] for end in self.ends if end[:at] == self.end and len(end) > at})
