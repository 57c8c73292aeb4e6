"""What does a model without a cache compute again for every new word?

    uv run sprints/06_multi_head_attention/what_is_computed_again.py
    uv run sprints/06_multi_head_attention/what_is_computed_again.py --words we all live in a yellow submarine

Counts the keys, values and scores of one head while a text grows by a word at a time, with and without the cache.
Theory: notes/10_the_key_value_cache.md
"""

from dataclasses import dataclass

from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    words: tuple[str, ...] = ("the", "cat", "sat", "down")  # the text
    given: PositiveInt = 1  # words that are there already

    def check(self) -> None:
        if self.given >= len(self.words):
            raise ValueError(f"--given must be less than the number of words, {len(self.words)}; got {self.given}")


@dataclass(frozen=True)
class Results:
    words: list[str]
    # For each text on the way, scores by query and key: "new", "again" (computed before, the same) or "hidden".
    scores: list[list[list[str]]]
    scores_without: int
    scores_with: int
    keys_without: int
    keys_with: int


def main(config: Config) -> Results:
    lengths = range(config.given, len(config.words) + 1)
    scores = [[[_kind(query, key, length) for key in range(length)] for query in range(length)] for length in lengths]
    visible = [sum(cell != "hidden" for row in text for cell in row) for text in scores]
    results = Results(
        words=list(config.words),
        scores=scores,
        scores_without=sum(visible),
        scores_with=visible[0] + sum(lengths[1:]),
        keys_without=sum(lengths),
        keys_with=lengths[-1],
    )
    print(f"scores: {results.scores_without} without, {results.scores_with} with the cache")
    print(f"keys, and as many values: {results.keys_without} without, {results.keys_with} with the cache")
    return results


def _kind(query: int, key: int, length: int) -> str:
    if key > query:
        return "hidden"
    return "new" if query == length - 1 else "again"


def plot(results: Results) -> Figure:
    """Draw the scores of each text on the way: the last row is new, the others were there before."""
    size, gap = 0.42, 0.95
    widths = [len(text) * size + gap for text in results.scores]
    figure, axes = drawings.canvas(sum(widths) + 0.3, max(len(text) for text in results.scores) * size + 1.3)
    x, y = 0.75, figure.get_figheight() - 0.75
    for text in results.scores:
        words = results.words[: len(text)]
        strengths = [[0.75 if cell == "new" else 0.2 for cell in row] for row in text]
        rows = [[None if cell == "hidden" else "" for cell in row] for row in text]
        drawings.cells(
            axes, rows, x, y, size=size, strengths=strengths, colour=drawings.QUERY, row_names=words,
            column_names=words, title="keys" if len(text) > 1 else "",
        )  # fmt: skip
        x += len(text) * size + gap
    for left, strength, words in ((0.3, 0.75, "new: one row of scores"), (4.2, 0.2, "computed before, and the same")):
        drawings.cells(axes, [[""]], left, 0.4, size=0.25, strengths=[[strength]], colour=drawings.QUERY)
        drawings.text(axes, words, left + 0.4, 0.27, align="left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
