"""What can one vector rank? Documents and queries as free vectors: any two documents should come first for somebody.

In four dimensions there is a solution for any number of documents (Gale 1963, cyclic polytopes; for retrieval Wang et
al. 2026, *2k is Theoretically Large Enough for Embedding-based Top-k Retrieval*). What shrinks is its gap.
"""

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

Documents = Float[Tensor, "documents features"]
Queries = Float[Tensor, "pairs features"]
Pairs = Int[Tensor, "pairs 2"]


def all_pairs(documents: int) -> Pairs:
    """Return all pairs of documents, each a query's two right ones."""
    return torch.combinations(torch.arange(documents))


def turned_twice(angles: Float[Tensor, " documents"]) -> Documents:
    r"""Return $(\cos t, \sin t, \cos 2t, \sin 2t) / \sqrt 2$ for each angle t: unit vectors of four numbers."""
    return torch.stack([angles.cos(), angles.sin(), (2 * angles).cos(), (2 * angles).sin()], dim=1) / math.sqrt(2)


def query_of(first: Float[Tensor, " pairs"], second: Float[Tensor, " pairs"]) -> Queries:
    r"""Return the unit vector whose two highest documents have the angles a and b.

    $(\cos a + \cos b, \sin a + \sin b, -\frac12 \cos(a + b), -\frac12 \sin(a + b))$: its product with the document at t
    is a constant minus $(1 - \cos(t - a)) (1 - \cos(t - b))$, which is 0 at a and at b, and above 0 elsewhere.
    """
    both = first + second
    rows = [first.cos() + second.cos(), first.sin() + second.sin(), -both.cos() / 2, -both.sin() / 2]
    return functional.normalize(torch.stack(rows, dim=1), dim=1)


def gaps(queries: Queries, documents: Documents, pairs: Pairs) -> Float[Tensor, " pairs"]:
    """Return by how much the lower one of a query's two right documents is above the highest other one."""
    scores = queries @ documents.mT  # (pairs, documents)
    right = scores.gather(1, pairs).amin(dim=1)
    return right - scores.scatter(1, pairs, -math.inf).amax(dim=1)


def best_gap(documents: int, right: int = 2) -> float:
    r"""Return what no unit vectors can exceed, whatever their dimension: $n / \sqrt{k (n - 1) (n - k)}$."""
    return documents / math.sqrt(right * (documents - 1) * (documents - right))


def middles(documents: Documents, pairs: Pairs) -> Queries:
    """Return the unit vector halfway between each two documents: the query that anyone would try first."""
    return functional.normalize(documents[pairs].sum(dim=1), dim=1)


def pair_loss(scores: Float[Tensor, "pairs documents"], pairs: Pairs) -> Float[Tensor, ""]:
    """Return InfoNCE in which each right document has the wrong ones beside it, and not the other right one."""
    wrong = scores.scatter(1, pairs, -math.inf).logsumexp(dim=1, keepdim=True)
    return functional.softplus(wrong - scores.gather(1, pairs)).mean()


def train_free(
    documents: int,
    features: int,
    generator: torch.Generator,
    *,
    steps: int = 1500,
    rate: float = 0.05,
    scales: tuple[float, float] = (5.0, 200.0),
) -> Iterator[tuple[float, float]]:
    """Move the vectors of documents and of all pairs themselves; yield after each step the share right and the gap.

    Args:
        documents: how many.
        features: numbers of a vector.
        generator: draws the vectors at the start.
        steps: steps of Adam on all pairs at once; its rate falls linearly to zero.
        rate: its rate at the start.
        scales: the scale at the first and at the last step; it rises by the same factor each step.
    """
    pairs = all_pairs(documents)
    free = [torch.randn(count, features, generator=generator).requires_grad_() for count in (documents, len(pairs))]
    optimizer = torch.optim.Adam(free, lr=rate)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * (1 - step / steps)
        scale = scales[0] * (scales[1] / scales[0]) ** (step / steps)
        units, queries = (functional.normalize(rows, dim=1) for rows in free)
        loss = pair_loss(scale * queries @ units.mT, pairs)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found = gaps(queries.detach(), units.detach(), pairs)
        yield (found > 0).float().mean().item(), found.min().item()
