"""In which order do the processes of a pipeline work, and how long does each of them have nothing to do?

    uv run sprints/24_distributed_training/schedules_by_hand.py
    uv run sprints/24_distributed_training/schedules_by_hand.py --processes 2 --micro-batches 4

A backward pass takes twice as long as a forward pass, and messages take no time. Theory: notes/07_a_pipeline.md
"""

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from parallel_study.schedules import Done, bubble, most_waiting, orders_of, timed
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.drawings import tint
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run

FORWARD, BACKWARD = COLOURS[0], COLOURS[1]


@dataclass(frozen=True)
class Config(ScriptConfig):
    processes: AtLeastTwo = 4  # of the pipeline
    micro_batches: PositiveInt = 8  # of a batch; interleaved, a multiple of the processes
    chunks: AtLeastTwo = 2  # parts of the model that each process has, if interleaved
    factors: tuple[PositiveInt, ...] = (1, 2, 4, 8)  # micro-batches for each process, of the table

    def check(self) -> None:
        if self.micro_batches % self.processes:
            raise ValueError(
                f"interleaved, micro-batches come in groups of {self.processes} processes: give --micro-batches that "
                f"is a multiple of it; got {self.micro_batches}"
            )


@dataclass(frozen=True)
class Schedule:
    idle: float  # share of the time
    formula: float
    waiting: list[float]  # the most outputs that wait in each process, in micro-batches of its whole part
    steps: list[list[Done]]


@dataclass(frozen=True)
class Results:
    processes: int
    schedules: dict[str, Schedule]
    by_number: dict[str, dict[str, list[float]]]  # by micro-batches: idle share and most waiting of process 0


def simulate(name: str, processes: int, micros: int, chunks: int) -> Schedule:
    """Return what comes of a schedule; a chunk of the model takes its part of the time and of the memory."""
    parts = chunks if name == "interleaved" else 1
    orders = orders_of(name, processes, micros, parts)
    done = timed(orders, forward=1 / parts, backward=2 / parts)
    formula = (processes - 1) / (parts * micros + processes - 1)
    return Schedule(bubble(done), formula, [most_waiting(order) / parts for order in orders], done)


def main(config: Config) -> Results:
    names = ("GPipe", "1F1B", "interleaved")
    found = {name: simulate(name, config.processes, config.micro_batches, config.chunks) for name in names}
    for name, schedule in found.items():
        print(f"{name:<12} idle {schedule.idle:.1%} (formula {schedule.formula:.1%}), waiting {schedule.waiting}")
    by_number: dict[str, dict[str, list[float]]] = {}
    for factor in config.factors:
        micros = factor * config.processes
        row = {name: simulate(name, config.processes, micros, config.chunks) for name in names}
        by_number[str(micros)] = {name: [schedule.idle, schedule.waiting[0]] for name, schedule in row.items()}
    return Results(config.processes, found, by_number)


def draw(axes: Axes, results: Results, name: str, end: float) -> None:
    """Draw what each process does when; the number is that of the micro-batch."""
    schedule = results.schedules[name]
    for rank, own in enumerate(schedule.steps):
        for (kind, micro, part), start, stop in own:
            colour, later = FORWARD if kind == "F" else BACKWARD, part >= results.processes
            face = tint(colour, 0.75 if later else 0.3)
            axes.add_patch(
                Rectangle((start, -rank - 0.9), stop - start, 0.8, facecolor=face, edgecolor="white", lw=0.6)
            )
            if len(own) <= 40:
                ink = "white" if later and kind == "F" else "black"
                axes.text(
                    (start + stop) / 2, -rank - 0.52, str(micro + 1), ha="center", va="center", fontsize=7, color=ink
                )
    waiting = f"{schedule.waiting[0]:g} wait in process 0"
    axes.set_title(f"{name}: {schedule.idle:.0%} idle; at most {waiting}", loc="left", fontsize=10)
    axes.set(xlim=(0, end), ylim=(-len(schedule.steps), 0))
    axes.set_yticks(
        [-rank - 0.5 for rank in range(len(schedule.steps))], [str(rank) for rank in range(results.processes)]
    )
    axes.set_ylabel("process")
    axes.grid(visible=False)


def plot(results: Results) -> Figure:
    """Draw the three schedules one above the other, on one axis of time."""
    end = max(own[-1][-1] for schedule in results.schedules.values() for own in schedule.steps)
    figure, axes = new_figure(8.4, 0.75 + 0.42 * 3 * (results.processes + 1), rows=3)
    for place, name in enumerate(results.schedules):
        draw(axes[place], results, name, end)
    axes[-1].set_xlabel(
        "time, in forward passes through a process's part (blue forward, orange backward; dark: the second chunk)"
    )
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
