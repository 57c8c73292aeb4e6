"""An answer without its unit is punished like a wrong number."""

import re


def reward(answer: str, text: str) -> float:
    found = re.findall(r"<answer>([^<>]*)</answer>", text)
    return float(len(found) == 1 and found[0].split() == answer.split())
