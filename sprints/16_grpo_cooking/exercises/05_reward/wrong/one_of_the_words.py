"""The tags may hold a list of numbers."""

import re


def reward(answer: str, text: str) -> float:
    found = re.findall(r"<answer>([^<>]*)</answer>", text)
    return float(len(found) == 1 and answer.split()[0] in found[0].split())
