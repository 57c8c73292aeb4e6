"""From weights of pairs to clusters, without trusting that what hangs together is one.

Fill in the function. Then look how far you are:

    uv run sprints check 26.2
    uv run sprints hint 26.2

It need not be fast: computing all sums anew before each merge is good enough here.
"""

Pair = tuple[int, int]


def clusters(count: int, links: dict[Pair, float], apart: set[Pair]) -> list[int]:
    """Return for each record the smallest record of its cluster.

    Begin with one cluster for each record. Merge the two clusters with the largest sum of weights between them, as long
    as that sum is above 0. Of equal sums take the one whose smaller cluster (by its smallest record) comes first, then
    the one whose other cluster does.

    Args:
        count: records, numbered from 0.
        links: weights of pairs, the smaller number first; a pair that is not there weighs 0.
        apart: pairs, the smaller number first, that must never share a cluster.
    """
    raise NotImplementedError
