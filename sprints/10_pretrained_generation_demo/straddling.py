"""What can follow the first letters of a word, and with which probability? A grammar of four dishes.

    uv run sprints/10_pretrained_generation_demo/straddling.py
    uv run sprints/10_pretrained_generation_demo/straddling.py --text "roasted r"

The text may end in the middle of something that the grammar chose as a whole: then several choices fit, and each has to
be tried with all that may come behind it. Theory: notes/04_the_exact_distribution.md
"""

from dataclasses import dataclass

from matplotlib.figure import Figure

from decoding_demo.exact_next_token import continuations
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run
from shared.text.grammar import Choice, Pen

HOW = Choice(("roasted ", "raw ", "sliced "), (0.5, 0.3, 0.2))
WHAT = (Choice(("roots", "rice"), (0.6, 0.4)), Choice(("roots",)), Choice(("figs",)))


@dataclass(frozen=True)
class Config(ScriptConfig):
    text: str = "r"  # how a dish begins

    def check(self) -> None:
        continuations(dish, self.text, lambda _: False)  # says where no dish goes on like this


@dataclass(frozen=True)
class Results:
    """All dishes with their probability, and those that begin with the text with theirs, given the text."""

    text: str
    dishes: dict[str, float]
    after: dict[str, float]
    next_letter: dict[str, float]


def dish(pen: Pen) -> None:
    """Write how something is done, then what."""
    pen.choose(WHAT[pen.choose(HOW, "how")], "what")


def main(config: Config) -> Results:
    dishes = continuations(dish, "", lambda _: False)
    rest = continuations(dish, config.text, lambda _: False)
    letters: dict[str, float] = {}
    for words, probability in rest.items():
        letters[words[:1]] = letters.get(words[:1], 0.0) + probability
    for words, probability in dishes.items():
        after = rest.get(words.removeprefix(config.text), 0.0) if words.startswith(config.text) else 0.0
        print(f"{words:<14} {probability:.3f}   after {config.text!r}: {after:.3f}")
    print("next letter:", ", ".join(f"{letter!r} {probability:.3f}" for letter, probability in letters.items()))
    return Results(config.text, dishes, {config.text + words: p for words, p in rest.items()}, letters)


def plot(results: Results) -> Figure:
    """Draw all dishes; what begins with the text is coloured, and its probability divided by the sum of these."""
    figure, axes = drawings.canvas(8.2, 2.9)
    drawings.text(axes, f"a dish that begins with “{results.text}”", 1.6, 2.6, bold=True)
    for x, words in ((4.1, "p(dish)"), (6.0, f"p(dish | “{results.text}”)")):
        drawings.text(axes, words, x, 2.6, bold=True)
    total = sum(p for words, p in results.dishes.items() if words in results.after)
    for index, (words, probability) in enumerate(results.dishes.items()):
        y, fits = 2.15 - 0.5 * index, words in results.after
        drawings.box(axes, words, 0.6, y - 0.19, 2.0, 0.38, drawings.QUERY if fits else drawings.TOKEN)
        drawings.text(axes, f"{probability:.2f}", 4.1, y)
        if fits:
            drawings.arrow(axes, (4.45, y), (5.4, y))
            drawings.text(axes, f"{results.after[words]:.3f}", 6.0, y)
        else:
            drawings.text(axes, "does not fit", 6.0, y)
    drawings.text(axes, f"÷ {total:.2f}", 4.92, 2.3)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
