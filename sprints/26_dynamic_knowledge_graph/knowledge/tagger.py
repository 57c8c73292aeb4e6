"""A tagger: each word by itself and by its shape, read from both sides, and a tag for each (Lample et al. 2016).

It learns from sentences whose mentions are marked. In training a word is hidden now and then, so that the network must
do with its neighbours: what it has to do with names that it has never seen.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from knowledge.kinds import Mention
from knowledge.news import Piece
from knowledge.spans import Token, mentions_of, tags_of, tokens_of
from shared.nn.recurrent_kernels import FusedRecurrent

UNKNOWN = 0  # the number of a word or letter that is not in the vocabulary
SHAPES = ("small", "capital", "initial", "mark")
LONGEST = 16  # letters of a word that are looked at


class Inputs(NamedTuple):
    """Sentences of one length as numbers, so that there is no padding."""

    words: Int[Tensor, "batch tokens"]
    shapes: Int[Tensor, "batch tokens"]
    spellings: Int[Tensor, "batch tokens"]  # which row of `letters` each token is
    letters: Int[Tensor, "spellings letters"]

    def rows(self, rows: Int[Tensor, " rows"], hide: Bool[Tensor, "rows tokens"]) -> "Inputs":
        """Return some of the sentences, with some of their words hidden."""
        words = self.words[rows].masked_fill(hide, UNKNOWN)
        return Inputs(words, self.shapes[rows], self.spellings[rows], self.letters)


class Tagger(nn.Module):
    """Gives each token the logits of the tags.

    Args:
        words: vocabulary; a word's number is its place in it plus 1.
        letters: as `words`.
        tags: as they are written.
        d_word: features of a word.
        d_letters: features that are made of its letters, three at a time; 0 for a network that does not see them.
        hidden: numbers of the state in each direction.
    """

    def __init__(
        self,
        words: Sequence[str],
        letters: Sequence[str],
        tags: Sequence[str],
        d_word: int = 48,
        d_letters: int = 0,
        hidden: int = 64,
    ) -> None:
        super().__init__()
        self.word_numbers = {word: number for number, word in enumerate(words, 1)}
        self.letter_numbers = {letter: number for number, letter in enumerate(letters, 1)}
        self.tags = tuple(tags)
        self.word_embedding = nn.Embedding(len(words) + 1, d_word)
        self.shape_embedding = nn.Embedding(len(SHAPES), 8)
        self.letter_embedding = nn.Embedding(len(letters) + 1, 16)
        self.triples = nn.Conv1d(16, d_letters, kernel_size=3, padding=1) if d_letters else None
        self.reader = FusedRecurrent("lstm", d_word + 8 + d_letters, hidden, bidirectional=True)
        self.head = nn.Linear(2 * hidden, len(tags))

    def forward(self, inputs: Inputs) -> Float[Tensor, "batch tokens tags"]:
        """Return the logits of the tags of each token."""
        features = [self.word_embedding(inputs.words), self.shape_embedding(inputs.shapes)]
        if self.triples is not None:
            kinds, places = inputs.spellings.unique(return_inverse=True)  # each spelling once
            threes = self.triples(self.letter_embedding(inputs.letters[kinds]).mT).relu()  # (kinds, d_letters, letters)
            features.append(threes.amax(dim=2)[places])
        read, _ = self.reader(torch.cat(features, dim=-1))  # (batch, tokens, 2 hidden)
        return self.head(read)

    def inputs(self, sentences: Sequence[Sequence[Token]]) -> Inputs:
        """Return sentences of one length as numbers."""
        words = [[self.word_numbers.get(token.text, UNKNOWN) for token in row] for row in sentences]
        shapes = [[shape_of(token.text) for token in row] for row in sentences]
        spelt = {word: place for place, word in enumerate(sorted({token.text for row in sentences for token in row}))}
        letters = torch.zeros(len(spelt), LONGEST, dtype=torch.long)
        for word, place in spelt.items():
            numbers = [self.letter_numbers.get(letter, UNKNOWN) for letter in f"<{word}>"[:LONGEST]]
            letters[place, : len(numbers)] = torch.tensor(numbers)
        spellings = [[spelt[token.text] for token in row] for row in sentences]
        return Inputs(torch.tensor(words), torch.tensor(shapes), torch.tensor(spellings), letters)

    @torch.no_grad()
    def read(self, texts: Sequence[str]) -> list[list[Mention]]:
        """Return the mentions of each text."""
        sentences = [tokens_of(text) for text in texts]
        found: list[list[Mention]] = [[] for _ in texts]
        for places in by_length(sentences):
            logits = self(self.inputs([sentences[place] for place in places]))
            for place, numbers in zip(places, logits.argmax(dim=-1).tolist(), strict=True):
                found[place] = mentions_of(texts[place], sentences[place], [self.tags[number] for number in numbers])
        return found


def shape_of(word: str) -> int:
    """Return the number of a word's shape: in small letters, with a capital, an initial, or a mark."""
    if not word[0].isalnum():
        return SHAPES.index("mark")
    if word.endswith("."):
        return SHAPES.index("initial")
    return SHAPES.index("capital" if word[0].isupper() else "small")


