"""What a model reads while its inputs are looked at: recipes for the shipped one, a text of people for any other."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from aware.recipes import Recipes
from shared.lab.datasets import fetch
from shared.nn.pretrained import SHIPPED
from shared.text.batches import Batch, DocumentBatches, pad_rows
from shared.text.plain_text import read_text
from shared.text.tokenizers import encode_texts

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase

BLOCK = 256  # tokens of a passage of a text
# Where each part of a text begins and ends: as in sprint 9, the last tenth is for the test.
ENDS = {"train": (0.0, 0.8), "validation": (0.8, 0.9), "test": (0.9, 1.0)}
TEXTS_OF_A_SEED = 10_000  # each seed has recipes of its own


class InputTexts:
    """Texts in three parts that share nothing.

    Args:
        tokenizer: the model's.
        text: of which each block of tokens is a passage; None for recipes.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", text: str | None) -> None:
        # encode_documents takes one of transformers as well as our own.
        self.tokenizer, self.text, self.recipes = tokenizer, text, Recipes(tokenizer)  # ty: ignore[invalid-argument-type]

    def documents(self, part: str, start: int, count: int) -> list[list[int]]:
        """Return so many texts of a part as tokens, from number `start` on.

        Raises:
            ValueError: the text has not so many.
        """
        if self.text is None:
            return self.recipes.documents(part, start, count)
        first, last = (round(end * len(self.text)) for end in ENDS[part])
        (tokens,) = encode_texts([self.text[first:last]], self.tokenizer)
        blocks = [tokens[at : at + BLOCK] for at in range(0, len(tokens) - BLOCK + 1, BLOCK)]
        if len(blocks) < start + count:
            raise ValueError(f"the {part} part of the text has {len(blocks)} passages; got {start + count}: give fewer")
        return blocks[start : start + count]

    def alone(self, count: int) -> list[Batch]:
        """Return the first training texts, each a batch of its own: without padding."""
        return [pad_rows([document]) for document in self.documents("train", 0, count)]

    def held_out(self, part: str, count: int, batch_size: int = 16) -> list[Batch]:
        """Return the first texts of a part in batches."""
        documents = self.documents(part, 0, count)
        size = batch_size if self.text is None else 1  # the logits of a real vocabulary take 50 MB a passage
        return [pad_rows(documents[at : at + size]) for at in range(0, count, size)]

    def train_batches(self, batch_size: int, seed: int) -> Iterator[Batch]:
        """Return an endless stream of training texts, others for each seed."""
        batches = DocumentBatches(lambda start, count: self.documents("train", start, count), batch_size, BLOCK + 1)
        batches.position = (1 + seed) * TEXTS_OF_A_SEED
        return batches

    def optimum(self, part: str, count: int) -> float | None:
        """Return the loss of the grammar on recipes, in nats per token; nobody knows that of a text of people."""
        return None if self.text is not None else self.recipes.held_out(part, count).optimum


def texts_for(model: str, tokenizer: "PreTrainedTokenizerBase") -> InputTexts:
    """Return recipes for the shipped model, and Shakespeare for any other."""
    return InputTexts(tokenizer, None if model == SHIPPED else read_text(fetch("tinyshakespeare", "input.txt")))
