"""What does each of N processes keep, if they share states, gradients and weights? Counted from sizes.

    uv run sprints/24_distributed_training/stages_by_hand.py
    uv run sprints/24_distributed_training/stages_by_hand.py --precision float32 --processes 2 --gigabytes 24

Theory: notes/04_sharing_the_memory.md
"""

from dataclasses import dataclass
from typing import Literal

from matplotlib.figure import Figure

from parallel_study.stages import MODELS, PRECISIONS, SHARED, STAGES, Bytes, fewest_processes, shared
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    precision: Literal["mixed", "float32"] = "mixed"  # "mixed": weights and gradients have two bytes
    processes: PositiveInt = 8  # that share
    gigabytes: PositiveFloat = 80.0  # memory of each one's card


@dataclass(frozen=True)
class Results:
    processes: int
    gigabytes: float
    per_parameter: dict[str, Bytes]  # bytes for each parameter, by stage
    whole: float  # the same without sharing
    parameters: dict[str, int]
    gigabytes_each: dict[str, dict[str, float]]  # of a process, by model and stage
    fewest: dict[str, dict[str, int | None]]  # processes until a share fits, by model and stage
    curves: dict[str, dict[str, float]]  # bytes for each parameter by number of processes, by stage


def main(config: Config) -> Results:
    whole = PRECISIONS[config.precision]
    per_parameter = {str(stage): shared(whole, stage, config.processes) for stage in STAGES}
    each = {
        name: {stage: kept.total * count / 1e9 for stage, kept in per_parameter.items()}
        for name, count in MODELS.items()
    }
    fewest = {
        name: {str(stage): fewest_processes(count, whole, stage, 1e9 * config.gigabytes) for stage in STAGES}
        for name, count in MODELS.items()
    }
    counts = [2**power for power in range(11)]
    curves = {str(stage): {str(n): shared(whole, stage, n).total for n in counts} for stage in STAGES}
    for name, row in each.items():
        print(f"{name:<12}" + "".join(f"{size:10,.1f} GB" for size in row.values()), "fewest:", *fewest[name].values())
    return Results(config.processes, config.gigabytes, per_parameter, whole.total, dict(MODELS), each, fewest, curves)


def plot(results: Results) -> Figure:
    """Draw bytes for each parameter as bars by stage, and by the number of processes."""
    figure, (bars, lines) = new_figure(8.4, 3.6, columns=2)
    parts = {"weight": COLOURS[0], "gradient": COLOURS[1], "states": COLOURS[2]}
    ink = {"weight": "white", "gradient": "black", "states": "white"}
    for place, kept in enumerate(results.per_parameter.values()):
        bottom = 0.0
        for part, colour in parts.items():
            height = vars(kept)[part]
            bars.bar(place, height, bottom=bottom, color=colour, width=0.7)
            if height > 0.8:
                bars.text(
                    place,
                    bottom + height / 2,
                    f"{part} {height:.3g}",
                    ha="center",
                    va="center",
                    fontsize=8,
                    color=ink[part],
                )
            bottom += height
        bars.text(place, bottom + 0.25, f"{kept.total:.3g}", ha="center", fontsize=9, fontweight="bold")
    shown = [f"{stage}: {SHARED[int(stage)]}".replace(", ", ",\n").replace(" and", "\nand") for stage in results.curves]
    bars.set_xticks(range(len(shown)), shown, fontsize=8)
    bars.set(ylabel="bytes for each parameter", title=f"{results.processes} processes")
    bars.grid(visible=False, axis="x")
    for (stage, curve), colour in zip(results.curves.items(), (COLOURS[7], *COLOURS[3:6]), strict=True):
        counts = [int(n) for n in curve]
        lines.loglog(counts, list(curve.values()), color=colour, base=2)
        lines.text(counts[-1] * 1.15, curve[str(counts[-1])], f"stage {stage}", color=colour, va="center")
    lines.set(xlabel="processes (both axes logarithmic)", xlim=(1, 4000), title="by their number")
    lines.set_xticks([1, 8, 64, 1024], ["1", "8", "64", "1024"])
    lines.set_yticks([16, 4, 2, 1, 0.25, 1 / 16], ["16", "4", "2", "1", "1/4", "1/16"])
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
