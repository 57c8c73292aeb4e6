"""Why does a worker that only reads a list take more and more memory? Pages that became its own, predicted and counted.

    uv run sprints/23_loader_memory/a_list_that_grows.py
    uv run sprints/23_loader_memory/a_list_that_grows.py --layouts texts --fractions 0.1 0.5

Forked workers read a random fraction of a list that their parent built; which pages became theirs is looked up. Linux
only. Theory: notes/01_a_list_that_grows.md
"""

from dataclasses import dataclass
from typing import Literal

from matplotlib.figure import Figure
from tqdm import tqdm

from memory_study.layouts import Curve, curve_of
from memory_study.memory import check_linux
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveFraction, PositiveInt
from shared.lab.run import run

Name = Literal["numbers", "words", "texts", "pairs", "records"]


@dataclass(frozen=True)
class Config(ScriptConfig):
    layouts: tuple[Name, ...] = ("numbers", "words", "texts", "pairs", "records")  # kinds of items
    megabytes: PositiveInt = 24  # size of each list
    # shares of the items that a worker reads
    fractions: tuple[PositiveFraction, ...] = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)

    def check(self) -> None:
        check_linux()


@dataclass(frozen=True)
class Results:
    fractions: list[float]
    layouts: dict[str, Curve]
    pages_off: float
    bytes_off: float


def off(seen: list[float], expected: list[float]) -> float:
    """Return how far the measured shares are from the predicted ones, at most, as a share of these."""
    return max(abs(one / other - 1) for one, other in zip(seen, expected, strict=True))


def main(config: Config) -> Results:
    check_linux()
    layouts = {}
    for name in tqdm(config.layouts, unit="layout"):
        layouts[name] = found = curve_of(name, config.megabytes, config.fractions, config.seed)
        print(f"{name}: {found.pages:,} pages that reading writes to, {found.items_to_a_page:.1f} items to a page")
        for fraction, predicted, seen, front in zip(
            config.fractions, found.predicted, found.measured, found.in_order, strict=True
        ):
            print(
                f"  read {fraction:6.1%}: predicted {predicted:6.1%}, counted {seen.pages:6.1%}, "
                f"unique set {seen.bytes:6.1%}; from the front {front:6.1%}"
            )
        print(f"  nothing read, garbage collected: {found.collected:.1%}, after a freeze {found.frozen:.1%}")
    curves = layouts.values()
    pages_off = max(off([growth.pages for growth in found.measured], found.predicted) for found in curves)
    bytes_off = max(off([growth.bytes for growth in found.measured], found.predicted) for found in curves)
    print(f"off the prediction by at most: pages {pages_off:.1%}, unique set {bytes_off:.1%}")
    return Results(list(config.fractions), layouts, pages_off, bytes_off)


def plot(results: Results) -> Figure:
    """Draw each layout's predicted curve, and what was measured as points."""
    figure, axes = new_figure(7.4, 4.2)
    for colour, (name, found) in zip(COLOURS, results.layouts.items(), strict=False):
        label = f"{name} ({found.items_to_a_page:.0f} to a page)"
        axes.plot(results.fractions, found.predicted, color=colour, label=label)
        axes.plot(results.fractions, [growth.bytes for growth in found.measured], "o", color=colour)
    axes.plot(results.fractions, results.fractions, ":", color="black", label="read from the front")
    axes.set_xscale("log")
    axes.set(
        xlabel="share of the items that a worker has read, at random", ylabel="share of the pages that are its own"
    )
    axes.set_xticks(results.fractions, [f"{fraction:.1%}".replace(".0%", "%") for fraction in results.fractions])
    axes.minorticks_off()
    axes.legend(title="line: predicted, points: measured", loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": Tolerance(relative=0.1, absolute=0.02)})
