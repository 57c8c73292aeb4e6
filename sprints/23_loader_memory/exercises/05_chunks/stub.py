"""The loss over a vocabulary in chunks, with its gradients.

Fill in `chunked`. Then look how far you are, as often as you like:

    uv run sprints check 23.5
    uv run sprints hint 23.5

Theory: note 10 of this sprint.
"""

from torch import Tensor


def chunked(hidden: Tensor, weight: Tensor, labels: Tensor, chunk: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the mean loss of all tokens, and its gradients in `hidden` and in `weight`, without autograd.

    The loss of a token is -log softmax(weight @ hidden)[label]. At no moment may there be logits of more than `chunk`
    tokens. Check: with all tokens in one chunk the result is the same.

    Args:
        hidden: (tokens, d_model), what the output layer reads
        weight: (vocab, d_model), of the output layer
        labels: (tokens,), the right word of each token
        chunk: tokens at a time; the last chunk may have fewer

    Returns:
        the mean loss, a tensor without dimensions; (tokens, d_model); (vocab, d_model)
    """
    raise NotImplementedError
