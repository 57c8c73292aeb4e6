"""The longest run's share."""


def copied_share(runs: list[int], shortest: int) -> float:
    return max([length for length in runs if length >= shortest], default=0) / len(runs)
