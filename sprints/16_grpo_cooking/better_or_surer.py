"""Is a policy better after training, or only surer? Every arm at four temperatures, by majority vote, and pass@k.

    uv run sprints/16_grpo_cooking/better_or_surer.py
    uv run sprints/16_grpo_cooking/better_or_surer.py --preset all

From one warm start each arm spends the same number of answers: written ones to imitate, or its own, which are checked.
Each searches as many learning rates on validation problems. Theory: notes/05_better_or_surer.md
"""

import time
from dataclasses import dataclass, replace
from typing import Literal

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from kitchen.grpo_loop import GRPOSettings
from kitchen.problems import Split, draw_problems
from kitchen.spending import imitate, reinforce
from kitchen.temperature_scores import TemperatureScore, mean_accuracy, score_at
from kitchen.warm_policy import SHIPPED_POLICY, load_warm_policy
from shared.checks.intervals import mean_interval, show_interval
from shared.lab.compare import EXACT, TIMING, TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import (
    AtLeastTwo,
    ExistingFolder,
    Fraction,
    NonNegativeFloat,
    PositiveFloat,
    PositiveFraction,
    PositiveInt,
)
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.llama import Llama

Arm = Literal["GRPO", "imitation", "imitation, then GRPO", "right solutions"]
ARMS: tuple[Arm, ...] = ("GRPO", "imitation", "imitation, then GRPO", "right solutions")
PRESETS = {"all": {"arms": ARMS, "rates": (0.3, 1.0, 3.0), "runs": 5, "answers": 24_000, "search_share": 1 / 3}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    arms: tuple[Arm, ...] = ("GRPO", "imitation")  # what is compared
    answers: PositiveInt = 5_760  # answers or solutions that each arm learns from
    groups: PositiveInt = 24  # problems of a step of GRPO
    group_size: AtLeastTwo = 8  # answers to each of them
    learning_rate: PositiveFloat = 3e-4  # of GRPO, before it is multiplied
    rates: tuple[PositiveFloat, ...] = (
        1.0,
    )  # factors of the learning rates that each arm tries on validation problems
    search_share: PositiveFraction = 1.0  # share of the answers that each run of that search spends
    runs: PositiveInt = 1  # runs at the best rate, with seeds from --seed on
    wrong: Fraction = 0.4  # share of the written solutions with a mistake, as in the warm start
    pet_names: Fraction = 0.2  # share of them that address the reader
    problems: PositiveInt = 8_000  # problems with written solutions
    temperatures: tuple[NonNegativeFloat, ...] = (0.0, 0.3, 0.7, 1.0)  # of the evaluation
    model: ExistingFolder = SHIPPED_POLICY  # folder that warm_start.py wrote: the policy at the start
    searched: PositiveInt = 100  # validation problems that choose the rate
    held_out: PositiveInt = 400  # problems of the evaluation
    samples: PositiveInt = 8  # answers to each of them
    split: Split = "test"  # what is evaluated on

    def check(self) -> None:
        if self.search_share * self.answers < 2 * self.groups * self.group_size:
            raise ValueError(
                f"--answers, or the share of them in a search, must suffice for two steps of {self.groups} x "
                f"{self.group_size}; got {self.answers}"
            )


@dataclass(frozen=True)
class SpentBudget:
    """An arm at its best rate: scores of each run by temperature, seconds of training, and what its search found."""

    rate: float
    searched: dict[str, float]
    runs: list[dict[str, TemperatureScore]]
    seconds: list[float]


@dataclass(frozen=True)
class Gain:
    """How much an arm adds to the warm start at a temperature: mean over seeds, half of its 95 % interval."""

    accuracy: float
    interval: float | None


@dataclass(frozen=True)
class Results:
    before: dict[str, TemperatureScore]
    arms: dict[str, SpentBudget]
    gains: dict[str, dict[str, Gain]]


def spend(arm: Arm, config: Config, factor: float, seed: int) -> tuple[Llama, float]:
    """Train the warm start in one way; return it and the seconds that it took."""
    generator = seed_everything(seed)
    policy, tokenizer = load_warm_policy(config.model)
    policy = policy.to(pick_device(config.device))
    own = {"GRPO": config.answers, "imitation, then GRPO": config.answers // 2}.get(arm, 0)
    written = draw_problems("train", config.problems, generator)
    began, label = time.perf_counter(), f"{arm}, rates x {factor:.2g}, seed {seed}"
    imitate(
        policy, tokenizer, written, config.answers - own, rate=factor, seed=seed, pet_names=config.pet_names,
        wrong=0.0 if arm == "right solutions" else config.wrong, name=label,
    )  # fmt: skip
    if own:
        settings = GRPOSettings(config.groups, config.group_size, learning_rate=factor * config.learning_rate)
        steps = own // (config.groups * config.group_size)
        reinforce(policy, tokenizer, settings, steps, torch.Generator().manual_seed(seed), name=label)
    return policy, time.perf_counter() - began


def main(config: Config) -> Results:
    held_out = draw_problems(config.split, config.held_out, seed_everything(config.seed + 1))
    chosen_by = draw_problems("validation", config.searched, seed_everything(config.seed + 1))
    warm, tokenizer = load_warm_policy(config.model)
    warm = warm.to(pick_device(config.device))
    how = (config.temperatures, config.samples)
    before, arms = score_at(warm, tokenizer, held_out, *how, seed_everything(config.seed)), {}
    for arm in config.arms:
        short = replace(config, answers=round(config.search_share * config.answers))
        searched, runs, seconds = {}, [], []
        for factor in config.rates if len(config.rates) > 1 else ():
            policy, _ = spend(arm, short, factor, config.seed)
            found = score_at(policy, tokenizer, chosen_by, *how, seed_everything(config.seed))
            searched[f"{factor:.2g}"] = mean_accuracy(found)
        best = max(config.rates, key=lambda factor: searched.get(f"{factor:.2g}", 0.0))
        for seed in range(config.seed, config.seed + config.runs):
            policy, took = spend(arm, config, best, seed)
            seconds.append(took)
            runs.append(score_at(policy, tokenizer, held_out, *how, seed_everything(seed)))
        arms[arm] = SpentBudget(best, searched, runs, seconds)
    gains = {arm: gains_of(before, spent.runs) for arm, spent in arms.items()}
    for arm, by_temperature in gains.items():
        shown = (f"{t}: {show_interval(gain.accuracy, gain.interval, '+.1%')}" for t, gain in by_temperature.items())
        tqdm.write(f"{arm:<22} accuracy by temperature {', '.join(shown)}")
    return Results(before, arms, gains)


def gains_of(before: dict[str, TemperatureScore], runs: list[dict[str, TemperatureScore]]) -> dict[str, Gain]:
    """Return what runs add to the accuracy of the start."""
    return {
        temperature: Gain(*mean_interval([run[temperature].accuracy - score.accuracy for run in runs]))
        for temperature, score in before.items()
    }


def plot(results: Results) -> Figure:
    """Draw accuracy, majority vote and pass@k by temperature; thin lines are runs."""
    figure, axes = new_figure(9.0, 4.2, columns=3)
    measures = {"accuracy": "one answer", "majority": "majority of all answers", "pass_at": "one of all answers right"}
    arms = {"warm start": [results.before]} | {name: spent.runs for name, spent in results.arms.items()}
    for axis, (measure, title) in zip(axes, measures.items(), strict=True):
        for index, (name, runs) in enumerate(arms.items()):
            places = [float(temperature) for temperature in results.before]
            for number, scores in enumerate(runs):
                values = [vars(score)[measure] for score in scores.values()]
                label = name if number == 0 else None
                axis.plot(places, values, "o-", color=f"C{index}", markersize=3, linewidth=1, label=label)
        axis.set(title=title, xlabel="temperature", ylim=(0, 1.03))
    axes[0].set_ylabel("share of held-out problems")
    axes[1].legend(loc="lower left", fontsize=8)
    return figure


if __name__ == "__main__":
    # A sample of the warm start turns with the last digit of a logit.
    noise = {"before.*": Tolerance(absolute=0.01), "arms.*.seconds": TIMING, "arms.*.rate": EXACT}
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": TRAINED} | noise)
