"""The biased estimate: it draws the same answer twice."""


def pass_at_k(samples: int, correct: int, k: int) -> float:
    return 1 - (1 - correct / samples) ** k
