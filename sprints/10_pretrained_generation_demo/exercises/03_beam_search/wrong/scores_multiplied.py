"""Logarithms are multiplied."""

from torch import Tensor


def beam_search(log_probs: Tensor, start: int, steps: int, width: int) -> list[int]:
    beam: list[tuple[float, list[int]]] = [(1.0, [start])]
    for _ in range(steps):
        longer = [
            (score * log_probs[text[-1], token].item(), [*text, token])
            for score, text in beam
            for token in range(len(log_probs))
        ]
        beam = sorted(longer, key=lambda pair: -pair[0])[:width]
    return beam[0][1][1:]
