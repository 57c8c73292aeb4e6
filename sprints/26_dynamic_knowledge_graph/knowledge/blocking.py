"""Which pairs are worth comparing: those that share a key, or whose sets of letter pairs are alike (MinHash, LSH)."""

import zlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

PRIME = 2**31 - 1  # products of two numbers below it fit into 64 bits
Key = Callable[[Any], str]  # of a record; an empty key is none


def pairs_by_keys(first: Sequence[Any], second: Sequence[Any] | None, keys: Sequence[Key]) -> Int64[Tensor, "pairs 2"]:
    """Return the pairs of records that agree on at least one key, each once and in order.

    Args:
        first: records.
        second: those of another list; None: pairs are within the first, the smaller number first.
        keys: what has to agree; a record whose key is empty has no partner by it.
    """
    within = second is None
    others = first if second is None else second
    codes: set[int] = set()
    for key in keys:
        blocks: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for side, records in enumerate((first, others)):
            for number, record in enumerate(records):
                if value := key(record):
                    blocks[value][side].append(number)
        for left, right in blocks.values():
            codes.update(number * len(others) + other for number in left for other in right)
    found = torch.tensor(sorted(codes), dtype=torch.long)
    pairs = torch.stack((found // max(1, len(others)), found % max(1, len(others))), dim=1)
    return pairs[pairs[:, 0] < pairs[:, 1]] if within else pairs


def completeness(pairs: Int64[Tensor, "pairs 2"], true: Int64[Tensor, "true 2"]) -> float:
    """Return which share of the true pairs is among the pairs (pairs completeness); 1 if there is none to find."""
    if not len(true):
        return 1.0
    width = int(max(pairs.max() if len(pairs) else 0, true.max())) + 1
    return float(torch.isin(true[:, 0] * width + true[:, 1], pairs[:, 0] * width + pairs[:, 1]).double().mean())


def letter_pairs(text: str) -> frozenset[str]:
    """Return all pairs of neighbouring letters; the ends of the text count as letters, so that no text has none."""
    padded = f"^{text}$"
    return frozenset(padded[place : place + 2] for place in range(len(padded) - 1))


def jaccard(first: AbstractSet, second: AbstractSet) -> float:
    """Return which share of what is in one of two sets is in both; 1 for two empty ones."""
    return len(first & second) / len(first | second) if first or second else 1.0


def signatures(
    sets: Sequence[AbstractSet[str]], hashes: int, generator: torch.Generator
) -> Int64[Tensor, "sets hashes"]:
    """Return the MinHash signature of each set: under each hash function the smallest value of its members.

    Two sets share the smallest value of a random order with probability |A and B| / |A or B|, for the smallest member
    of the union is as likely to be any of them (Broder 1997). Functions are (a x + b) mod p, where x is a checksum:
    Python's own `hash` differs from process to process.

    Raises:
        ValueError: a set is empty; it has no smallest member.
    """
    if any(not members for members in sets):
        raise ValueError("every set must have a member; leave out records without text, or pad them")
    a = torch.randint(1, PRIME, (hashes,), generator=generator)
    b = torch.randint(PRIME, (hashes,), generator=generator)
    known = sorted({member for members in sets for member in members})
    x = torch.tensor([zlib.crc32(member.encode()) % PRIME for member in known])
    values = dict(zip(known, (x.unsqueeze(1) * a + b) % PRIME, strict=True))  # (hashes,) each
    return torch.stack([torch.stack([values[member] for member in members]).amin(dim=0) for members in sets])


def alike(signed: Int64[Tensor, "sets hashes"], first: int, second: int) -> float:
    """Return the share of equal values of two signatures, an unbiased estimate of the sets' Jaccard similarity."""
    return float((signed[first] == signed[second]).double().mean())


def lsh_keys(signed: Int64[Tensor, "sets hashes"], bands: int) -> list[list[str]]:
    """Return for each band the key of each set: its values in that band.

    Raises:
        ValueError: the hashes cannot be dealt out evenly.
    """
    hashes = signed.shape[1]
    if bands < 1 or hashes % bands:
        raise ValueError(f"bands must divide the number of hashes; got {bands} bands and {hashes} hashes")
    return [[" ".join(map(str, row)) for row in band.tolist()] for band in signed.chunk(bands, dim=1)]


def pairs_by_lsh(
    signed: Int64[Tensor, "sets hashes"], bands: int, split: int | None = None
) -> Int64[Tensor, "pairs 2"]:
    """Return the pairs of sets that agree in all values of at least one band.

    Args:
        signed: signatures; those of a second list may stand behind the first.
        bands: into which each signature is cut.
        split: where the second list begins; None: pairs are within one list.
    """
    keys = [lambda number, band=band: band[number] for band in lsh_keys(signed, bands)]
    numbers = range(len(signed))
    if split is None:
        return pairs_by_keys(numbers, None, keys)
    return pairs_by_keys(numbers[:split], numbers[split:], keys)


def lsh_curve(similarity: Float64[Tensor, " similarities"], rows: int, bands: int) -> Float64[Tensor, " similarities"]:
    """Return 1 - (1 - J^r)^b, how likely two sets of Jaccard similarity J are to become a pair."""
    return 1 - (1 - similarity**rows) ** bands
