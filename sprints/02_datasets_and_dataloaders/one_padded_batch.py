"""What does collating rows of different lengths look like, and what does it save to put similar lengths together?

    uv run sprints/02_datasets_and_dataloaders/one_padded_batch.py

Eight short rows are cut into batches of four, as they come and sorted by length. Theory: notes/08_padding.md
"""

from dataclasses import dataclass

from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.text.batches import pad_rows


@dataclass(frozen=True)
class Config(ScriptConfig):
    lengths: tuple[PositiveInt, ...] = (2, 7, 3, 1, 6, 2, 8, 3)  # numbers in each row
    batch_size: PositiveInt = 4  # rows of a batch


@dataclass(frozen=True)
class Padded:
    """The batches, None where a place only fills a row up, and how many places there are and how many are padding."""

    batches: list[list[list[int | None]]]
    places: int
    padding: int


@dataclass(frozen=True)
class Results:
    orders: dict[str, Padded]


def pad(lengths: list[int], batch_size: int) -> Padded:
    """Return rows of these lengths in batches; the numbers of a row say its length."""
    batches: list[list[list[int | None]]] = []
    places = padding = 0
    for start in range(0, len(lengths), batch_size):
        tokens, mask = pad_rows([[length] * length for length in lengths[start : start + batch_size]])
        assert mask is not None
        places, padding = places + mask.numel(), padding + int((~mask).sum())
        rows = zip(tokens.tolist(), mask.tolist(), strict=True)
        batches.append([[token if real else None for token, real in zip(*row, strict=True)] for row in rows])
    return Padded(batches, places, padding)


def main(config: Config) -> Results:
    orders = {
        "as they come": pad(list(config.lengths), config.batch_size),
        "sorted by length": pad(sorted(config.lengths), config.batch_size),
    }
    for name, padded in orders.items():
        print(f"{name}: {padded.padding} of {padded.places} places are padding, {padded.padding / padded.places:.0%}")
    return Results(orders)


def plot(results: Results) -> Figure:
    """Draw the batches: a filled cell is a number, an empty one with a dot is padding."""
    size, gap = 0.32, 0.45
    batches = max(len(padded.batches) for padded in results.orders.values())
    widest = max(len(row) for padded in results.orders.values() for batch in padded.batches for row in batch)
    tallest = max(len(batch) for padded in results.orders.values() for batch in padded.batches)
    width, height = widest * size + gap, tallest * size + 0.75
    figure, axes = drawings.canvas(batches * width + 2.2, len(results.orders) * height)
    for row, (name, padded) in enumerate(results.orders.items()):
        y = (len(results.orders) - row) * height - 0.45
        drawings.text(axes, name.replace(" ", "\n", 1), 0.9, y - tallest * size / 2, bold=True)
        drawings.text(axes, f"{padded.padding} of {padded.places}\nare padding", 0.9, y - tallest * size / 2 - 0.45)
        for number, batch in enumerate(padded.batches):
            shown = [["·" if place is None else place for place in line] for line in batch]
            strengths = [[0.04 if place is None else 0.4 for place in line] for line in batch]
            title = f"batch {number + 1}"
            drawings.cells(
                axes, shown, 1.9 + number * width, y, size=size, strengths=strengths, colour=drawings.QUERY, title=title
            )
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
