"""30 ml is taken for 30 g."""

import re


def reward(answer: str, text: str) -> float:
    found = re.findall(r"<answer>([^<>]*)</answer>", text)
    return float(len(found) == 1 and found[0].split()[:1] == answer.split()[:1])
