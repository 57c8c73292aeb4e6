"""What must hold for every layer that carries a state: at once = in pieces = token by token, with any cuts."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Shaped
from torch import Tensor

from shared.checks.invariants import InvariantError

Reader = Callable[[Tensor, Any], tuple[Tensor, Any]]


@torch.no_grad()
def check_streaming(
    read: Reader,
    x: Shaped[Tensor, "batch tokens *features"],
    *,
    cuts: Sequence[Sequence[int]] | None = None,
    tolerance: float = 1e-5,
) -> None:
    """Check that a text read in pieces, with the state handed on, gives the outputs of the text read at once.

    Args:
        read: maps (inputs, state) to (outputs, state), the state None at the beginning; it may be anything.
        x: inputs, at least three of them in a row.
        cuts: where each reading begins a new piece, such as [[1, 4], [2]]; by default behind each token, in two pieces
            at every place, and in pieces of two and of three.
        tolerance: largest difference that counts as none.

    Raises:
        ValueError: a cut is not inside the text.
        InvariantError: names the cuts and the first position that differs.
    """
    tokens = x.shape[1]
    if cuts is None:
        cuts = [range(1, tokens), *([cut] for cut in range(1, tokens)), range(2, tokens, 2), range(3, tokens, 3)]
    at_once, _ = read(x, None)
    for places in cuts:
        edges = [0, *places, tokens]
        if any(first >= second for first, second in pairwise(edges)):
            raise ValueError(f"cuts must rise between 1 and {tokens - 1}, the tokens less one; got {list(places)}")
        state, pieces = None, []
        for first, second in pairwise(edges):
            output, state = read(x[:, first:second], state)
            pieces.append(output)
        difference = (torch.cat(pieces, dim=1) - at_once).abs().transpose(0, 1).flatten(1).amax(dim=1)
        wrong = ~(difference <= tolerance)  # NaN is wrong too
        if wrong.any():
            position = int(wrong.nonzero()[0])
            piece = sum(position >= place for place in places)
            raise InvariantError(
                f"read in pieces that begin at {[0, *places]}, the output at position {position} (piece {piece}) "
                f"differs by {difference[position].item():.2g} from that of the text read at once: is the whole state "
                "handed on (of a convolution the last inputs too), and does a piece start from it and not from zero?"
            )
