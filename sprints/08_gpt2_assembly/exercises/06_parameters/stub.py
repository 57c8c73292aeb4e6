"""Tying weights and counting parameters.

Fill in both functions. Then look how far you are, as often as you like:

    uv run sprints check 08.6
    uv run sprints hint 08.6

Theory: notes 3 and 7 of this sprint.
"""

from torch import nn


def tie(embedding: nn.Embedding, head: nn.Linear) -> None:
    """Make the head use the matrix of the embedding: one matrix with two uses, before and after any training step.

    Args:
        embedding: its `weight` is (vocab_size, d_model).
        head: `nn.Linear(d_model, vocab_size, bias=False)`; its `weight` has the same shape.
    """
    raise NotImplementedError


def count_parameters(vocab_size: int, context: int, layers: int, d_model: int, tied: bool = True) -> int:
    """Return how many numbers a GPT-2 of these sizes learns, by a formula; a tied head counts with the embedding.

    The feed-forward network has 4 d_model hidden features. Mind the biases: every matrix of a block has one, and the
    head has none. A norm has a gain and a bias.
    """
    raise NotImplementedError
