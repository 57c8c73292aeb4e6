"""One-hot rows and the table.

Fill in the three functions; one line to three lines each. Then look how far you are, as often as you like:

    uv run sprints check 05.1
    uv run sprints hint 05.1

The example of note 1 is the first check of each function. Do not call `functional.one_hot` or `functional.embedding`:
they are the answer.
"""

from torch import Tensor


def one_hot(tokens: Tensor, vocab: int) -> Tensor:
    """Return a row for each token that is 1 at the token's place and 0 elsewhere.

    Args:
        tokens: (tokens), whole numbers from 0 to vocab - 1
        vocab: number of words

    Returns:
        (tokens, vocab), float32
    """
    raise NotImplementedError


def embed(tokens: Tensor, table: Tensor) -> Tensor:
    """Return the vector of each token, as a product of one-hot rows with the table.

    Args:
        tokens: (tokens)
        table: (vocab, features)

    Returns:
        (tokens, features)
    """
    raise NotImplementedError


def gradient_of_table(tokens: Tensor, upstream: Tensor, vocab: int) -> Tensor:
    """Return the gradient of the table.

    Args:
        tokens: (tokens), the rows that were read
        upstream: (tokens, features), the gradient of the loss by the vector at each place
        vocab: number of rows of the table

    Returns:
        (vocab, features); a row that was read twice gets the sum, one that was not read gets zero
    """
    raise NotImplementedError
