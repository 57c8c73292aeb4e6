"""Does the α-β model predict what others have measured? Four published efficiencies beside its two predictions.

    uv run sprints/24_distributed_training/published_figures.py
    uv run sprints/24_distributed_training/published_figures.py --share-of-network 0.7

The model knows latency, bandwidth and the size of gradients. Theory: notes/12_how_fast.md
"""

from dataclasses import dataclass

from matplotlib.figure import Figure

from parallel_study.published import PUBLISHED, predict
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveFraction
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    share_of_network: PositiveFraction = 1.0  # part of the network's bandwidth that is really used


@dataclass(frozen=True)
class Row:
    """Efficiencies, published and predicted, and the seconds of a step and of its communication."""

    source: str
    gpus: int
    published: float
    at_the_end: float
    overlapped: float
    step: float
    communication: float
    not_hidden: float  # part of the communication that explains the published efficiency, if nothing else does


@dataclass(frozen=True)
class Results:
    figures: dict[str, Row]
    between: int  # published efficiencies that lie between both predictions


def main(config: Config) -> Results:
    figures = {}
    for name, found in PUBLISHED.items():
        said = predict(found, config.share_of_network)
        lost = found.step * (1 / found.efficiency - 1)
        figures[name] = Row(found.source, found.gpus, found.efficiency, said.at_the_end, said.overlapped, found.step,
                            said.communication, lost / said.communication)  # fmt: skip
        print(f"{name}, {found.gpus} copies: {said.at_the_end:.0%} to {said.overlapped:.0%}, "
              f"published {found.efficiency:.0%}; {lost / said.communication:.0%} not hidden")  # fmt: skip
    between = sum(row.at_the_end <= row.published <= row.overlapped for row in figures.values())
    return Results(figures, between)


def plot(results: Results) -> Figure:
    """Draw, for each published efficiency, the interval between sending at the end and sending at once."""
    figure, axes = new_figure(7.0, 2.9)
    for y, row in enumerate(reversed(results.figures.values())):
        axes.plot([row.at_the_end, row.overlapped], [y, y], color=COLOURS[5], linewidth=7, solid_capstyle="butt")
        axes.plot([row.published], [y], "o", color=COLOURS[3])
        axes.annotate(f"{row.published:.0%}", (row.published, y), xytext=(0, 8), textcoords="offset points",
                      ha="center", fontsize=8, color=COLOURS[3])  # fmt: skip
    names = [f"{name}\n{row.gpus} copies" for name, row in reversed(results.figures.items())]
    axes.set_yticks(range(len(names)), names)
    top = len(names) - 1
    first = next(iter(results.figures.values()))
    for x, words, align in ((first.at_the_end, "sent at the end", "right"), (first.overlapped, "overlapped", "right")):
        axes.annotate(words, (x, top), xytext=(0, -14), textcoords="offset points", ha=align, fontsize=8,
                      color=COLOURS[0])  # fmt: skip
    axes.set(xlabel="efficiency (dots: published; bars: the model)", xlim=(0.4, 1.04), ylim=(-0.6, top + 0.6))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
