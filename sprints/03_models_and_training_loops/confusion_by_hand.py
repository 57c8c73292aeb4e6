"""What do accuracy, precision and recall count? A hundred images, of which a classifier is to find the eights.

    uv run sprints/03_models_and_training_loops/confusion_by_hand.py
    uv run sprints/03_models_and_training_loops/confusion_by_hand.py --found 0 --missed 10 --wrongly-found 0 --rest 90

Theory: notes/09_metrics.md
"""

import math
from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure
from pydantic import Field

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

Count = Annotated[int, Field(ge=0, le=10_000)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    found: Count = 6  # eights that are called eights
    missed: Count = 4  # eights that are called something else
    wrongly_found: Count = 2  # others that are called eights
    rest: Count = 88  # others that are called others

    def check(self) -> None:
        if not self.found + self.missed + self.wrongly_found + self.rest:
            raise ValueError("of no images there is no share: give at least one of the four counts")


@dataclass(frozen=True)
class Results:
    confusion: list[list[int]]
    accuracy: float
    always_no: float
    precision: float
    recall: float
    f1: float
    standard_error: float


def share(part: int, whole: int) -> float:
    """Return part / whole, and 0 for 0 / 0, as scikit-learn has it."""
    return part / whole if whole else 0.0


def main(config: Config) -> Results:
    true, false_no, false_yes, rest = config.found, config.missed, config.wrongly_found, config.rest
    images = true + false_no + false_yes + rest
    accuracy = share(true + rest, images)
    results = Results(
        confusion=[[true, false_no], [false_yes, rest]],
        accuracy=accuracy,
        always_no=share(false_yes + rest, images),
        precision=share(true, true + false_yes),
        recall=share(true, true + false_no),
        f1=share(2 * true, 2 * true + false_yes + false_no),
        standard_error=math.sqrt(accuracy * (1 - accuracy) / images),
    )
    print(f"accuracy {results.accuracy:.3f} (standard error {results.standard_error:.3f}), ", end="")
    print(f"of always saying no {results.always_no:.3f}")
    print(f"precision {results.precision:.3f}, recall {results.recall:.3f}, F1 {results.f1:.3f}")
    return results


def plot(results: Results) -> Figure:
    """Draw the confusion matrix, its first column, which is precision, and its first row, which is recall."""
    figure, axes = drawings.canvas(9.6, 2.9)
    (found, missed), (wrongly, rest) = results.confusion
    size, top = 0.8, 2.0
    rows, columns = ("is an 8", "is none"), ("called 8", "called none")
    panels = (
        ("accuracy: the diagonal", [[0.6, 0.08], [0.08, 0.6]], drawings.QUERY,
         f"({found} + {rest}) / {found + missed + wrongly + rest} = {results.accuracy:.3g}"),
        ("precision: a column", [[0.6, 0.0], [0.25, 0.0]], drawings.KEY,
         f"{found} / ({found} + {wrongly}) = {results.precision:.3g}"),
        ("recall: a row", [[0.6, 0.25], [0.0, 0.0]], drawings.VALUE,
         f"{found} / ({found} + {missed}) = {results.recall:.3g}"),
    )  # fmt: skip
    for index, (title, strengths, colour, words) in enumerate(panels):
        x = 1.1 + 3.15 * index
        drawings.cells(axes, results.confusion, x, top, size=size, colour=colour, strengths=strengths, title=title,
                       row_names=() if index else rows, column_names=columns)  # fmt: skip
        drawings.text(axes, words, x + size, 0.2)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
