"""Where does early stopping stop, and which weights does it keep? Ten evaluations with three patiences.

    uv run sprints/04_advanced_training_cnn/where_it_stops.py
    uv run sprints/04_advanced_training_cnn/where_it_stops.py --patiences 1 2

The losses are made up, so that every step can be followed. Theory: notes/07_early_stopping.md
"""

from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure
from torch import nn

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.training.keep_best import KeepBest


@dataclass(frozen=True)
class Config(ScriptConfig):
    losses: tuple[PositiveFloat, ...] = (0.9, 0.6, 0.5, 0.52, 0.45, 0.47, 0.46, 0.48, 0.4, 0.42)  # of the evaluations
    patiences: Annotated[tuple[PositiveInt, ...], Different] = (1, 3, 4)  # to try


@dataclass(frozen=True)
class Stop:
    """The evaluation whose weights are kept, and the one after which training stops; both count from 1."""

    kept: int
    stopped: int
    loss: float


@dataclass(frozen=True)
class Results:
    losses: list[float]
    stops: dict[str, Stop]


def follow(losses: tuple[float, ...], patience: int) -> Stop:
    """Evaluate as a training loop does, until it is time to stop."""
    best, evaluation = KeepBest(nn.Linear(1, 1), patience), 0
    for evaluation, loss in enumerate(losses, start=1):
        best.update(loss, evaluation)
        if best.stop:
            break
    return Stop(best.best_step, evaluation, best.best_loss)


def main(config: Config) -> Results:
    stops = {str(patience): follow(config.losses, patience) for patience in config.patiences}
    for patience, stop in stops.items():
        print(f"patience {patience}: stops after evaluation {stop.stopped}, keeps {stop.kept}, loss {stop.loss:g}")
    return Results(list(config.losses), stops)


def plot(results: Results) -> Figure:
    """Draw the losses as far as each patience sees them; a filled mark is what is kept, a cross where it stops."""
    figure, axes = new_figure(8.4, 3.2, columns=len(results.stops))
    numbers = list(range(1, len(results.losses) + 1))
    panels = axes.flat if len(results.stops) > 1 else [axes]
    for axis, (patience, stop) in zip(panels, results.stops.items(), strict=True):
        axis.plot(numbers, results.losses, ":", color="silver")
        axis.plot(numbers[: stop.stopped], results.losses[: stop.stopped], ".-", color="C0")
        axis.plot(stop.kept, stop.loss, "o", color="C2", markersize=10)
        axis.annotate("kept", (stop.kept, stop.loss), (0, -17), textcoords="offset points", ha="center", color="C2")
        at_the_end = stop.stopped == len(results.losses)
        axis.plot(stop.stopped, results.losses[stop.stopped - 1], "X", color="C3", markersize=9)
        axis.annotate("end" if at_the_end else "stops", (stop.stopped, results.losses[stop.stopped - 1]), (0, 11),
                      textcoords="offset points", ha="center", color="C3")  # fmt: skip
        axis.set(title=f"patience {patience}", xlabel="evaluation", ylim=(0.28, 0.95), xticks=numbers[::3])
    panels[0].set(ylabel="validation loss")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
