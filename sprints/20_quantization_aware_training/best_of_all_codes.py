"""How far from the best are rounding and training through rounding? All 65,536 ways to round eight weights are tried.

    uv run sprints/20_quantization_aware_training/best_of_all_codes.py
    uv run sprints/20_quantization_aware_training/best_of_all_codes.py --preset uncorrelated

Eight weights of 2 bits share a step and meet correlated inputs; what counts is the squared error of the output. The
best of all codes, each with its best step, is known exactly. Theory: notes/05_the_best_of_65536.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor

from aware.least_squares import (
    Problems,
    Trained,
    all_codes,
    best_steps,
    draw_problems,
    gptq,
    output_error,
    rounded_to,
    steps_to_try,
    train,
)
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import TIMING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, Different, PositiveFloat, PositiveInt, Share
from shared.lab.run import run
from shared.lab.runtime import seed_everything

OF_THE_WEIGHTS, OF_THE_OUTPUTS = "least error of the weights", "least error of the outputs"
PRESETS = {"uncorrelated": {"correlation": 0.0}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    problems: AtLeastTwo = 20  # rows of weights that are rounded; as many others choose the rates
    inputs: Annotated[int, Field(ge=1, le=10)] = 8  # weights of a row; 4^inputs codes are tried
    tokens: AtLeastTwo = 64  # inputs that a row meets
    correlation: Share = 0.9  # of neighbouring features
    steps: AtLeastTwo = 400  # steps tried for each row where one is chosen
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (0.003, 0.01, 0.03, 0.1)  # learning rates tried
    updates: PositiveInt = 500  # of a training

    def check(self) -> None:
        if self.tokens < self.inputs:
            raise ValueError(f"a row must meet as many inputs as it has weights; got {self.tokens} and {self.inputs}")


@dataclass(frozen=True)
class Method:
    """The errors of a method beside the best there is, by problem: as it left them, and with its codes' best step."""

    ratios: list[float]
    mean: MeanInterval
    with_best_step: MeanInterval
    better_codes: list[int]  # how many of all codes are better than its own, each with its best step
    found_the_best: int  # problems in which there is none


@dataclass(frozen=True)
class Results:
    codes: int
    best: list[float]
    methods: dict[str, Method]
    chosen: dict[str, list[str | float]]  # where the steps of a training start, and its rate
    learned_less_rounded: MeanInterval  # of the ratios, problem by problem
    path: list[float]  # ratios of one problem's iterates, learned steps


def best_errors(problems: Problems, rows: Tensor) -> Tensor:
    """Return the error of rows of integers, each with its best step: (problems, rows); the same or other rows each."""
    of_problem = rows if rows.dim() == 3 else rows.expand(len(problems.weight), -1, -1)
    found = zip(*problems, of_problem, strict=True)
    return torch.stack([output_error(w, h, best_steps(w, h, codes)[:, None] * codes) for w, h, codes in found])


def starts(config: Config, problems: Problems) -> dict[str, Tensor]:
    """Return two steps for each row, (problems, 1): with the least error of the weights, and of the outputs."""
    steps = steps_to_try(problems.weight, 2, config.steps)
    rounded = rounded_to(problems.weight, steps, 2)
    of_weights = (rounded - problems.weight.unsqueeze(1)).square().sum(-1)
    errors = {OF_THE_WEIGHTS: of_weights, OF_THE_OUTPUTS: output_error(*problems, rounded)}
    return {name: steps.gather(1, error.argmin(1, keepdim=True)) for name, error in errors.items()}


def without_training(config: Config, problems: Problems) -> dict[str, Tensor]:
    """Return each row as each way to round it leaves it, (problems, inputs)."""
    steps = steps_to_try(problems.weight, 2, config.steps)
    chosen = {"widest step": steps[:, -1:] / 2} | starts(config, problems)
    found = {f"rounded, {name}": rounded_to(problems.weight, step, 2).squeeze(1) for name, step in chosen.items()}
    by_step = gptq(problems, steps, 2)
    least = output_error(*problems, by_step).argmin(1)
    return found | {f"GPTQ, {OF_THE_OUTPUTS}": by_step[torch.arange(len(least)), least]}


