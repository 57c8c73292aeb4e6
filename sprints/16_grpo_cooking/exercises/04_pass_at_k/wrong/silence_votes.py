"""A text without an answer has a vote."""

from collections import Counter
from collections.abc import Sequence


def majority(answers: Sequence[str | None]) -> str:
    return Counter(answers).most_common(1)[0][0] or ""
