"""How many answers a second does each loop learn from, ours and TRL's?

    uv run sprints/16_grpo_cooking/benchmark.py

The same model, questions, group size, answers and learning pass; the two take turns, and each keeps its own clock.
Theory: notes/02_grpo.md
"""

import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from grpo import Objective
from grpo_loop import Settings, Trainer
from kitchen_problems import draw_problems
from matplotlib.figure import Figure
from supervised import WARM_MODEL, load_warm
from tqdm import trange
from trl_kitchen import load_policy, trl_trainer

from shared.config import ScriptConfig, option, parse_config
from shared.figures import new_figure
from shared.intervals import mean_interval
from shared.results import save_results
from shared.runtime import pick_device, seed_everything


@dataclass(frozen=True)
class Config(ScriptConfig):
    turns: int = option(5, "turns of each loop; one more of each, the first, is not counted")
    steps: int = option(2, "steps of a turn")
    groups: int = option(24, "problems of a step")
    group_size: int = option(8, "answers to each of them")
    max_new_tokens: int = option(28, "tokens of an answer at most")
    model: Path = option(WARM_MODEL, "folder of the policy")


@dataclass(frozen=True)
class Results:
    ours: list[float]
    trl: list[float]
    ours_bfloat16: list[float]
    ratio: float
    ratio_interval: float
    bfloat16_ratio: float
    bfloat16_ratio_interval: float
    threads: int


def main(config: Config) -> Results:
    device = pick_device(config.device)
    seed_everything(config.seed)
    settings = Settings(
        groups=config.groups,
        group_size=config.group_size,
        max_new_tokens=config.max_new_tokens,
        objective=Objective(longest=config.max_new_tokens),
        learning_rate=1e-5,
    )
    kinds = {"ours": settings, "ours in bfloat16": replace(settings, precision="bfloat16")}
    loops = {}
    for name, kind in kinds.items():
        policy, tokenizer = load_warm(config.model)
        loops[name] = Trainer(policy.to(device), tokenizer, kind, seed_everything(config.seed))
    problems = draw_problems("train", config.groups * config.steps, seed_everything(config.seed))
    samples = config.groups * config.group_size * config.steps
    rates: dict[str, list[float]] = {"ours": [], "ours in bfloat16": [], "TRL": []}
    with tempfile.TemporaryDirectory() as folder:
        model, tokenizer = load_policy(str(config.model))
        their = trl_trainer(
            model,
            tokenizer,
            problems,
            settings,
            Path(folder),
            steps=config.steps,
            seed=config.seed,
            on_cpu=device.type == "cpu",
        )
        for turn in trange(config.turns + 1, unit="turn"):
            for name in rates:
                began = time.perf_counter()
                if name == "TRL":
                    their.train()
                else:
                    for _ in range(config.steps):
                        loops[name].step()
                if turn > 0:  # the first turn warms caches
                    rates[name].append(samples / (time.perf_counter() - began))
    ratio = mean_interval([one / other for one, other in zip(rates["ours"], rates["TRL"], strict=True)])
    reduced_ratio = mean_interval([b / f for b, f in zip(rates["ours in bfloat16"], rates["ours"], strict=True)])
    for name, found in rates.items():
        print(f"{name:<18} {statistics.median(found):7.1f} answers a second")
    for name, (mean, half) in {"ours / TRL": ratio, "bfloat16 / float32": reduced_ratio}.items():
        print(f"{name}: {mean:.2f} ± {half:.2f}")
    return Results(
        rates["ours"], rates["TRL"], rates["ours in bfloat16"], *ratio, *reduced_ratio, threads=torch.get_num_threads()
    )


def plot(results: Results) -> Figure:
    """Draw the speed of every turn."""
    figure, axes = new_figure(6.0, 3.6)
    axes.plot(results.ours, "o-", label="from scratch")
    axes.plot(results.ours_bfloat16, "o-", label="from scratch, learning in bfloat16")
    axes.plot(results.trl, "o-", label="TRL")
    axes.set(xlabel="turn", ylabel="answers a second")
    axes.set_ylim(bottom=0)
    axes.legend()
    return figure


if __name__ == "__main__":
    config = parse_config(Config)
    save_results(main(config), config, script=__file__, plot=plot)
