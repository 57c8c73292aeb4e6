"""A lookup as a product, and its gradient."""

import torch
from torch import Tensor


def one_hot(tokens: Tensor, vocab: int) -> Tensor:
    """Return a row for each token that is 1 at the token's place and 0 elsewhere, (tokens, vocab)."""
    return (tokens[:, None] == torch.arange(vocab)).float()


def embed(tokens: Tensor, table: Tensor) -> Tensor:
    """Return the vector of each token, as a product of one-hot rows with the table, (tokens, features)."""
    return one_hot(tokens, len(table)) @ table


def gradient_of_table(tokens: Tensor, upstream: Tensor, vocab: int) -> Tensor:
    """Return the gradient of the table: what comes back is added up in the rows that were read, (vocab, features)."""
    return one_hot(tokens, vocab).T @ upstream
