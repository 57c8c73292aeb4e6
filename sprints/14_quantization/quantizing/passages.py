"""The text that a model is scored on: recipes for the model that writes them, a text of people for any other."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from shared.lab.datasets import fetch
from shared.nn.pretrained import SHIPPED, Logits, context_length
from shared.text.batches import Batch, pad_rows
from shared.text.cookbook import Cookbook
from shared.text.plain_text import read_text
from shared.text.tokenizers import encode_documents, encode_texts
from shared.training.losses import evaluate_loss

Part = Literal["train", "validation", "test"]
Block = Annotated[int, Field(ge=2, le=2**20)]
RECIPES, SHAKESPEARE = "recipes", "tinyshakespeare"
# Where each part of a text begins and ends: as in sprint 9, the last tenth is for the test.
ENDS: dict[Part, tuple[float, float]] = {"train": (0.0, 0.8), "validation": (0.8, 0.9), "test": (0.9, 1.0)}


@dataclass(frozen=True)
class Passages:
    """Numbered passages of three parts that share nothing: recipes of three streams, or blocks of a text.

    Args:
        tokenizer: the model's.
        text: a text, of which each block of tokens is a passage; None for recipes.
        block: tokens of a passage of a text.
    """

    tokenizer: PreTrainedTokenizerBase
    text: str | None
    block: int

    def batches(self, part: Part, start: int, count: int, batch_size: int | None = None) -> list[Batch]:
        """Return passages number `start` to `start + count`, padded.

        Raises:
            ValueError: the text has not so many.
        """
        if self.text is None:
            recipes = [Cookbook().recipe(part, index).text for index in range(start, start + count)]
            rows, size = encode_documents(recipes, self.tokenizer), batch_size or 25
        else:
            # The logits of a real vocabulary take 100 MB a passage: one at a time.
            rows, size = self._blocks(part)[start : start + count], batch_size or 1
            if len(rows) < count:
                raise ValueError(
                    f"the {part} part of the text has {max(0, len(self._blocks(part)))} passages of {self.block} "
                    f"tokens; it would need {start + count}: give a longer --text, or a shorter --block"
                )
        return [pad_rows(rows[first : first + size]) for first in range(0, count, size)]

    def optimum(self, part: Part, start: int, count: int, targets: int) -> float | None:
        """Return the loss of the grammar that wrote the recipes, in nats per token: no model's is lower.

        Nobody knows that of a text of people: None.
        """
        if self.text is not None:
            return None
        cookbook = Cookbook()
        return -sum(cookbook.recipe(part, index).log_prob for index in range(start, start + count)) / targets

    def _blocks(self, part: Part) -> list[list[int]]:
        assert self.text is not None
        first, last = (round(end * len(self.text)) for end in ENDS[part])
        (tokens,) = encode_texts([self.text[first:last]], self.tokenizer)
        return [tokens[at : at + self.block] for at in range(0, len(tokens) - self.block + 1, self.block)]


def passages_for(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, name: str, text: str | None, block: int | None
) -> Passages:
    """Return the text for a model.

    Args:
        model: the model.
        tokenizer: its tokenizer.
        name: how the model was asked for.
        text: "recipes", "tinyshakespeare", or a file; None means recipes for the shipped model and Shakespeare for any
            other.
        block: tokens of a passage of a text (default: 512, or what the model can look at).

    Raises:
        ValueError: a block longer than what the model can look at, or a file that cannot be read.
    """
    source = text or (RECIPES if name == SHIPPED else SHAKESPEARE)
    block = block or min(512, context_length(model))
    if source == RECIPES:
        return Passages(tokenizer, None, block)
    if block > context_length(model):
        raise ValueError(
            f"--block must be at most what the model can look at, {context_length(model)} tokens; got {block}"
        )
    path = fetch(SHAKESPEARE, "input.txt") if source == SHAKESPEARE else Path(source).expanduser()
    return Passages(tokenizer, read_text(path), block)


def how_many(asked: int | None, passages: Passages, recipes: int, blocks: int) -> int:
    """Return how many passages to read: as asked, or by default so many recipes or blocks of a text."""
    return asked or (recipes if passages.text is None else blocks)


def loss_on(model: nn.Module, batches: Sequence[Batch]) -> float:
    """Return the mean loss of a model in nats per token."""
    return evaluate_loss(Logits(model), batches)[0]
