"""Attention in three lines, and multi-head self-attention in twelve; `shared/nn/attention.py` is both with options."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def attention(
    query: Float[Tensor, "queries head_dim"], key: Float[Tensor, "keys head_dim"], value: Float[Tensor, "keys features"]
) -> Float[Tensor, "queries features"]:
    """Return what each query receives."""
    scores = query @ key.T / math.sqrt(query.shape[-1])  # (queries, keys): one row of scores for each query
    weights = scores.softmax(dim=-1)  # each row adds up to 1
    return weights @ value  # (queries, features)


def self_attention(
    x: Float[Tensor, "tokens d_model"],
    to_query: Float[Tensor, "d_model d_model"],
    to_key: Float[Tensor, "d_model d_model"],
    to_value: Float[Tensor, "d_model d_model"],
    to_output: Float[Tensor, "d_model d_model"],
    heads: int,
) -> Float[Tensor, "tokens d_model"]:
    """Return what each token gathers from itself and the tokens before it."""
    tokens, d_model = x.shape
    head_dim = d_model // heads
    query, key, value = x @ to_query, x @ to_key, x @ to_value  # each (tokens, d_model)
    future = torch.ones(tokens, tokens, dtype=torch.bool).triu(1)  # True above the diagonal
    found = []
    for head in range(heads):
        part = slice(head * head_dim, (head + 1) * head_dim)  # the features of this head
        scores = query[:, part] @ key[:, part].T / math.sqrt(head_dim)  # (tokens, tokens)
        weights = scores.masked_fill(future, -math.inf).softmax(dim=-1)  # each row adds up to 1
        found.append(weights @ value[:, part])  # (tokens, head_dim)
    return torch.cat(found, dim=-1) @ to_output
