"""A bi-encoder (Reimers & Gurevych 2019): one vector for each text, made before any query is known."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from retrieval.token_rows import PieceTokens, Tokens
from shared.lab.runtime import autocast
from shared.nn.bert import Bert

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import BertModel

Vectors = Float[Tensor, "texts features"]


def mean_pool(x: Float[Tensor, "texts tokens features"], mask: Bool[Tensor, "texts tokens"]) -> Vectors:
    """Return the mean of each row's vectors, those of padding left out."""
    weights = mask[:, :, None].to(x.dtype)
    return (x * weights).sum(dim=1) / weights.sum(dim=1)


class BiEncoder(nn.Module):
    """A BERT, the mean of its vectors, and that mean at length 1.

    Args:
        bert: reads the texts; queries and documents are read by the same one.
    """

    def __init__(self, bert: Bert) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, tokens: Int[Tensor, "texts tokens"], mask: Bool[Tensor, "texts tokens"]) -> Vectors:
        """Return a unit vector for each row."""
        return functional.normalize(mean_pool(self.bert(tokens, mask), mask), dim=-1)


@torch.no_grad()
def encode(
    model: BiEncoder, tokens: Tokens, texts: Sequence[str], batch: int = 64, precision: str = "float32"
) -> Vectors:
    """Return the unit vectors of texts, in float32 on the CPU: texts of like length are read together.

    Args:
        model: is set to evaluation mode, and back.
        tokens: makes rows of texts.
        texts: any number of them.
        batch: rows that are read at once.
        precision: "float32", "bfloat16" or "auto", as in `shared.lab.runtime.autocast`.
    """
    device, was_training = next(model.parameters()).device, model.training
    model.eval()
    found = torch.empty(len(texts), model.bert.config.d_model)
    order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    with autocast(device, precision):
        for start in range(0, len(order), batch):
            numbers = order[start : start + batch]
            rows = tokens.rows([texts[number] for number in numbers])
            found[numbers] = model(rows.tokens.to(device), rows.mask.to(device)).float().cpu()
    model.train(was_training)
    return functional.normalize(found, dim=-1)


def minilm(context: int = 256) -> tuple[BiEncoder, PieceTokens]:
    """Return all-MiniLM-L6-v2 as a bi-encoder of ours, with its tokens; ValueError if the group `models` is missing."""
    model, tokens = minilm_parts(context)
    return BiEncoder(Bert.from_transformers(model)), tokens


def minilm_parts(context: int = 256) -> "tuple[BertModel, PieceTokens]":
    """Return all-MiniLM-L6-v2 as transformers' model, with its tokens."""
    from transformers import AutoTokenizer, BertModel

    from shared.nn.packaged_models import packaged_folder

    folder = packaged_folder("minilm")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer is not None
    return BertModel.from_pretrained(folder), PieceTokens(tokenizer, context)
