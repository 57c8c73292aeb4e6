"""One matrix with two names, and a sum of products."""

from torch import nn


def tie(embedding: nn.Embedding, head: nn.Linear) -> None:
    """Make the head use the matrix of the embedding."""
    head.weight = embedding.weight  # the parameter itself, not its numbers


def count_parameters(vocab_size: int, context: int, layers: int, d_model: int, tied: bool = True) -> int:
    """Return how many numbers a GPT-2 of these sizes learns."""
    attention = 4 * d_model**2 + 4 * d_model  # queries, keys, values, output
    feed_forward = 8 * d_model**2 + 5 * d_model  # d to 4 d and back, with biases of 4 d and of d
    norms = 2 * 2 * d_model
    block = attention + feed_forward + norms  # 12 d^2 + 13 d
    embeddings = (vocab_size + context) * d_model
    head = 0 if tied else vocab_size * d_model
    return embeddings + layers * block + 2 * d_model + head
