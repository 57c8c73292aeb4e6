"""The model that is tuned: loaded, with vectors for new words, and scored.

Theory: notes/04_beside_full_fine_tuning.md and notes/05_new_words.md
"""

from typing import TYPE_CHECKING

import torch
from torch import nn

from adapter_study.model_defaults import block_length, rows_at_once
from shared.nn.pretrained import Logits, load_causal_model
from shared.text.batches import TextDataset
from shared.text.books import BookPart
from shared.text.unseen_words import renew, unseen_tokens
from shared.training.losses import evaluate_loss

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def load_base(name: str, dropout: float, device: torch.device) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase"]:
    """Return a model to tune, with this dropout, and its tokenizer."""
    model, tokenizer = load_causal_model(name)
    model.set_attn_implementation("eager")  # in bfloat16 on a CPU the fused kernel is slow in its backward pass
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = dropout
    return model.to(device), tokenizer


def renew_unseen(model: "PreTrainedModel", generator: torch.Generator) -> int:
    """Give each token that pre-training never showed a vector of its own, and return how many there are."""
    weight = model.get_input_embeddings().get_parameter("weight")
    unseen = unseen_tokens(weight)
    renew(weight, unseen, generator)
    return len(unseen)


def loss_on(part: BookPart, model: "PreTrainedModel", block: int | None = None) -> float:
    """Return a model's loss on the next token of a part, in nats per token; `block` as in `block_length`."""
    length = block_length(model, block)
    return evaluate_loss(Logits(model), TextDataset(part.documents, length).batches(rows_at_once(model, length)))[0]