def search_and_train(config: Config, other: Problems, problems: Problems, learned: bool) -> tuple[Trained, str, float]:
    """Choose the start and the rate on other problems, by where training ends; return a training with them."""
    tried = {}
    best_of_others = best_errors(other, all_codes(config.inputs, 2)).amin(1)
    for name, start in starts(config, other).items():
        for rate in config.rates:
            ended = train(other, start, 2, rate, config.updates, learned=learned).errors[:, -1]
            tried[name, rate] = (ended / best_of_others).mean().item()
    name, rate = min(tried, key=tried.__getitem__)
    return train(problems, starts(config, problems)[name], 2, rate, config.updates, learned=learned), name, rate


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    generator = seed_everything(config.seed)
    sizes = (config.problems, config.inputs, config.tokens, config.correlation)
    problems, other = draw_problems(*sizes, generator), draw_problems(*sizes, generator)
    of_all = best_errors(problems, all_codes(config.inputs, 2))
    best, rows, chosen = of_all.amin(1), without_training(config, problems), {}
    for kind in ("fixed step", "learned step"):
        trained, start, rate = search_and_train(config, other, problems, kind == "learned step")
        rows |= {f"{kind}, where it ends": trained.ended, f"{kind}, best on the way": trained.best}
        chosen[kind] = [start, rate]
    methods = {}
    for name, row in rows.items():
        ratios, own = (
            (output_error(*problems, row.unsqueeze(1)).squeeze(1) / best).tolist(),
            best_errors(problems, row.unsqueeze(1)),
        )
        better = (of_all < own * (1 - 1e-9)).sum(1).tolist()
        refitted = mean_interval((own.squeeze(1) / best).tolist())
        methods[name] = Method(ratios, mean_interval(ratios), refitted, better, better.count(0))
        print(f"{name:<38}{show_interval(*methods[name].mean, '.2f'):>15} times the best, ", end="")
        print(
            f"{refitted[0]:.2f} with its codes' best step, {better.count(0)} of {config.problems} have the best codes"
        )
    learned, rounded = (methods[name].ratios for name in ("learned step, where it ends", f"rounded, {OF_THE_OUTPUTS}"))
    difference = mean_interval([one - other for one, other in zip(learned, rounded, strict=True)])
    print(f"learned step less the best rounding: {show_interval(*difference, '+.2f')}; chosen {chosen}")
    path = trained.errors / best.unsqueeze(1)
    middle = path[path[:, -1].argsort()[config.problems // 2]].tolist()  # of the problem in the middle
    return Results(of_all.shape[1], best.tolist(), methods, chosen, difference, middle)


def plot(results: Results) -> Figure:
    """Draw the ratios of each method, and one problem's way through training."""
    figure, (left, right) = new_figure(10.0, 4.2, columns=2)
    for index, (name, method) in enumerate(results.methods.items()):
        colour = COLOURS[0] if name.startswith("rounded") else COLOURS[2] if name.startswith("GPTQ") else COLOURS[3]
        left.scatter(method.ratios, [index + 0.22] * len(method.ratios), s=10, alpha=0.4, color=colour)
        mean, half = method.mean
        left.errorbar(mean, index, xerr=error_bars([half]), fmt="o", capsize=4, color=colour)
        left.annotate(f" {mean:.2f}", (mean, index), xytext=(0, 6), textcoords="offset points", fontsize=8)
    left.axvline(1, color="black", linewidth=1)
    left.set(xscale="log", xlabel="squared error, times the best of all codes", xlim=(0.9, None))
    left.set_xticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    left.minorticks_off()
    left.set_yticks(range(len(results.methods)), [name.replace(", ", ",\n") for name in results.methods], fontsize=8)
    left.invert_yaxis()
    right.plot(results.path, color=COLOURS[3], linewidth=1)
    right.axhline(1, color="black", linewidth=1)
    right.annotate("best of all codes", (len(results.path) - 1, 1), xytext=(0, -11), textcoords="offset points",
                   ha="right", fontsize=8)  # fmt: skip
    right.annotate("where it ends", (len(results.path) - 1, results.path[-1]), xytext=(-8, 125), ha="right",
                   textcoords="offset points", fontsize=8, arrowprops={"arrowstyle": "-|>"})  # fmt: skip
    right.set(xlabel="update (learned steps, one problem)", ylabel="squared error, times the best", yscale="log")
    right.set_yticks([1, 2, 5, 10], ["1", "2", "5", "10"])
    right.minorticks_off()
    right.set_ylim(bottom=0.85)
    return figure


# Which code training ends with hangs on the last digits of a sum, and many problems average that out in part only.
ENDS = Tolerance(relative=0.3, absolute=0.2)
TOLERANCE = {
    "methods.fixed*": TIMING, "methods.learned*": TIMING, "methods.fixed*.mean.0": ENDS,
    "methods.learned*.mean.0": ENDS, "chosen*": TIMING, "path*": TIMING, "learned_less*": Tolerance(absolute=1.0),
}  # fmt: skip

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
