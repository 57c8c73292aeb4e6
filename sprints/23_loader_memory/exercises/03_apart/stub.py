"""Documents apart in a packed row: positions, mask and targets.

Fill in the three functions. Then look how far you are, as often as you like:

    uv run sprints check 23.3
    uv run sprints hint 23.3

Each gets `documents`, (rows, tokens): the number of the document at each place, counted from 0 in each row, and -1
where a row is padded at its end. Theory: notes/07_documents_apart.md
"""

from torch import Tensor


def positions_of(documents: Tensor) -> Tensor:
    """Return the position of each token in its document, (rows, tokens), whole numbers; padding has 0."""
    raise NotImplementedError


def mask_of(documents: Tensor) -> Tensor:
    """Return where a query (second axis) may look at a key (last axis), (rows, tokens, tokens), boolean.

    A token sees itself and what stands before it in its own document. Padding sees nothing and nobody sees it.
    """
    raise NotImplementedError


def targets_of(documents: Tensor) -> Tensor:
    """Return which tokens are predicted from their own document, (rows, tokens), boolean."""
    raise NotImplementedError
