"""What is shared counts once for each process, as resident sets count it."""

from collections.abc import Sequence


def copied(addresses: Sequence[int], chosen: Sequence[int], page: int = 4096) -> int:
    return len({addresses[number] // page for number in chosen})


def expected_share(fraction: float, to_a_page: Sequence[int]) -> float:
    return sum(1 - (1 - fraction) ** count for count in to_a_page) / len(to_a_page)


def together(data: float, workers: int, share: float) -> float:
    return data * (1 + workers)
