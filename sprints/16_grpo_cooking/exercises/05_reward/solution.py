"""Find all pairs of tags, insist on one, and compare words with words."""

import re


def reward(answer: str, text: str) -> float:
    """Return 1.0 if a text gives the right answer, otherwise 0.0."""
    found = re.findall(r"<answer>([^<>]*)</answer>", text)
    if len(found) != 1:
        return 0.0
    right = answer.split()  # the number, and its unit if there is one
    return float(found[0].split() in (right, right[:1]))
