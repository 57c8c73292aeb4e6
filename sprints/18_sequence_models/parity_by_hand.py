"""How does a state keep the parity of a text, and why must its decay be negative? All numbers by hand.

    uv run sprints/18_sequence_models/parity_by_hand.py
    uv run sprints/18_sequence_models/parity_by_hand.py --bits 1 1 1 0 1 --decay 0.75

A switch, a counter, and a state that fades read the same bits. Then thousands of rounded recurrences read ones and
nothing else: which of them still change after a long time? Theory: notes/11_parity.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from sequences.counter import Counter
from sequences.groups import make_group
from sequences.tasks import Moves, accuracy_by_length, draw_rows
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import Fraction, PositiveInt
from shared.lab.run import run
from shared.nn.linear_recurrence import recur

MOST = 12  # bits that fit into the drawing
FAR = (200, 256)  # bits of the rows that the counter reads far behind its last bend


@dataclass(frozen=True)
class Config(ScriptConfig):
    bits: tuple[int, ...] = (1, 0, 1, 1, 0, 1)  # what is read, zeros and ones
    decay: Fraction = 0.5  # of the state that fades
    ones: PositiveInt = 8  # ones that it reads, each number rounded to an eighth
    counts_to: PositiveInt = 40  # ones up to which a counter's readout has bends
    places: PositiveInt = 33  # values that a number can have in the search: -2 to 2 in equal steps
    tries: PositiveInt = 2000  # recurrences of each kind that are searched

    def check(self) -> None:
        if not 1 <= len(self.bits) <= MOST or set(self.bits) - {0, 1}:
            raise ValueError(f"give from 1 to {MOST} --bits, each 0 or 1; got {list(self.bits)}")


@dataclass(frozen=True)
class Results:
    bits: list[int]
    switch_decays: list[float]
    switch: list[float]
    counter: list[float]
    fading: list[float]
    counter_up_to_its_bends: float
    counter_far: float
    float16_counter_stops_at: int
    tried: int
    longest_cycle: dict[str, int]


def read(decays: list[float], inputs: list[float]) -> list[float]:
    """Return the states of h = decay h + input, from 0."""
    states, _ = recur(torch.tensor(decays).view(1, -1, 1), torch.tensor(inputs).view(1, -1, 1))
    return states.flatten().tolist()


def counts_to() -> int:
    """Return where a counter in float16 stops: the first number that is still the same after 1 is added."""
    count = torch.zeros((), dtype=torch.float16)
    while count + 1 != count:
        count = count + 1
    return int(count)


def cycles(decay: Tensor, added: Tensor, start: Tensor, places: int) -> int:
    """Return how many different states the recurrence of constant inputs still goes through after a long time.

    Args:
        decay: (tries,), what the state is multiplied by.
        added: (tries,), what is added.
        start: (tries,), the state in front.
        places: values that a number can have; more tokens than that are read before cycles are looked for.
    """

    def step(state: Tensor) -> Tensor:
        scale = (places - 1) / 4
        return ((decay * state + added).clamp(-2, 2) * scale).round() / scale

    state = start
    for _ in range(2 * places):
        state = step(state)
    seen = [state]
    for _ in range(places):
        seen.append(step(seen[-1]))
    returned = torch.stack([later == state for later in seen[1:]])  # (places, tries): each has returned at least once
    return int(returned.int().argmax(dim=0).max()) + 1


def main(config: Config) -> Results:
    bits = [float(bit) for bit in config.bits]
    decays = [1 - 2 * bit for bit in bits]
    switch, counter = read(decays, bits), read([1.0] * len(bits), bits)
    print("bits   ", *config.bits)
    print("switch ", *(f"{state:g}" for state in switch), " (decay -1 at a one, 1 at a zero)")
    print("counter", *(f"{state:g}" for state in counter), " (decay 1)")
    fading, state = [], 0.0
    for _ in range(config.ones):
        state = round((config.decay * state + 1) * 8) / 8
        fading.append(state)
    print(f"ones alone, decay {config.decay}, rounded to eighths:", *(f"{state:g}" for state in fading))
    generator = torch.Generator().manual_seed(config.seed)
    rows = draw_rows(Moves(make_group("Z2").table, torch.arange(2)), 2000, FAR[1], generator)
    accuracy = accuracy_by_length(Counter(config.counts_to), rows)
    near, far = accuracy[: config.counts_to].mean().item(), accuracy[FAR[0] - 1 :].mean().item()
    print(f"a counter with bends to {config.counts_to}: {near:.1%} up to there, {far:.1%} of {FAR[0]} to {FAR[1]} bits")
    share, added, start = torch.rand(3, config.tries, generator=generator)
    given = (4 * added - 2, 4 * start - 2, config.places)
    longest = {"[0, 1]": cycles(share, *given), "[−1, 0]": cycles(-share, *given)}
    stops = counts_to()
    print(f"float16 counts to {stops:,}; longest cycles {longest}, of {config.tries} recurrences each")
    return Results(
        list(config.bits), decays, switch, counter, fading, near, far, stops, config.tries, longest
    )  # fmt: skip


def plot(results: Results) -> Figure:
    """Draw bits, decays and the states of switch and counter as cells from left to right."""
    count = len(results.bits)
    figure, axes = drawings.canvas(2.5 + 0.7 * count, 3.1)
    rows = (
        ("bit (also what is added)", results.bits, drawings.KEY),
        ("decay", results.switch_decays, drawings.QUERY),
        ("switch: the parity", results.switch, drawings.MIXED),
        ("counter: decay 1", results.counter, drawings.VALUE),
    )
    for place, (name, numbers, colour) in enumerate(rows):
        top = 2.7 - 0.66 * place
        for index, number in enumerate(numbers):
            shown = f"{number:g}".replace("-", "−")
            drawings.cells(axes, [[shown]], 2.3 + 0.7 * index, top, colour=colour, size=0.52)
        drawings.text(axes, name, 2.15, top - 0.26, align="right")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
