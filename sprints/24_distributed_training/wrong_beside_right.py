"""Eight faults on several processes that make no error: each beside the right way, and the check that names it.

    uv run sprints/24_distributed_training/wrong_beside_right.py
    uv run sprints/24_distributed_training/wrong_beside_right.py --steps 200

Two processes of this machine and a small network in float64. Theory: notes/11_wrong_beside_right.md
"""

import tempfile
from dataclasses import dataclass

from matplotlib.figure import Figure

from parallel_study import faults, faults_of_state
from parallel_study.processes import on_processes
from shared.lab.compare import EXACT, ROUNDING, TIMING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    steps: PositiveInt = 50  # optimizer steps with averaged parameters


@dataclass(frozen=True)
class Results:
    faults: dict[str, faults.Fault]
    averaged_parameters: dict[str, list[float]]  # weights, away from one process's, after each step


def all_faults(folder: str, steps: int) -> tuple[dict[str, faults.Fault], dict[str, list[float]]]:
    """Make every fault, in a process of the group."""
    averaged, courses = faults.averaged_parameters(steps)
    return {
        "mean of means": faults.mean_of_means(),
        "set_epoch forgotten": faults_of_state.forgotten_epoch(),
        "no_sync entered too late": faults.late_no_sync(),
        "parameters averaged in place of gradients": averaged,
        "validation padded by the sampler": faults_of_state.padded_validation(),
        "norm of a shard": faults_of_state.norm_of_a_shard(),
        "random states equal": faults_of_state.equal_random_states(),
        "saved by every process": faults_of_state.two_writers(folder),
    }, courses


def main(config: Config) -> Results:
    with tempfile.TemporaryDirectory() as folder:
        found, courses = on_processes(2, all_faults, folder, config.steps)[0]
    results = Results(found, courses)
    for name, fault in results.faults.items():
        print(f"{name}\n    {fault.measured}: {fault.wrong:.3g}, right {fault.right:.3g}\n    {fault.said_of_wrong}")
        if fault.said_of_right:
            print(f"    and of the right way: {fault.said_of_right}")
    for name, course in courses.items():
        print(f"parameters averaged, {name}: weights {course[-1]:.1e} away after {config.steps} steps")
    return results


def plot(results: Results) -> Figure:
    """Draw how far averaged parameters are from one process's, by optimizer."""
    figure, axes = new_figure(7.0, 3.4)
    for colour, (name, course) in zip(COLOURS, results.averaged_parameters.items(), strict=False):
        steps = range(1, len(course) + 1)
        shown = [max(value, 1e-17) for value in course]
        axes.plot(steps, shown, color=colour, marker="o", markersize=2.5)
        above = name == "SGD with momentum"
        axes.annotate(name, (steps[-1], shown[-1]), xytext=(0, 8 if above else -14), textcoords="offset points",
                      ha="right", color=colour)  # fmt: skip
    axes.axhspan(1e-17, 1e-14, color="#eeeeee", zorder=0)
    axes.text(1, 2e-15, "rounding of float64", fontsize=8, color="#555555")
    axes.set_yscale("log")
    axes.set(xlabel="optimizer step", ylabel="distance of the weights from\none process's, as a share", ylim=(1e-17, 1))
    return figure


TOLERANCE = {
    "*": ROUNDING, "*.said_of_right": EXACT, "*.measured": EXACT, "averaged_parameters.SGD*": TIMING,
    "averaged_parameters.Adam.*": Tolerance(relative=0.01), "faults.*.right": Tolerance(absolute=1e-9),
}  # fmt: skip

if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
