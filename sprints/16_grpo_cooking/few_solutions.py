"""Where does checking teach what imitation cannot? Few written solutions, hard levels held back, many problems.

    uv run sprints/16_grpo_cooking/few_solutions.py
    uv run sprints/16_grpo_cooking/few_solutions.py --preset few

A start has read a few right solutions, mostly of easy levels. Then each arm spends the same number of answers: the same
solutions again, or new problems of all levels of which only the answers are known, plainly or with a curriculum and
groups that have a signal. Theory: notes/06_where_it_teaches.md
"""

import copy
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from kitchen.grpo_loop import GRPOSettings
from kitchen.problems import LEVELS, KitchenProblem, Level, Split, draw_problems
from kitchen.spending import IMITATION_BATCH, imitate, reinforce
from kitchen.temperature_scores import TemperatureScore, mean_accuracy, score_at
from kitchen.tokenizer import kitchen_tokenizer
from shared.checks.intervals import error_bars, mean_interval, show_interval
from shared.lab.compare import EXACT, TIMING, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Fraction, PositiveFloat, PositiveFraction, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.llama import Llama, LlamaConfig

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Arm = Literal["the same solutions again", "GRPO", "GRPO, curriculum and signal"]
ARMS: tuple[Arm, ...] = ("the same solutions again", "GRPO", "GRPO, curriculum and signal")
FULL = {"rates": (0.3, 1.0, 3.0), "runs": 5, "answers": 28_800, "search_share": 1 / 3, "held_out": 400}
PRESETS = {"few": FULL | {"solutions": 400}, "more": FULL | {"solutions": 1_600}}
TEMPERATURES = (0.0, 0.3, 0.7, 1.0)


@dataclass(frozen=True)
class Config(ScriptConfig):
    solutions: PositiveInt = 400  # problems with a written solution
    hard: tuple[Level, ...] = ("combine", "oven")  # levels that are held back
    hard_share: Fraction = 0.2  # share of the solutions that are of a hard level
    start_steps: PositiveInt = 150  # steps of imitation that make the start
    arms: tuple[Arm, ...] = ARMS  # what is compared
    answers: PositiveInt = 3_840  # answers or solutions that each arm spends
    groups: PositiveInt = 24  # problems of a step of GRPO
    group_size: AtLeastTwo = 8  # answers to each of them
    drawn: PositiveInt = 2  # times as many groups as are learnt from, with curriculum and signal
    easy_first: Fraction = 0.2  # share of the steps with easy levels alone, with curriculum and signal
    learning_rate: PositiveFloat = 3e-4  # of GRPO, before it is multiplied
    rates: tuple[PositiveFloat, ...] = (1.0,)  # factors of the learning rates that each arm tries
    search_share: PositiveFraction = 1.0  # share of the answers that each run of that search spends
    runs: PositiveInt = 1  # runs, each with solutions and a start of its own, with seeds from --seed on
    searched: PositiveInt = 100  # validation problems that choose the rate
    held_out: PositiveInt = 100  # problems of the evaluation
    samples: PositiveInt = 8  # answers to each of them
    split: Split = "test"  # what is evaluated on

    @property
    def easy(self) -> tuple[Level, ...]:
        """Return the levels that are not held back."""
        return tuple(level for level in LEVELS if level not in self.hard)

    def check(self) -> None:
        if not set(LEVELS) - set(self.hard) or not self.hard:
            raise ValueError(f"--hard must name some of the levels and not all of them; got {', '.join(self.hard)}")
        step = self.groups * self.group_size * self.drawn
        if self.search_share * self.answers < step:
            raise ValueError(
                f"--answers, or the share of them in a search, must suffice for one step of {step}; got {self.answers}"
            )


@dataclass(frozen=True)
class Spent:
    """An arm at its best rate: scores of each run by temperature, its gain in greedy accuracy, and what it cost."""

    rate: float
    searched: dict[str, float]
    runs: list[dict[str, TemperatureScore]]
    gain: float
    interval: float | None
    seconds: list[float]
    without_signal: float | None


@dataclass(frozen=True)
class Results:
    starts: list[dict[str, TemperatureScore]]
    by_level: dict[str, dict[str, float]]  # greedy, of the first run
    arms: dict[str, Spent]


def make_start(config: Config, seed: int) -> "tuple[Llama, PreTrainedTokenizerBase, list[KitchenProblem]]":
    """Return a model that has read the written solutions, its tokenizer, and the problems that have one."""
    generator, tokenizer = seed_everything(seed), kitchen_tokenizer()
    hard = round(config.hard_share * config.solutions)
    written = draw_problems("train", config.solutions - hard, generator, config.easy)
    written += draw_problems("train", hard, generator, config.hard)
    model = Llama(LlamaConfig(len(tokenizer)), generator).to(pick_device(config.device))
    read = config.start_steps * IMITATION_BATCH
    imitate(model, tokenizer, written, read, rate=1.0, seed=seed, name=f"start, seed {seed}")
    return model, tokenizer, written


