"""Later answers win ties."""

from collections import Counter
from collections.abc import Sequence


def majority(answers: Sequence[str | None]) -> str:
    votes = Counter(answer for answer in answers[::-1] if answer is not None)
    return votes.most_common(1)[0][0] if votes else ""
