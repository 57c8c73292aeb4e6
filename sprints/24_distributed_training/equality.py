"""Is it the same training? One process beside DDP, FSDP2 and tensor parallel: rounding apart, and how far that goes.

    uv run sprints/24_distributed_training/equality.py
    uv run sprints/24_distributed_training/equality.py --steps 10 --long 40 --seeds 1

A small GPT learns from rows of unequal length, with gradients of two batches accumulated, by AdamW and with Muon. First
every way is compared with one process, in float32 and in float64. Then two ways to add up the same numbers drift apart
over many steps. Theory: notes/08_equal_numbers.md
"""

from dataclasses import dataclass
from itertools import product

from matplotlib.figure import Figure
from tqdm import tqdm

from parallel_study.equal import WAYS, compare
from parallel_study.processes import on_processes
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run

OPTIMIZERS = {"AdamW": False, "Muon": True}
PRECISIONS = {"float32": False, "float64": True}
DRIFTING = ("ddp", "rows reversed")


@dataclass(frozen=True)
class Config(ScriptConfig):
    processes: AtLeastTwo = 2  # that share the work
    steps: AtLeastTwo = 50  # optimizer steps of the comparison
    long: AtLeastTwo = 200  # optimizer steps in which float32 drifts apart
    every: PositiveInt = 10  # steps from one look at the weights to the next
    seeds: PositiveInt = 3  # trainings that drift

    def check(self) -> None:
        if self.every > self.long:
            raise ValueError(f"--every must be at most --long, {self.long}; got {self.every}")
        if 2 % self.processes:
            raise ValueError(
                f"the model has 2 heads, which tensor parallel shares: --processes 2; got {self.processes}"
            )


@dataclass(frozen=True)
class Difference:
    way: str
    optimizer: str
    precision: str
    first_loss: float  # difference of the losses of step 1
    largest_loss: float  # the largest difference of the losses of any step
    weights: float  # the largest difference of a weight after the last step


@dataclass(frozen=True)
class Results:
    differences: list[Difference]
    largest_first_float32: float
    largest_float64: float  # of losses and weights
    looks: list[int]  # steps after which the weights were compared
    drift: dict[str, list[list[float]]]  # by optimizer, precision and way: norm of the difference, by seed and look


def main(config: Config) -> Results:
    differences = []
    pairs = [*product(PRECISIONS.items(), OPTIMIZERS.items())]
    for (precision, double), (optimizer, muon) in tqdm(pairs, unit="run"):
        options = (WAYS, muon, double, config.steps, config.steps, config.seed)
        for way, (losses, weights, _) in on_processes(config.processes, compare, *options)[0].items():
            found = Difference(way, optimizer, precision, losses[0], max(losses), weights[-1])
            differences.append(found)
            print(f"{precision} {optimizer:6} {way:16} step 1 {found.first_loss:.1e}, ", end="")
            print(f"losses {found.largest_loss:.1e}, weights {found.weights:.1e}")
    drift: dict[str, list[list[float]]] = {}
    for ((precision, double), (optimizer, muon)), seed in tqdm([*product(pairs, range(config.seeds))], unit="run"):
        options = (DRIFTING, muon, double, config.long, config.every, config.seed + seed)
        for way, (_, _, norms) in on_processes(config.processes, compare, *options)[0].items():
            drift.setdefault(f"{optimizer}, {precision}, {way}", []).append(norms)
    single = [found.first_loss for found in differences if found.precision == "float32"]
    exact = [max(found.largest_loss, found.weights) for found in differences if found.precision == "float64"]
    return Results(differences, max(single), max(exact), [*range(config.every, config.long + 1, config.every)], drift)


def plot(results: Results) -> Figure:
    """Draw by step how far the weights of two ways are from those of one process, a line for each seed."""
    figure, axes = new_figure(7.5, 4.2)
    for name, runs in results.drift.items():
        optimizer, precision, way = name.split(", ")
        colour = COLOURS[0] if optimizer == "AdamW" else COLOURS[3]
        for norms in runs:
            axes.plot(results.looks, norms, "-" if way == "ddp" else ":", color=colour, linewidth=1)
        if way == "ddp":
            axes.text(
                results.looks[-1], runs[0][-1], f" {optimizer}, {precision}", color=colour, va="center", fontsize=9
            )
    axes.plot([], [], "k-", linewidth=1, label="two processes")
    axes.plot([], [], "k:", linewidth=1, label="one process, rows in reverse")
    axes.set(yscale="log", xlabel="step", ylabel="norm of the difference of all weights")
    axes.set_xlim(0, 1.3 * results.looks[-1])
    axes.legend(loc="center left", bbox_to_anchor=(0.02, 0.55), fontsize=9)
    return figure


# Another processor adds in another order: a difference of rounding may be several times another one.
TOLERANCE = {
    "*": Tolerance(compared=False), "largest_first_float32": Tolerance(absolute=1e-6),
    "largest_float64": Tolerance(absolute=1e-9),
}  # fmt: skip

if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
