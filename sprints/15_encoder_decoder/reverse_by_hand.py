"""How can attention reverse a word? Cross-attention with weights set by hand, every number of it.

    uv run sprints/15_encoder_decoder/reverse_by_hand.py
    uv run sprints/15_encoder_decoder/reverse_by_hand.py --word soup --strength 2

Each answer asks for the place of the source that it needs; keys say their place, values their letter. Nothing is
trained. Theory: notes/01_the_encoder_decoder.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import NonNegativeFloat
from shared.lab.run import run
from shared.nn.attention import attend


@dataclass(frozen=True)
class Config(ScriptConfig):
    word: str = "cab"  # what is to be reversed
    strength: NonNegativeFloat = 8.0  # length of the queries

    def check(self) -> None:
        if not 1 <= len(self.word) <= 8 or "." in self.word:
            raise ValueError(f"--word must have 1 to 8 letters and no dot, which ends it; got {self.word!r}")


@dataclass(frozen=True)
class Results:
    source: str
    letters: str
    query: list[list[float]]
    weights: list[list[float]]
    mixed: list[list[float]]
    answer: str


def main(config: Config) -> Results:
    source = config.word + "."
    letters = "".join(sorted(set(config.word))) + "."
    places = len(source)
    key = torch.eye(places)  # (source, head_dim): each key says its place
    value = torch.eye(len(letters))[[letters.index(letter) for letter in source]]  # (source, letters)
    asked = [*range(places - 2, -1, -1), places - 1]  # the last letter first, the end at the end
    query = config.strength * torch.eye(places)[asked]  # (answers, head_dim)
    mixed, weights = attend(query[None, None], key[None, None], value[None, None])
    answer = "".join(letters[index] for index in mixed[0, 0].argmax(dim=-1))
    for letter, row in zip(answer, weights[0, 0].tolist(), strict=True):
        print(f"{letter} looks at {source} with the weights", *(f"{weight:.3f}" for weight in row))
    return Results(source, letters, query.tolist(), weights[0, 0].tolist(), mixed[0, 0].tolist(), answer)


def plot(results: Results) -> Figure:
    """Draw queries, keys, weights, values and what is mixed of them, from left to right."""
    places, letters, size = len(results.source), len(results.letters), 0.44
    figure, axes = drawings.canvas(4.4 + size * (2 * places + letters), 1.3 + size * places)
    y = 0.35 + size * places

    def whole(rows: list[list[float]]) -> list[list[str]]:
        return [
            [f"{number:.2f}".replace("0.", ".") if 0 < number < 1 else f"{number:g}" for number in row] for row in rows
        ]

    answers = [f"answer {index + 1}" for index in range(places)]
    x = 0.85
    drawings.cells(
        axes, whole(results.query), x, y, colour=drawings.QUERY, size=size, row_names=answers, title="queries",
        column_names=[str(index + 1) for index in range(places)],
    )  # fmt: skip
    x += size * places + 1.35
    drawings.arrow(axes, (x - 1.25, y - size * places / 2), (x - 0.12, y - size * places / 2), "keys: place")
    drawings.cells(
        axes, whole(results.weights), x, y, colour=drawings.KEY, size=size, column_names=list(results.source),
        strengths=[[0.1 + 0.6 * weight for weight in row] for row in results.weights], title="weights",
    )  # fmt: skip
    x += size * places + 1.35
    drawings.arrow(axes, (x - 1.25, y - size * places / 2), (x - 0.12, y - size * places / 2), "values: letter")
    drawings.cells(
        axes, whole(results.mixed), x, y, colour=drawings.MIXED, size=size, column_names=list(results.letters),
        strengths=[[0.1 + 0.5 * share for share in row] for row in results.mixed], title="mixed",
    )  # fmt: skip
    x += size * letters + 0.25
    drawings.cells(axes, [[letter] for letter in results.answer], x, y, colour=drawings.VALUE, size=size, title="said")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
