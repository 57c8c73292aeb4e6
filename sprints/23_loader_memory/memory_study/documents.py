"""Several documents in one row: tokens, positions that begin again, and the number of the document at each place.

The block mask lets a token see its own document alone; `attend_each` does without a mask. Padding stands at the end of
a row, as document -1.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from shared.nn.attention import merge_heads
from shared.nn.blocks import GPTBlock
from shared.nn.gpt import GPT
from shared.nn.kernels import fused_attend
from shared.training.losses import token_losses

PADDING = -1


class Packed(NamedTuple):
    """Rows of documents: token ids, the position of each in its document, and the number of the document in its row."""

    tokens: Int[Tensor, "rows context"]
    positions: Int[Tensor, "rows context"]
    documents: Int[Tensor, "rows context"]

    @property
    def targets(self) -> Bool[Tensor, "rows context"]:
        """Where a token is predicted from its own document: everywhere but at padding and at each first token."""
        return (self.documents != PADDING) & (self.positions > 0)


def pack_rows(documents: Sequence[Sequence[int]], rows: Sequence[Sequence[int]], context: int) -> Packed:
    """Return documents in rows of `context` places.

    Args:
        documents: token ids of each.
        rows: numbers of the documents in each row, as a function of `memory_study.packing` returns them.
        context: places of a row.

    Raises:
        ValueError: the documents of a row are longer than the row.

    Example: documents [5, 6] and [7, 8, 9] in one row of six places are the tokens 5 6 7 8 9 0, the positions
    0 1 0 1 2 0 and the documents 0 0 1 1 1 -1.
    """
    tokens, positions, owners = (torch.zeros(len(rows), context, dtype=torch.long) for _ in range(3))
    owners.fill_(PADDING)
    for number, row in enumerate(rows):
        start = 0
        for place, document in enumerate(row):
            end = start + len(documents[document])
            if end > context:
                raise ValueError(f"a row has {context} places; documents {list(row)} need at least {end}: pack fewer")
            tokens[number, start:end] = torch.tensor(documents[document])
            positions[number, start:end] = torch.arange(end - start)
            owners[number, start:end] = place
            start = end
    return Packed(tokens, positions, owners)


def block_mask(documents: Int[Tensor, "rows tokens"]) -> Bool[Tensor, "rows 1 tokens tokens"]:
    """Return the mask that is True where query and key belong to the same document; the past is up to the model."""
    return (documents[:, :, None] == documents[:, None, :])[:, None]


def packed_logits(
    model: GPT,
    tokens: Int[Tensor, "rows tokens"],
    positions: Int[Tensor, "rows tokens"],
    mask: Bool[Tensor, "rows 1 tokens tokens"] | None,
) -> Float[Tensor, "rows tokens vocab"]:
    """Return the logits of a GPT with a mask for each query; the row may be longer than the longest position.

    Raises:
        ValueError: a position that the model has not.
    """
    if positions.max() >= model.config.context:
        raise ValueError(
            f"the model has positions 0 to {model.config.context - 1}; got {int(positions.max())}: let the positions "
            "begin again with each document, or give a model with a larger context"
        )
    x = model.dropout(model.token_embedding(tokens) + model.positions(positions))
    for block in model.blocks:
        x = block(x, mask)
    return model.head(model.norm(x))


def packed_loss(model: GPT, packed: Packed) -> tuple[Float[Tensor, ""], int]:
    """Return the summed loss of packed documents and the number of targets, as for each document on its own."""
    logits = packed_logits(model, packed.tokens, packed.positions, block_mask(packed.documents))
    return token_losses(logits, packed.tokens, packed.targets).sum(), int(packed.targets.sum())


def edges_of(documents: Int[Tensor, " tokens"]) -> Int[Tensor, " edges"]:
    """Return where the documents of one row begin, and where the last one ends: what libraries call `cu_seqlens`."""
    starts = (documents.diff() != 0).nonzero()[:, 0] + 1
    ends = [0, *starts.tolist(), len(documents)]
    return torch.tensor(ends, dtype=torch.int32, device=documents.device)


def attend_each(
    query: Float[Tensor, "tokens heads head_dim"],
    key: Float[Tensor, "tokens heads head_dim"],
    value: Float[Tensor, "tokens heads head_dim"],
    edges: Int[Tensor, " edges"],
) -> Float[Tensor, "tokens heads head_dim"]:
    """Return causal attention within each document, one after the other: no score of two documents is computed.

    The same as `torch.nn.attention.varlen.varlen_attn` with a window of (-1, 0), which has a kernel for GPUs alone.
    """
    mixed = []
    for first, last in pairwise(edges.tolist()):
        own = [x[first:last].transpose(0, 1)[None] for x in (query, key, value)]  # (1, heads, tokens, head_dim)
        mixed.append(fused_attend(*own, causal=True)[0].transpose(0, 1))
    return torch.cat(mixed)


def padding_free_logits(model: GPT, packed: Packed) -> Float[Tensor, "real vocab"]:
    """Return the logits of all real tokens, one document after the other: no padding, no mask, no score in vain.

    The model must be one that normalises first, as GPT-2 does.
    """
    real = packed.documents != PADDING
    owners = packed.documents + torch.arange(len(real))[:, None] * packed.documents.shape[1]  # no two rows share one
    edges = edges_of(owners[real])
    x = (model.token_embedding(packed.tokens[real]) + model.positions(packed.positions[real]))[None]
    for block in cast(list[GPTBlock], list(model.blocks)):
        query, key, value = (part[0].transpose(0, 1) for part in block.attention.project(block.attention_norm(x)))
        mixed = attend_each(query, key, value, edges).transpose(0, 1)[None]  # (1, heads, real, head_dim)
        x = x + block.attention.output(merge_heads(mixed))
        x = x + block.feed_forward(block.feed_forward_norm(x))
    return model.head(model.norm(x))[0]
