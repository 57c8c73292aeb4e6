"""How can a recurrence be computed without waiting? Four tokens, one after the other, by a scan, and in two chunks.

    uv run sprints/18_sequence_models/scan_by_hand.py
    uv run sprints/18_sequence_models/scan_by_hand.py --decays 0.5 -1 0 1 --inputs 8 4 2 6

The recurrence is state = decay * state + input, from a state of 0. Theory: notes/05_three_ways.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run
from shared.nn.linear_recurrence import in_chunks, recur, scan

Piece = tuple[float, float]  # some tokens in a row as one step: what the state is multiplied by, and what is added


@dataclass(frozen=True)
class Config(ScriptConfig):
    decays: tuple[float, float, float, float] = (0.5, 0.5, 0.5, 0.5)  # what the state is multiplied by at each token
    inputs: tuple[float, float, float, float] = (8.0, 4.0, 2.0, 6.0)  # what is added at each token


@dataclass(frozen=True)
class Results:
    decays: list[float]
    inputs: list[float]
    states: list[float]
    rounds: list[list[Piece]]
    chunks_from_zero: list[list[float]]
    chunk_products: list[list[float]]
    largest_difference: float


def join(earlier: Piece, later: Piece) -> Piece:
    """Return two steps as one: b (a h + x) + y = (b a) h + (b x + y)."""
    (a, x), (b, y) = earlier, later
    return b * a, b * x + y


def main(config: Config) -> Results:
    states = [0.0]
    for decay, new in zip(config.decays, config.inputs, strict=True):
        states.append(decay * states[-1] + new)
    print("one after the other:", *states[1:])

    rounds: list[list[Piece]] = [list(zip(config.decays, config.inputs, strict=True))]
    for distance in (1, 2):  # pieces of 1, then of 2 tokens are joined
        last = rounds[-1]
        rounds.append([join(last[i - distance], last[i]) if i >= distance else last[i] for i in range(4)])
        print(f"scan, joined over {distance}:", *(f"({product:g}, {state:g})" for product, state in rounds[-1]))

    from_zero, products = [], []
    for first in (0, 2):  # both chunks at the same time, each as if nothing stood in front of it
        (_, x), (b, y) = rounds[0][first : first + 2]
        from_zero.append([x, b * x + y])
        products.append([rounds[0][first][0], b * rounds[0][first][0]])
    start = from_zero[0][1]  # where the first chunk ends
    corrected = [state + product * start for state, product in zip(from_zero[1], products[1], strict=True)]
    print("in chunks:", *from_zero[0], "and", *from_zero[1], "from zero, corrected to", *corrected)

    decay, inputs = (torch.tensor(row, dtype=torch.float64).reshape(1, 4, 1) for row in (config.decays, config.inputs))
    ways = [recur(decay, inputs)[0], scan(decay, inputs)[0], in_chunks(decay, inputs, chunk=2)[0]]
    expected = torch.tensor(states[1:], dtype=torch.float64)
    by_hand = torch.tensor([[state for _, state in rounds[-1]], from_zero[0] + corrected], dtype=torch.float64)
    ours = torch.cat([torch.cat(ways).squeeze(-1), by_hand])  # (5, tokens)
    difference = (ours - expected).abs().max().item()
    print(f"the largest difference between all of them is {difference:.0e}")
    return Results(
        list(config.decays), list(config.inputs), states[1:], rounds, from_zero, products, difference
    )  # fmt: skip


def plot(results: Results) -> Figure:
    """Draw the rounds of the scan below each other: which pieces are joined, and what comes of them."""
    width, row = 2.1, 1.5
    figure, axes = drawings.canvas(1.9 + 4 * width, 0.4 + 3 * row)
    names = ("the tokens", "round 1: join with\nthe piece 1 back", "round 2: join with\nthe piece 2 back")
    for index, pieces in enumerate(results.rounds):
        top = row * (3 - index) - 0.15
        drawings.text(axes, names[index], 0.85, top - 0.25)
        for token, (product, state) in enumerate(pieces):
            left = 2.0 + width * token
            first = 0 if 2**index > token else token - 2**index + 1
            span = f"tokens {first + 1} to {token + 1}" if first < token else f"token {token + 1}"
            drawings.text(axes, span, left + 0.5, top + 0.15)
            drawings.cells(axes, [[product]], left, top, colour=drawings.KEY)
            drawings.cells(axes, [[state]], left + 0.5, top, colour=drawings.MIXED)
            if index and token >= (distance := 2 ** (index - 1)):
                drawings.arrow(axes, (left + 0.5, top + row - 0.55), (left + 0.5, top + 0.28))
                start = (left + 0.75 - width * distance, top + row - 0.55)
                drawings.arrow(axes, start, (left + 0.02, top + 0.28))
    drawings.text(axes, "orange: product of the decays · purple: state, if 0 stood in front", 1.9 + 2 * width, 0.4)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
