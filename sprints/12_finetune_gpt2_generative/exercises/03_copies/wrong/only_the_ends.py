"""Only the last characters of long runs are counted."""


def copied_share(runs: list[int], shortest: int) -> float:
    return sum(length >= shortest for length in runs) / len(runs)
