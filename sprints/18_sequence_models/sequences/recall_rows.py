"""Associative recall: pairs of a key and a value, then the keys again in another order, each with its value."""

import torch
from jaxtyping import Bool, Int
from torch import Tensor


def recall_rows(
    keys: int, values: int, pairs: int, rows: int, generator: torch.Generator
) -> tuple[Int[Tensor, "rows tokens"], Bool[Tensor, "rows targets"]]:
    """Return rows of key, value, key, value, ... and again in another order, and which targets are the second values.

    The keys of a row differ; the values may be equal. Keys are tokens 0 to keys - 1, values follow them.

    Args:
        keys: distinct keys.
        values: distinct values.
        pairs: pairs of a row.
        rows: how many.
        generator: draws keys, values and the order of the questions.

    Raises:
        ValueError: there are not so many keys.
    """
    if not 1 <= pairs <= keys:
        raise ValueError(f"the keys of a row differ, so it has from 1 to {keys} pairs; got {pairs}: give more keys")
    key = torch.rand(rows, keys, generator=generator).argsort(dim=1)[:, :pairs]
    value = keys + torch.randint(values, (rows, pairs), generator=generator)
    order = torch.rand(rows, pairs, generator=generator).argsort(dim=1)
    written = torch.stack([key, value], dim=2).flatten(1)
    asked = torch.stack([key.gather(1, order), value.gather(1, order)], dim=2).flatten(1)
    tokens = torch.cat([written, asked], dim=1)  # (rows, 4 pairs)
    scored = torch.zeros(rows, 4 * pairs - 1, dtype=torch.bool)
    scored[:, 2 * pairs :: 2] = True  # the target of place 2 pairs is the token behind the first question
    return tokens, scored


def mixed_rows(
    keys: int, values: int, most: int, rows: int, generator: torch.Generator, counts: int = 4
) -> tuple[Int[Tensor, "rows tokens"], Bool[Tensor, "rows targets"]]:
    """Return rows of up to `most` pairs, of several numbers of pairs at once; what stands behind a row is not scored.

    A batch in which all rows have one number of pairs makes noisier gradients.
    """
    tokens, scored = torch.zeros(rows, 4 * most, dtype=torch.long), torch.zeros(rows, 4 * most - 1, dtype=torch.bool)
    for part in torch.arange(rows).tensor_split(min(counts, rows)):
        pairs = int(torch.randint(1, most + 1, (), generator=generator))
        some, where = recall_rows(keys, values, pairs, len(part), generator)
        tokens[part, : 4 * pairs], scored[part, : 4 * pairs - 1] = some, where
    return tokens, scored
