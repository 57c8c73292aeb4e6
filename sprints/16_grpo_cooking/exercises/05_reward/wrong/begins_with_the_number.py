"""300 begins with 30."""

import re


def reward(answer: str, text: str) -> float:
    found = re.findall(r"<answer>([^<>]*)</answer>", text)
    return float(len(found) == 1 and found[0].strip().startswith(answer.split()[0]))