def spend(
    arm: Arm, config: Config, start: "tuple[Llama, PreTrainedTokenizerBase, list[KitchenProblem]]", factor: float,
    seed: int,
) -> tuple[Llama, float, list[float]]:  # fmt: skip
    """Train a copy of the start; return it, the seconds that it took, and the shares of groups without a signal."""
    policy, tokenizer, written = copy.deepcopy(start[0]), *start[1:]
    began, label, signals = time.perf_counter(), f"{arm}, rates x {factor:.2g}, seed {seed}", []
    if arm == "the same solutions again":
        imitate(policy, tokenizer, written, config.answers, rate=factor, seed=seed + 1, name=label)
    else:
        drawn, easy_share = (config.drawn, config.easy_first) if "signal" in arm else (1, 0.0)
        steps = config.answers // (config.groups * config.group_size * drawn)

        def levels_at(step: int) -> tuple[str, ...]:
            return config.easy if step < easy_share * steps else LEVELS

        settings = GRPOSettings(
            config.groups, config.group_size, drawn=drawn, learning_rate=factor * config.learning_rate,
            levels=levels_at(0),
        )  # fmt: skip
        draws = torch.Generator().manual_seed(seed)
        signals = reinforce(policy, tokenizer, settings, steps, draws, levels_at=levels_at, name=label)
    return policy, time.perf_counter() - began, [signal.without_signal for signal in signals]


def main(config: Config) -> Results:
    held_out = draw_problems(config.split, config.held_out, seed_everything(config.seed + 1))
    chosen_by = draw_problems("validation", config.searched, seed_everything(config.seed + 1))
    seeds = range(config.seed, config.seed + config.runs)
    starts = {seed: make_start(config, seed) for seed in seeds}
    tokenizer = starts[config.seed][1]

    def score(policy: Llama, problems: list[KitchenProblem], seed: int) -> dict[str, TemperatureScore]:
        return score_at(policy, tokenizer, problems, TEMPERATURES, config.samples, seed_everything(seed))

    def greedy_by_level(policy: Llama) -> dict[str, float]:
        own = {level: [problem for problem in held_out if problem.level == level] for level in LEVELS}
        return {
            level: score_at(policy, tokenizer, problems, (0.0,), 1, seed_everything(0))["0"].accuracy
            for level, problems in own.items()
            if problems
        }

    before = [score(starts[seed][0], held_out, seed) for seed in seeds]
    arms, by_level = {}, {"start": greedy_by_level(starts[config.seed][0])}
    for arm in config.arms:
        short = replace(config, answers=round(config.search_share * config.answers))
        searched, runs, seconds, silent = {}, [], [], []
        for factor in config.rates if len(config.rates) > 1 else ():
            policy, *_ = spend(arm, short, starts[config.seed], factor, config.seed)
            searched[f"{factor:.2g}"] = mean_accuracy(score(policy, chosen_by, config.seed))
        best = max(config.rates, key=lambda factor: searched.get(f"{factor:.2g}", 0.0))
        for seed in seeds:
            policy, took, without = spend(arm, config, starts[seed], best, seed)
            runs.append(score(policy, held_out, seed))
            seconds.append(took)
            silent += without
            if seed == config.seed:
                by_level[arm] = greedy_by_level(policy)
        gain = mean_interval([run["0"].accuracy - was["0"].accuracy for run, was in zip(runs, before, strict=True)])
        arms[arm] = Spent(best, searched, runs, *gain, seconds, sum(silent) / len(silent) if silent else None)
        tqdm.write(f"{arm:<30} greedy {show_interval(*gain, '+.1%')}, {arms[arm].runs[0]['1']}")
    return Results(before, by_level, arms)


def plot(results: Results) -> Figure:
    """Draw the accuracy of all arms at temperatures 0 and 1, and pass@k."""
    figure, axes = new_figure(9.0, 3.4, columns=3)
    measures = (
        ("greedy", "0", "accuracy"),
        ("temperature 1", "1", "accuracy"),
        ("pass@k, temperature 1", "1", "pass_at"),
    )
    arms = {"start": results.starts} | {name: arm.runs for name, arm in results.arms.items()}
    for axis, (title, temperature, measure) in zip(axes, measures, strict=True):
        values = [mean_interval([vars(run[temperature])[measure] for run in runs]) for runs in arms.values()]
        means, halves = zip(*values, strict=True)
        axis.barh(list(arms), means, xerr=error_bars(list(halves)), color=[f"C{index}" for index in range(len(arms))])
        axis.invert_yaxis()
        axis.set(title=title, xlabel="share of held-out problems", xlim=(0, 1))
        axis.label_outer()  # the names stand once, on the left
        for index, mean in enumerate(means):
            axis.text(0.02, index, f"{mean:.0%}", va="center", color="white" if mean > 0.12 else "black")
    return figure


if __name__ == "__main__":
    noise = {"arms.*.seconds": TIMING, "arms.*.rate": EXACT}
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": TRAINED} | noise)
