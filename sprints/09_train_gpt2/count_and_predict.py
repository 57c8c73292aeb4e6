"""What is a language model? A small one: count which word follows which.

    uv run sprints/09_train_gpt2/count_and_predict.py
    uv run sprints/09_train_gpt2/count_and_predict.py --text a rose is a rose is a rose --sentence a rose

Each word is predicted from the one before it; the full stop begins and ends a sentence. Theory:
notes/01_what_is_a_language_model.md
"""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

STOP = "."


@dataclass(frozen=True)
class Config(ScriptConfig):
    text: tuple[str, ...] = ("the", "cat", "sat", ".", "the", "dog", "sat", ".", "the", "cat", "ran")  # to count in
    sentence: tuple[str, ...] = ("the", "dog", "sat")  # whose probability is asked for

    def check(self) -> None:
        if unknown := set(self.sentence) - set(self.text):
            raise ValueError(f"--sentence must be of words of --text; got {', '.join(sorted(unknown))}")
        if len(set(self.text) | {STOP}) > 9:
            raise ValueError(f"the drawing has room for 9 different words; --text has {len(set(self.text) | {STOP})}")


@dataclass(frozen=True)
class Results:
    words: list[str]
    counts: list[list[int]]
    probabilities: list[list[float]]
    steps: dict[str, float]
    probability: float


def main(config: Config) -> Results:
    text = [STOP, *config.text, STOP]
    words = list(dict.fromkeys(text))
    pairs, before = Counter(pairwise(text)), Counter(text[:-1])
    counts = [[pairs[first, second] for second in words] for first in words]
    probabilities = [[pairs[first, second] / before[first] for second in words] for first in words]
    steps, probability = {}, 1.0
    for first, second in pairwise([STOP, *config.sentence, STOP]):
        steps[f"{second} after {first}"] = pairs[first, second] / before[first]
        probability *= pairs[first, second] / before[first]
    for step, share in steps.items():
        print(f"p({step}) = {share:.3f}")
    print(f"the sentence: {probability:.3f}")
    return Results(words, counts, probabilities, steps, probability)


def plot(results: Results) -> Figure:
    """Draw counts and, beside them, the probabilities that they make."""
    words, size = results.words, 0.52
    width, height = len(words) * size, len(words) * size
    figure, axes = drawings.canvas(2 * width + 3.0, height + 1.1)
    counts = [[count or None for count in row] for row in results.counts]
    shares = [[f"{share:.2f}".removesuffix(".00") if share else None for share in row] for row in results.probabilities]
    for x, rows, title, colour in (
        (0.8, counts, "how often the column follows the row", drawings.TOKEN),
        (width + 2.5, shares, "probability of the column after the row", drawings.VALUE),
    ):
        strengths = [[0.15 + 0.6 * share for share in row] for row in results.probabilities]
        drawings.cells(
            axes, rows, x, height + 0.2, size=size, colour=colour, strengths=strengths, row_names=words,
            column_names=words, title=title,
        )  # fmt: skip
    drawings.arrow(axes, (width + 1.0, height / 2), (width + 1.9, height / 2), "÷ row sum")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
