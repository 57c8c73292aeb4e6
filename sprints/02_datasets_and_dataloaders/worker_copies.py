"""Which random number does each item get, if two workers hold copies of one generator? And with the two cures?

    uv run sprints/02_datasets_and_dataloaders/worker_copies.py

No processes are started: the batches are dealt to two workers as a loader does it, and each worker has the generator
that it would have. `worker_randomness.py` asks real workers. Theory: notes/11_random_numbers_in_workers.md
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.run import run

BATCHES, BATCH_SIZE, WORKERS, EPOCHS = 3, 2, 2, 2


@dataclass(frozen=True)
class Config(ScriptConfig):
    pass


@dataclass(frozen=True)
class Results:
    numbers: dict[str, list[list[float]]]


def epoch_of(generator_of: Callable[[int], np.random.Generator]) -> list[float]:
    """Return a number for each item of an epoch; worker k mod 2 draws for batch k, from its own generator."""
    generators = [generator_of(worker) for worker in range(WORKERS)]
    return [generators[batch % WORKERS].random() for batch in range(BATCHES) for _ in range(BATCH_SIZE)]


def main(config: Config) -> Results:
    base_seeds = torch.randint(2**31, (EPOCHS,), generator=torch.Generator().manual_seed(config.seed)).tolist()
    numbers = {
        "a generator in the data set": [
            # Each worker of each epoch gets a new copy, with the state that it had in the beginning.
            epoch_of(lambda _: np.random.default_rng(config.seed))
            for _ in range(EPOCHS)
        ],
        "seeded in each worker": [
            epoch_of(lambda worker, base=base: np.random.default_rng(base + worker)) for base in base_seeds
        ],
        "by seed, epoch and index": [
            [np.random.default_rng((config.seed, epoch, index)).random() for index in range(BATCHES * BATCH_SIZE)]
            for epoch in range(EPOCHS)
        ],
    }
    for name, epochs in numbers.items():
        print(f"{name:<28}", *(" ".join(f"{number:.3f}" for number in epoch) for epoch in epochs), sep=" | ")
    return Results(numbers)


def plot(results: Results) -> Figure:
    """Draw a row of numbers for each way and epoch; numbers that occur more than once share a colour."""
    size, left, gap = 0.6, 2.3, 0.5
    items = BATCHES * BATCH_SIZE
    figure, axes = drawings.canvas(left + EPOCHS * (items * size + gap), 1.0 + len(results.numbers) * (size + 0.3))
    top = 0.35 + len(results.numbers) * (size + 0.3)
    for epoch in range(EPOCHS):
        x = left + epoch * (items * size + gap)
        drawings.text(axes, f"epoch {epoch + 1}", x + items * size / 2, top + 0.5, bold=True)
        for batch in range(BATCHES):
            middle = x + (batch + 0.5) * BATCH_SIZE * size
            drawings.text(axes, f"worker {batch % WORKERS}", middle, top + 0.22)
    for row, (name, epochs) in enumerate(results.numbers.items()):
        y = top - row * (size + 0.3)
        drawings.text(axes, name, left - 0.12, y - size / 2, align="right")
        everything = [number for epoch in epochs for number in epoch]
        repeated = sorted({number for number in everything if everything.count(number) > 1}, key=everything.index)
        colours = dict(zip(repeated, (COLOURS[1], COLOURS[3], COLOURS[4], COLOURS[5]), strict=False))
        for epoch, numbers in enumerate(epochs):
            for index, number in enumerate(numbers):
                x = left + epoch * (items * size + gap) + index * size
                colour = colours.get(number, drawings.TOKEN)
                strength = [[0.6 if number in colours else 0.12]]
                drawings.cells(axes, [[f"{number:.4f}"]], x, y, size=size, colour=colour, strengths=strength)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
