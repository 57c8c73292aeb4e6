"""All subsets less those without a right answer, and a count."""

import math
from collections import Counter
from collections.abc import Sequence


def pass_at_k(samples: int, correct: int, k: int) -> float:
    """Return the share of the k-subsets of the answers that hold a right one."""
    return 1 - math.comb(samples - correct, k) / math.comb(samples, k)  # comb(2, 3) is 0


def majority(answers: Sequence[str | None]) -> str:
    """Return the most frequent answer, the first of equals; an empty text where nobody votes."""
    votes = Counter(answer for answer in answers if answer is not None)
    return max(votes, key=votes.__getitem__) if votes else ""  # max takes the first of equals
