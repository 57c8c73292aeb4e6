"""What agreements are worth, and how that is learnt without labels.

Fill in both functions. Then look how far you are:

    uv run sprints check 26.1
    uv run sprints hint 26.1

A pair of records has for each property 1 (they agree), 0 (they differ) or -1 (one of them does not say it). m holds how
often matches agree in each property, u how often others do, both of those pairs in which it is said.
"""

from torch import Tensor


def bits(share: float, m: Tensor, u: Tensor, agrees: Tensor) -> Tensor:
    """Return log2 of the odds that each pair is a match.

    Args:
        share: of matches among all pairs.
        m: (properties,).
        u: (properties,).
        agrees: (pairs, properties) of 1, 0 and -1.

    Returns:
        (pairs,)
    """
    raise NotImplementedError


def em_step(share: float, m: Tensor, u: Tensor, agrees: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return share (a tensor without dimensions), m and u after one step of EM.

    E: how likely is each pair to be a match? M: count anew, each pair as much match as it is likely to be one, and for
    the rest as one of the others. What is not said counts for neither.
    """
    raise NotImplementedError
