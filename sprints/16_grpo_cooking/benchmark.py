"""How many answers a second does each loop learn from, ours and TRL's?

    uv run sprints/16_grpo_cooking/benchmark.py
    uv run sprints/16_grpo_cooking/benchmark.py --precisions float32 bfloat16

The same model, questions, group size, answers and precision; the two take turns, and each keeps its own clock.
Theory: notes/11_sharing.md
"""

import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from matplotlib.figure import Figure
from tqdm import trange

from kitchen.grpo import Objective
from kitchen.grpo_loop import GRPOSettings, Trainer
from kitchen.problems import draw_problems
from kitchen.trl_grpo import load_policy, trl_trainer
from kitchen.warm_policy import SHIPPED_POLICY, load_warm_policy
from shared.checks.intervals import mean_interval, show_interval
from shared.lab.compare import TIMING
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, ExistingFolder, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything


@dataclass(frozen=True)
class Config(ScriptConfig):
    turns: PositiveInt = 5  # turns of each loop; one more of each, the first, is not counted
    steps: PositiveInt = 2  # steps of a turn
    groups: PositiveInt = 24  # problems of a step
    group_size: AtLeastTwo = 8  # answers to each of them
    max_new_tokens: PositiveInt = 28  # tokens of an answer at most
    # of both loops; few CPUs multiply bfloat16
    precisions: tuple[Literal["float32", "bfloat16"], ...] = ("float32",)
    model: ExistingFolder = SHIPPED_POLICY  # folder that warm_start.py wrote: the policy


@dataclass(frozen=True)
class SpeedBesideTRL:
    """Answers a second in each turn, and how many times as fast ours is."""

    ours: list[float]
    trl: list[float]
    ratio: float
    ratio_interval: float | None


@dataclass(frozen=True)
class Results:
    precisions: dict[str, SpeedBesideTRL]
    threads: int


def measure(config: Config, precision: str) -> SpeedBesideTRL:
    """Let both loops take turns at one precision."""
    device = pick_device(config.device)
    settings = GRPOSettings(
        groups=config.groups,
        group_size=config.group_size,
        max_new_tokens=config.max_new_tokens,
        objective=Objective(longest=config.max_new_tokens),
        learning_rate=1e-5,
        precision=precision,
    )
    policy, tokenizer = load_warm_policy(config.model)
    trainer = Trainer(policy.to(device), tokenizer, settings, seed_everything(config.seed))
    problems = draw_problems("train", config.groups * config.steps, seed_everything(config.seed))
    model, tokenizer = load_policy(str(config.model))
    with tempfile.TemporaryDirectory() as folder:
        on_cpu = device.type == "cpu"
        trl = trl_trainer(
            model, tokenizer, problems, settings, Path(folder), steps=config.steps, seed=config.seed, on_cpu=on_cpu
        )
        rates: dict[str, list[float]] = {"ours": [], "TRL": []}
        for turn in trange(config.turns + 1, desc=precision, unit="turn"):
            for name, measured in rates.items():
                began = time.perf_counter()
                if name == "TRL":
                    trl.train()
                else:
                    for _ in range(config.steps):
                        trainer.step()
                if turn > 0:  # the first turn warms caches
                    measured.append(config.steps * config.groups * config.group_size / (time.perf_counter() - began))
    ratios = [ours / theirs for ours, theirs in zip(rates["ours"], rates["TRL"], strict=True)]
    return SpeedBesideTRL(rates["ours"], rates["TRL"], *mean_interval(ratios))


def main(config: Config) -> Results:
    speeds: dict[str, SpeedBesideTRL] = {precision: measure(config, precision) for precision in config.precisions}
    for precision, speed in speeds.items():
        ours, trl = statistics.median(speed.ours), statistics.median(speed.trl)
        ratio = show_interval(speed.ratio, speed.ratio_interval, ".2f")
        print(f"{precision}: {ours:.0f} answers a second, TRL {trl:.0f}: {ratio}")
    return Results(speeds, torch.get_num_threads())


def plot(results: Results) -> Figure:
    """Draw the speed of every turn."""
    figure, axes = new_figure(6.0, 3.6)
    for index, (precision, speed) in enumerate(results.precisions.items()):
        axes.plot(speed.ours, "o-", color=f"C{index}", label=f"from scratch, {precision}")
        axes.plot(speed.trl, "o--", color=f"C{index}", label=f"TRL, {precision}")
    axes.set(xlabel="turn", ylabel="answers a second")
    axes.set_ylim(bottom=0)
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": TIMING})
