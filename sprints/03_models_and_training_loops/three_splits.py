"""Which examples may decide what? Twenty examples in three splits, and the same in four folds.

    uv run sprints/03_models_and_training_loops/three_splits.py

Theory: notes/08_train_validation_test.md
"""

from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure
from pydantic import Field

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

TRAIN, VALIDATION, TEST = "train", "validation", "test"


@dataclass(frozen=True)
class Config(ScriptConfig):
    examples: Annotated[int, Field(ge=5, le=24)] = 20  # examples, as many as fit into the drawing
    folds: Annotated[int, Field(ge=2, le=5)] = 4  # parts of what is not tested on; each validates once

    def check(self) -> None:
        if self.examples * 4 // 5 < self.folds:
            raise ValueError(
                f"each fold needs an example; got --examples {self.examples} and --folds {self.folds}: give fewer folds"
            )


@dataclass(frozen=True)
class Results:
    splits: list[str]
    folds: list[list[str]]


def main(config: Config) -> Results:
    tested = config.examples // 5
    known = config.examples - tested
    validated = known // config.folds
    splits = [TRAIN] * (known - validated) + [VALIDATION] * validated + [TEST] * tested
    folds = []
    for fold in range(config.folds):
        inside = [index * config.folds // known == fold for index in range(known)]
        folds.append([VALIDATION if chosen else TRAIN for chosen in inside] + [TEST] * tested)
    for row in (splits, *folds):
        print(" ".join(name[:2] for name in row))
    return Results(splits, folds)


def plot(results: Results) -> Figure:
    """Draw the examples as cells in the colour of what they may decide."""
    size, left = 0.38, 1.15
    colours = {TRAIN: drawings.QUERY, VALIDATION: drawings.KEY, TEST: drawings.VALUE}
    decides = {TRAIN: "fits the weights", VALIDATION: "chooses everything else", TEST: "answers once"}
    figure, axes = drawings.canvas(left + len(results.splits) * size + 0.6, 1.75 + 0.44 * len(results.folds))
    y = figure.get_figheight() - 0.75
    rows = [("three splits", results.splits, y)]
    rows += [(f"fold {index + 1}", row, y - 0.75 - 0.44 * index) for index, row in enumerate(results.folds)]
    for name, row, top in rows:
        for index, split in enumerate(row):
            # What stays closed in cross-validation is drawn faintly.
            strength = 0.2 if split == TEST and name != "three splits" else 0.55
            label = index + 1 if name == "three splits" else ""
            drawings.cells(axes, [[label]], left + index * size, top, size=size, colour=colours[split],
                           strengths=[[strength]])  # fmt: skip
        drawings.text(axes, name, left - 0.1, top - size / 2, align="right")
    for split, words in decides.items():
        places = [index for index, name in enumerate(results.splits) if name == split]
        middle = left + (places[0] + places[-1] + 1) / 2 * size
        drawings.text(axes, split, middle, y + 0.4, bold=True)
        drawings.text(axes, words, middle, y + 0.16)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
