"""How much do the answers of a group have in common, and what is saved by computing it once?

    uv run sprints/16_grpo_cooking/sharing.py

The same answers are drawn, and learned from, in rows of their own and in trees. Theory: notes/07_speed.md
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from answer_rows import answer_rows
from answer_trees import grow_trees, row_log_probs, tree_log_probs
from branching import draw_answers
from kitchen_problems import draw_problems
from matplotlib.figure import Figure
from supervised import WARM_MODEL, load_warm
from tqdm import trange

from shared.config import ScriptConfig, option, parse_config
from shared.figures import new_figure
from shared.generation import generate
from shared.intervals import mean_interval
from shared.results import save_results
from shared.runtime import pick_device, seed_everything


@dataclass(frozen=True)
class Config(ScriptConfig):
    turns: int = option(7, "turns of each way; one more of each, the first, is not counted")
    groups: int = option(24, "problems")
    group_size: int = option(8, "answers to each of them")
    max_new_tokens: int = option(36, "tokens of an answer at most")
    model: Path = option(WARM_MODEL, "folder of the policy")


@dataclass(frozen=True)
class Work:
    """Seconds of each turn in rows and in trees, and how many times as fast the trees are."""

    rows: list[float]
    trees: list[float]
    ratio: float
    ratio_interval: float


@dataclass(frozen=True)
class Results:
    tokens_in_rows: int
    tokens_in_trees: int
    works: dict[str, Work]
    threads: int


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main(config: Config) -> Results:
    device = pick_device(config.device)
    policy, tokenizer = load_warm(config.model)
    policy, end = policy.to(device), tokenizer.eos_token_id
    problems = draw_problems("train", config.groups, seed_everything(config.seed))
    prompts = [tokenizer(problem.prompt)["input_ids"] for problem in problems]
    repeated = [prompt for prompt in prompts for _ in range(config.group_size)]

    def draw_in_trees() -> list[list[int]]:
        source, size = seed_everything(config.seed), config.group_size
        return draw_answers(
            policy, prompts, size, max_new_tokens=config.max_new_tokens, end_token=end, generator=source
        )

    def draw_in_rows() -> list[list[int]]:
        source = seed_everything(config.seed)
        return generate(policy, repeated, max_new_tokens=config.max_new_tokens, end_token=end, generator=source)

    answers = draw_in_trees()
    trees = grow_trees(prompts, answers).to(device)
    tokens, written = (part.to(device) for part in answer_rows(repeated, answers))
    ways = {
        "drawing": (draw_in_rows, draw_in_trees),
        "log-probabilities": (
            lambda: torch.no_grad()(row_log_probs)(policy, tokens, written),
            lambda: torch.no_grad()(tree_log_probs)(policy, trees),
        ),
        "log-probabilities and gradients": (
            lambda: row_log_probs(policy, tokens, written)[0].sum().backward(),
            lambda: tree_log_probs(policy, trees)[0].sum().backward(),
        ),
    }
    times = {name: ([], []) for name in ways}
    for turn in trange(config.turns + 1, unit="turn"):
        for name, pair in ways.items():
            for found, work in zip(times[name], pair, strict=True):
                spent = seconds(work)
                if turn > 0:  # the first turn warms caches
                    found.append(spent)
    works = {}
    for name, (rows, shared) in times.items():
        ratio = mean_interval([row / tree for row, tree in zip(rows, shared, strict=True)])
        works[name] = Work(rows, shared, *ratio)
        print(f"{name}: {ratio[0]:.2f} ± {ratio[1]:.2f} times as fast in trees")
    # The last token of an answer is predicted, not read.
    read = sum(len(prompt) + len(answer) - 1 for prompt, answer in zip(repeated, answers, strict=True))
    in_trees = int(trees.descendants[:, 0].sum()) + len(prompts)
    print(f"{read:,} tokens in rows, {in_trees:,} in trees")
    return Results(read, in_trees, works, torch.get_num_threads())


def plot(results: Results) -> Figure:
    """Draw what each work costs."""
    figure, axes = new_figure(6.0, 3.0)
    places = range(len(results.works))
    for shift, way in ((-0.2, "rows"), (0.2, "trees")):
        values = [1000 * statistics.median(vars(work)[way]) for work in results.works.values()]
        axes.barh([place + shift for place in places], values, height=0.4, label=f"in {way}")
    axes.set_yticks(list(places), list(results.works))
    axes.invert_yaxis()
    axes.set(xlabel="milliseconds, median")
    axes.legend()
    return figure


if __name__ == "__main__":
    config = parse_config(Config)
    save_results(main(config), config, script=__file__, plot=plot)
