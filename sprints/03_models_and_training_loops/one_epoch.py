"""What happens in one epoch? Ten examples in batches of four, and four more to validate.

    uv run sprints/03_models_and_training_loops/one_epoch.py
    uv run sprints/03_models_and_training_loops/one_epoch.py --batch-size 3

Nothing is trained here: the script only deals out the examples as a training loop does, and draws who sees what in
which mode. Theory: notes/07_training_and_evaluation.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run
from shared.lab.runtime import seed_everything

Few = Annotated[int, Field(ge=1, le=12)]  # as many as fit into the drawing


@dataclass(frozen=True)
class Config(ScriptConfig):
    examples: Few = 10  # examples to train on
    validation: Few = 4  # examples to validate on
    batch_size: Few = 4  # examples of a batch


@dataclass(frozen=True)
class Results:
    batches: list[list[int]]
    validation_batches: list[list[int]]


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    order = 1 + torch.randperm(config.examples, generator=generator)
    batches = [batch.tolist() for batch in order.split(config.batch_size)]
    # Nothing is learnt from these, so that their order does not matter.
    validation = 1 + config.examples + torch.arange(config.validation)
    validation_batches = [batch.tolist() for batch in validation.split(config.batch_size)]
    for number, batch in enumerate(batches, start=1):
        print(f"step {number}: examples {batch}")
    for batch in validation_batches:
        print(f"evaluation: examples {batch}")
    return Results(batches, validation_batches)


def plot(results: Results) -> Figure:
    """Draw the batches from left to right, first those of training, then those of the evaluation."""
    size, gap = 0.4, 0.5
    phases = (
        ("model.train()", results.batches, drawings.QUERY, "5 lines"),
        ("model.eval(), no_grad", results.validation_batches, drawings.VALUE, "predict, loss"),
    )
    width = sum(max(len(batch) * size, 1.1) + gap for _, batches, _, _ in phases for batch in batches) + 0.9
    figure, axes = drawings.canvas(max(width, 6.0), 2.35)
    x = 0.3
    for title, batches, colour, what in phases:
        left = x
        for index, batch in enumerate(batches):
            span = max(len(batch) * size, 1.1)
            drawings.cells(axes, [batch], x + (span - len(batch) * size) / 2, 1.6, size=size, colour=colour)
            drawings.box(axes, what, x + (span - 1.1) / 2, 0.6, 1.1, 0.38, colour)
            drawings.arrow(axes, (x + span / 2, 1.16), (x + span / 2, 1.0))
            if index < len(batches) - 1:
                drawings.arrow(axes, (x + (span + 1.1) / 2 + 0.04, 0.79), (x + span + gap + 0.0, 0.79))
            x += span + gap
        drawings.text(axes, title, (left + x - gap) / 2, 2.05, bold=True)
        under = "the weights change after each batch" if what == "5 lines" else "nothing changes"
        drawings.text(axes, under, (left + x - gap) / 2, 0.3)
        x += 0.35
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