def by_length(sentences: Sequence[Sequence[Token]]) -> list[list[int]]:
    """Return the places of sentences of equal length together, the short ones first; empty ones are left out."""
    places: defaultdict[int, list[int]] = defaultdict(list)
    for place, sentence in enumerate(sentences):
        places[len(sentence)].append(place)
    return [places[length] for length in sorted(places) if length]


def new_tagger(shown: Sequence[Piece], **sizes: int) -> Tagger:
    """Return an untrained tagger whose vocabulary is the words that occur twice or more in these sentences."""
    rows = [tokens_of(piece.record.text) for piece in shown]
    counts = Counter(token.text for row in rows for token in row)
    words = sorted(word for word, count in counts.items() if count > 1)
    letters = sorted({letter for word in counts for letter in f"<{word}>"})
    kinds = sorted({mention.kind for piece in shown for mention in piece.mentions})
    tags = ["O", *(f"{mark}-{kind}" for kind in kinds for mark in "BI")]
    return Tagger(words, letters, tags, **sizes)


def train_tagger(
    tagger: Tagger,
    shown: Sequence[Piece],
    generator: torch.Generator,
    *,
    steps: int,
    batch_size: int = 32,
    learning_rate: float = 3e-3,
    hidden_words: float = 0.0,
) -> Iterator[tuple[int, float]]:
    """Train, and yield each step with its loss in nats per token.

    Args:
        tagger: is changed.
        shown: sentences with their mentions.
        generator: draws the sentences of each step, and the words that are hidden.
        steps: of Adam, with a learning rate that falls to 0 in a straight line.
        batch_size: sentences of a step, all of one length.
        learning_rate: at the beginning.
        hidden_words: probability with which a word is taken for an unknown one; its shape stays, and its letters.
    """
    sentences = [tokens_of(piece.record.text) for piece in shown]
    numbers = {tag: number for number, tag in enumerate(tagger.tags)}
    targets = [
        [numbers[tag] for tag in tags_of(tokens, piece.mentions)]
        for tokens, piece in zip(sentences, shown, strict=True)
    ]
    groups = [
        (tagger.inputs([sentences[place] for place in places]), torch.tensor([targets[place] for place in places]))
        for places in by_length(sentences)
    ]
    sizes = torch.tensor([float(len(wanted)) for _, wanted in groups])
    optimizer = torch.optim.Adam(tagger.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    for step in range(steps):
        inputs, wanted = groups[int(torch.multinomial(sizes, 1, generator=generator))]
        rows = torch.randint(len(wanted), (batch_size,), generator=generator)
        hide = torch.rand(batch_size, wanted.shape[1], generator=generator) < hidden_words
        logits = tagger(inputs.rows(rows, hide))
        loss = functional.cross_entropy(logits.flatten(0, 1), wanted[rows].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        yield step, loss.item()
