"""The share of the objects is taken for that of the pages."""

from collections.abc import Sequence


def copied(addresses: Sequence[int], chosen: Sequence[int], page: int = 4096) -> int:
    return len({addresses[number] // page for number in chosen})


def expected_share(fraction: float, to_a_page: Sequence[int]) -> float:
    return fraction


def together(data: float, workers: int, share: float) -> float:
    return data * (1 + workers * share)
