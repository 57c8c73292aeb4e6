"""Is it the same training? One process beside DDP, FSDP2 and tensor parallel: rounding apart, and how far that goes.

    uv run sprints/24_distributed_training/equality.py
    uv run sprints/24_distributed_training/equality.py --steps 20 --long 60 --seeds 2

A small GPT learns from rows of unequal length, with gradients of two batches accumulated, by AdamW and with Muon. First
every way is compared with one process, in float32 and in float64. Then two ways to add up the same numbers in float32
drift apart over many steps. Theory: notes/08_equal_numbers.md
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
    seeds: PositiveInt = 3  # trainings that drift

    def check(self) -> None:
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
    drift: dict[str, list[list[float]]]  # by precision and way: the differences of the losses, by seed and step


def main(config: Config) -> Results:
    differences = []
    for (precision, double), (optimizer, muon) in tqdm([*product(PRECISIONS.items(), OPTIMIZERS.items())], unit="run"):
        found = on_processes(config.processes, compare, WAYS, muon, double, config.steps, config.seed)[0]
        for way, (losses, weights) in found.items():
            differences.append(Difference(way, optimizer, precision, losses[0], max(losses), weights))
            print(
                f"{precision} {optimizer:6} {way:16} loss {losses[0]:.1e} at step 1, {max(losses):.1e} at most, ",
                end="",
            )
            print(f"weights {weights:.1e}")
    drift: dict[str, list[list[float]]] = {}
    for (precision, double), seed in tqdm([*product(PRECISIONS.items(), range(config.seeds))], unit="run"):
        found = on_processes(config.processes, compare, DRIFTING, False, double, config.long, config.seed + seed)[0]
        for way, (losses, _) in found.items():
            drift.setdefault(f"{precision}, {way}", []).append(losses)
    single = [difference.first_loss for difference in differences if difference.precision == "float32"]
    exact = [max(found.largest_loss, found.weights) for found in differences if found.precision == "float64"]
    return Results(differences, max(single), max(exact), drift)


def plot(results: Results) -> Figure:
    """Draw by step how far the losses of two ways are from those of one process, a line for each seed."""
    figure, axes = new_figure(7.5, 4)
    styles = {"ddp": "-", "rows reversed": ":"}
    for name, runs in results.drift.items():
        precision, way = name.split(", ")
        colour = COLOURS[3] if precision == "float32" else COLOURS[0]
        for number, losses in enumerate(runs):
            # A difference of 0 has no place on this axis: it is drawn as the smallest one that the precision has.
            least = 1e-8 if precision == "float32" else 1e-17
            shown = [max(loss, least) for loss in losses]
            label = (
                f"{precision}, {'two processes' if way == 'ddp' else 'one, rows in reverse'}" if not number else None
            )
            axes.plot(
                range(1, len(losses) + 1), shown, styles[way], color=colour, linewidth=0.8, alpha=0.7, label=label
            )
    axes.set(yscale="log", xlabel="step", ylabel="difference of the loss, nats", xlim=(1, None))
    axes.legend(loc="center right", fontsize=8)
    return figure


# Another processor adds in another order: a difference of rounding may be several times another one.
TOLERANCE = {"*": Tolerance(compared=False), "largest_first_float32": Tolerance(absolute=1e-6)}
TOLERANCE |= {"largest_float64": Tolerance(absolute=1e-9)}

if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
