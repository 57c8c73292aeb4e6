"""All readers of sentences in one form: rules, a list of words, taggers, and the best that can be done."""

from collections.abc import Callable, Sequence

import torch

from knowledge.best_reading import BestReader, claim_of
from knowledge.claiming import ClaimReader
from knowledge.kinds import Claim, Mention
from knowledge.news import News, Piece
from knowledge.news_grammar import read_grammar
from knowledge.rules import Rules, WordList
from knowledge.spans import score
from knowledge.tagger import new_tagger, train_tagger

Found = list[tuple[list[Mention], list[Claim]]]  # of each sentence
Reader = Callable[[Sequence[Piece]], Found]  # looks at the text alone
TAGGERS: dict[str, tuple[bool, int]] = {  # whether words are hidden in training, features made of letters
    "tagger": (True, 0),
    "tagger, no word hidden": (False, 0),
    "tagger with letters": (True, 32),
}


def news_of(seed: int, size: int, second: bool = False) -> list[Piece]:
    """Return sentences of a world, each once; names are from one half of the lists or from the other."""
    stream = News(seed, size, words=read_grammar()[0].half(second)).stream()
    return list({piece.record.key: piece for piece in stream if piece.record.text}.values())


def simple_readers(shown: Sequence[Piece]) -> dict[str, Reader]:
    """Return readers that are not trained, and one that is told the true mentions and reads only claims."""
    rules, words, claiming = Rules(shown), WordList(shown), ClaimReader(shown)
    return {
        "rules": lambda pieces: [rules.read(one.record.text, one.record.key, one.record.day) for one in pieces],
        "list of words": lambda pieces: _with_claims(
            claiming, pieces, [words.mentions(one.record.text) for one in pieces]
        ),
        "true mentions": lambda pieces: _with_claims(claiming, pieces, [one.mentions for one in pieces]),
    }


def trained_reader(
    name: str, shown: Sequence[Piece], seed: int, steps: int, learning_rate: float, hidden_words: float
) -> Reader:
    """Train one of the taggers and return it.

    Args:
        name: one of `TAGGERS`.
        shown: sentences with their mentions and claims.
        seed: of the weights, of the order and of the words that are hidden.
        steps: of Adam.
        learning_rate: at the beginning.
        hidden_words: share of the words that are hidden, where the tagger is one of those that hide.
    """
    hide, letters = TAGGERS[name]
    claiming, generator = ClaimReader(shown), torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    tagger = new_tagger(shown, d_letters=letters)
    share = hidden_words if hide else 0.0
    for _ in train_tagger(tagger, shown, generator, steps=steps, learning_rate=learning_rate, hidden_words=share):
        pass
    return lambda pieces: _with_claims(claiming, pieces, tagger.read([one.record.text for one in pieces]))


def best_reader(second: bool, names: bool) -> Reader:
    """Return the reader by Bayes' rule, who knows one half of the lists, or no names."""
    reader = BestReader(read_grammar()[0].half(second) if names else None)

    def read(pieces: Sequence[Piece]) -> Found:
        found: Found = []
        for piece in pieces:
            reading = reader.best(piece.record.text)
            found.append((list(reading[0]), list(claim_of(reading, piece.record.key, piece.record.day))))
        return found

    return read


def scores(pieces: Sequence[Piece], found: Found) -> list[float]:
    """Return F1 of mentions, and precision, recall and F1 of claims."""
    mentions = score([one for one, _ in found], [piece.mentions for piece in pieces])
    return [mentions.f1, *score([claims for _, claims in found], [piece.claims for piece in pieces])]


def _with_claims(claiming: ClaimReader, pieces: Sequence[Piece], mentions: Sequence[Sequence[Mention]]) -> Found:
    return [
        (list(found), claiming.claims(piece.record.text, found, piece.record.key, piece.record.day))
        for piece, found in zip(pieces, mentions, strict=True)
    ]
