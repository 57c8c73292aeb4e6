"""Texts as rows of token ids: whole words for small worlds, the pieces of a packaged model for real text.

A text stands alone, [CLS] text [SEP], for an encoder of texts; or behind a query, [CLS] query [SEP] text [SEP], for one
that reads both at once. BERT calls what belongs to the text segment 1.
"""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Int
from torch import Tensor

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase

PADDING, UNKNOWN, FIRST, END = range(4)
WORD = re.compile(r"\w+|[^\w\s]")


class Rows(NamedTuple):
    """Token ids, which of them are real, and the segment of each: (texts, tokens) all three."""

    tokens: Int[Tensor, "texts tokens"]
    mask: Bool[Tensor, "texts tokens"]
    segments: Int[Tensor, "texts tokens"]


@runtime_checkable
class Tokens(Protocol):
    """Makes rows of texts."""

    def rows(self, texts: Sequence[str], others: Sequence[str] | None = None) -> Rows:
        """Return a row for each text; given others, a row for each text with the other one behind it."""
        ...


class WordTokens:
    """Each word of a list is a token, whatever its case; any other word is "unknown".

    Args:
        texts: their words make the vocabulary, in the order of the alphabet.
        context: most tokens of a row; what is longer loses its end.
    """

    def __init__(self, texts: Iterable[str], context: int = 64) -> None:
        words = sorted({word for text in texts for word in WORD.findall(text.lower())})
        self.ids = {word: number for number, word in enumerate(words, start=END + 1)}
        self.context = context

    @property
    def vocab_size(self) -> int:
        """Return the number of tokens, the four special ones among them."""
        return len(self.ids) + END + 1

    def rows(self, texts: Sequence[str], others: Sequence[str] | None = None) -> Rows:
        """Return a row for each text; given others, a row for each text with the other one behind it."""
        firsts = [[FIRST, *self.encode(text), END] for text in texts]
        seconds = [[]] * len(firsts) if others is None else [[*self.encode(other), END] for other in others]
        return pad([
            ((first + second)[: self.context], len(first)) for first, second in zip(firsts, seconds, strict=True)
        ])  # fmt: skip

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text's words."""
        return [self.ids.get(word, UNKNOWN) for word in WORD.findall(text.lower())]


class PieceTokens:
    """The tokens of a packaged model.

    Args:
        tokenizer: of transformers.
        context: most tokens of a row; of a pair the text loses its end.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", context: int = 256) -> None:
        self.tokenizer, self.context = tokenizer, context

    def rows(self, texts: Sequence[str], others: Sequence[str] | None = None) -> Rows:
        """Return a row for each text; given others, a row for each text with the other one behind it."""
        pairs = {} if others is None else {"text_pair": list(others)}
        made = self.tokenizer(
            list(texts), **pairs, padding=True, truncation=True if others is None else "only_second",
            max_length=self.context, return_tensors="pt", return_token_type_ids=True,
        )  # fmt: skip
        return Rows(made["input_ids"], made["attention_mask"].bool(), made["token_type_ids"])


def pad(rows: Sequence[tuple[list[int], int]]) -> Rows:
    """Return rows of equal length; each comes with the number of its tokens that belong to segment 0."""
    width = max(len(ids) for ids, _ in rows)
    tokens = torch.tensor([ids + [PADDING] * (width - len(ids)) for ids, _ in rows])
    lengths, firsts = torch.tensor([[len(ids), first] for ids, first in rows]).T[:, :, None]
    places = torch.arange(width)
    mask = places < lengths
    return Rows(tokens, mask, (mask & (places >= firsts)).long())
