"""The last pair of tags counts, whatever stood before."""

import re


def reward(answer: str, text: str) -> float:
    found = re.findall(r"<answer>([^<>]*)</answer>", text)
    right = answer.split()
    return float(bool(found) and found[-1].split() in (right, right[:1]))
