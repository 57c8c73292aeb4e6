"""How good can a judge be? All lists of two ingredients, and what a lazy cook makes of them.

    uv run sprints/11_finetune_gpt2_classification/bayes_by_hand.py
    uv run sprints/11_finetune_gpt2_classification/bayes_by_hand.py --lazy 0.2

A list has two cuts, each one of `--choices`, all equally probable. A lazy cook replaces a cut by the plainest with the
probability `--lazy`. Theory: notes/03_the_optimum.md
"""

from dataclasses import dataclass
from math import comb

from matplotlib.figure import Figure

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Fraction
from shared.lab.run import run

CUTS = 2


@dataclass(frozen=True)
class Config(ScriptConfig):
    choices: AtLeastTwo = 3  # ways to cut an ingredient, the plainest among them
    lazy: Fraction = 0.8  # probability that the lazy cook takes the plainest instead


@dataclass(frozen=True)
class Results:
    """By the number of plain cuts in a list, from 0 on."""

    genuine: list[float]
    spoiled: list[float]
    ratios: list[float]
    posteriors: list[float]
    accuracy: float


def main(config: Config) -> Results:
    plain = 1 / config.choices
    genuine, spoiled = (
        [comb(CUTS, count) * p**count * (1 - p) ** (CUTS - count) for count in range(CUTS + 1)]
        for p in (plain, plain + (1 - plain) * config.lazy)
    )
    ratios = [after / before for before, after in zip(genuine, spoiled, strict=True)]
    results = Results(
        genuine,
        spoiled,
        ratios,
        posteriors=[ratio / (1 + ratio) for ratio in ratios],
        accuracy=sum(max(pair) for pair in zip(genuine, spoiled, strict=True)) / 2,
    )
    for count in range(CUTS + 1):
        print(
            f"{count} plain: genuine {genuine[count]:.3f}, spoiled {spoiled[count]:.3f}, ratio {ratios[count]:.2f}, "
            f"P(spoiled | list) {results.posteriors[count]:.3f}"
        )
    print(f"the best judge is right {results.accuracy:.3f} of the time")
    return results


def plot(results: Results) -> Figure:
    """Draw both classes by the number of plain cuts: the taller bar wins, and the shorter one is the error."""
    figure, axes = new_figure(6.4, 3.2)
    counts = range(len(results.genuine))
    for shift, name, shares in ((-0.2, "genuine", results.genuine), (0.2, "spoiled", results.spoiled)):
        bars = axes.bar([count + shift for count in counts], shares, width=0.38, label=name)
        axes.bar_label(bars, [f"{share:.3f}" for share in shares], padding=2)
    for count, posterior in enumerate(results.posteriors):
        axes.text(
            count, -0.2, f"P(spoiled | list) = {posterior:.3f}", ha="center", transform=axes.get_xaxis_transform()
        )
    axes.set(ylabel="share of the lists of a class", xticks=list(counts), ylim=(0, 0.9))
    axes.set_xticklabels([f"{count} of {CUTS} cuts plain" for count in counts])
    axes.legend(loc="upper left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
