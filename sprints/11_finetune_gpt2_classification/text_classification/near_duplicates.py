"""Near duplicates by MinHash (Broder 1997): which texts of one split have nearly been in another?

Two texts are as similar as their sets of shingles, here all runs of five characters, by Jaccard's index: shared
shingles over all shingles. Under a random order of all shingles, the probability that both sets have the same first
one is just that index. So the share of many random orders in which the first ones agree estimates it.
"""

import zlib
from collections.abc import Sequence

import numpy as np

SHINGLE = 5
PRIME = (1 << 31) - 1


def shingles(text: str) -> set[str]:
    """Return all runs of five characters, regardless of case and spacing; a shorter text is its own shingle."""
    plain = " ".join(text.lower().split())
    return {plain[start : start + SHINGLE] for start in range(max(1, len(plain) - SHINGLE + 1))}


def jaccard(text: str, other: str) -> float:
    """Return the share of the shingles of either text that both have."""
    first, second = shingles(text), shingles(other)
    return len(first & second) / len(first | second)


def signatures(texts: Sequence[str], orders: int = 128, seed: int = 0) -> np.ndarray:
    """Return, for each text, its first shingle in each of so many random orders, (texts, orders).

    The order is that of (a x + b) mod p, with a and b drawn for each order and x a hash of the shingle.
    """
    generator = np.random.default_rng(seed)
    a = generator.integers(1, PRIME, orders, dtype=np.int64)
    b = generator.integers(0, PRIME, orders, dtype=np.int64)
    rows = np.empty((len(texts), orders), dtype=np.int64)
    for index, text in enumerate(texts):
        # Below 2^31, so that the products fit into 64 bits.
        hashes = np.array([zlib.crc32(shingle.encode()) % PRIME for shingle in shingles(text)], dtype=np.int64)
        rows[index] = ((hashes[:, None] * a + b) % PRIME).min(axis=0)
    return rows


def nearest(queries: Sequence[str], corpus: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each query, the estimated similarity to its most similar text of the corpus, and which one it is."""
    known, similarities, closest = signatures(corpus), [], []
    for row in signatures(queries):
        agreeing = (known == row).mean(axis=1)
        closest.append(agreeing.argmax())
        similarities.append(agreeing.max())
    return np.array(similarities), np.array(closest)
