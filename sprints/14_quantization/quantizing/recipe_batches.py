"""Recipes as a model of transformers reads them, and the loss of such a model on them."""

from collections.abc import Sequence

from torch import nn
from transformers import PreTrainedTokenizerBase

from shared.nn.pretrained import Logits
from shared.text.batches import Batch, pad_rows
from shared.text.cookbook import Cookbook
from shared.text.tokenizers import encode_documents
from shared.training.losses import evaluate_loss


def recipe_rows(tokenizer: PreTrainedTokenizerBase, stream: str, start: int, count: int) -> list[list[int]]:
    """Return the tokens of recipes of a stream, each between two end tokens."""
    cookbook = Cookbook()
    texts = [cookbook.recipe(stream, index).text for index in range(start, start + count)]
    return encode_documents(texts, tokenizer)


def recipe_batches(
    tokenizer: PreTrainedTokenizerBase, stream: str, start: int, count: int, batch_size: int = 25
) -> list[Batch]:
    """Return the same as padded batches."""
    rows = recipe_rows(tokenizer, stream, start, count)
    return [pad_rows(rows[first : first + batch_size]) for first in range(0, count, batch_size)]


def optimum(stream: str, start: int, count: int, targets: int) -> float:
    """Return the loss of the grammar that wrote the recipes, in nats per token: no model's is lower."""
    cookbook = Cookbook()
    return -sum(cookbook.recipe(stream, index).log_prob for index in range(start, start + count)) / targets


def loss_on(model: nn.Module, batches: Sequence[Batch]) -> float:
    """Return the mean loss of a model in nats per token."""
    return evaluate_loss(Logits(model), batches)[0]
