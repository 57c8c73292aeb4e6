"""How much do the answers of a group have in common, and what is saved by computing it once?

    uv run sprints/16_grpo_cooking/sharing.py

The same answers are drawn, and learned from, in rows of their own and in trees. Theory: notes/11_sharing.md
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from tqdm import trange

from kitchen.packed_trees import pack_trees, tree_log_probs
from kitchen.problems import draw_problems
from kitchen.prompt_completion import prompt_completion_rows, row_log_probs
from kitchen.shared_prefix_sampling import sample_completions
from kitchen.warm_policy import SHIPPED_POLICY, load_warm_policy
from shared.checks.intervals import mean_interval, show_interval
from shared.generation.decoding import generate
from shared.lab.compare import TIMING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import ExistingFolder, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything


@dataclass(frozen=True)
class Config(ScriptConfig):
    turns: PositiveInt = 7  # turns of each way; one more of each, the first, is not counted
    groups: PositiveInt = 24  # problems
    group_size: PositiveInt = 8  # answers to each of them
    max_new_tokens: PositiveInt = 36  # tokens of an answer at most
    model: ExistingFolder = SHIPPED_POLICY  # folder that warm_start.py wrote: the policy


@dataclass(frozen=True)
class RowsBesideTrees:
    """What each turn takes in rows and in trees, and how many times as fast the trees are."""

    rows_milliseconds: list[float]
    trees_milliseconds: list[float]
    ratio: float
    ratio_interval: float | None


@dataclass(frozen=True)
class Results:
    tokens_in_rows: int
    tokens_in_trees: int
    works: dict[str, RowsBesideTrees]
    threads: int


def milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def compare(turns: int, in_rows: Callable[[], object], in_trees: Callable[[], object]) -> RowsBesideTrees:
    """Let both ways take turns."""
    in_rows(), in_trees()  # warms caches
    turn_times = [(milliseconds(in_rows), milliseconds(in_trees)) for _ in trange(turns, unit="turn")]
    rows, trees = (list(times) for times in zip(*turn_times, strict=True))
    return RowsBesideTrees(rows, trees, *mean_interval([row / tree for row, tree in turn_times]))


def main(config: Config) -> Results:
    device = pick_device(config.device)
    policy, tokenizer = load_warm_policy(config.model)
    policy = policy.to(device)
    problems = draw_problems("train", config.groups, seed_everything(config.seed))
    prompts = [tokenizer(problem.prompt)["input_ids"] for problem in problems]
    repeated = [prompt for prompt in prompts for _ in range(config.group_size)]

    limit, end = config.max_new_tokens, tokenizer.eos_token_id

    def draw_in_rows() -> list[list[int]]:
        generator = seed_everything(config.seed)
        return generate(policy, repeated, max_new_tokens=limit, end_token=end, generator=generator)

    def draw_in_trees() -> list[list[int]]:
        size, generator = config.group_size, seed_everything(config.seed)
        return sample_completions(policy, prompts, size, max_new_tokens=limit, end_token=end, generator=generator)

    completions = draw_in_trees()
    trees = pack_trees(prompts, completions).to(device)
    tokens, completion_mask = (part.to(device) for part in prompt_completion_rows(repeated, completions))
    works = {
        "drawing answers": compare(config.turns, draw_in_rows, draw_in_trees),
        "log-probabilities and gradients": compare(
            config.turns,
            lambda: row_log_probs(policy, tokens, completion_mask)[0].sum().backward(),
            lambda: tree_log_probs(policy, trees)[0].sum().backward(),
        ),
    }
    for name, work in works.items():
        print(f"{name}: {show_interval(work.ratio, work.ratio_interval, '.2f')} times as fast in trees")
    # The last token of a completion is predicted, not read.
    in_rows = sum(len(prompt) + len(completion) - 1 for prompt, completion in zip(repeated, completions, strict=True))
    in_trees = int(trees.descendants[:, 0].sum()) + len(prompts)
    print(f"{in_rows:,} tokens in rows, {in_trees:,} in trees")
    return Results(in_rows, in_trees, works, torch.get_num_threads())


def plot(results: Results) -> Figure:
    """Draw what each work costs."""
    figure, axes = new_figure(6.0, 3.0)
    bars = range(len(results.works))
    for shift, packing in ((-0.2, "rows"), (0.2, "trees")):
        values = [statistics.median(vars(work)[f"{packing}_milliseconds"]) for work in results.works.values()]
        axes.barh([bar + shift for bar in bars], values, height=0.4, label=f"in {packing}")
    axes.set_yticks(list(bars), list(results.works))
    axes.invert_yaxis()
    axes.set(xlabel="milliseconds, median")
    axes.legend()
    return figure


if __name__ == "__main__":
    # A sample turns with the last digit of a logit, and the number of tokens with it.
    counts = dict.fromkeys(("tokens_in_rows", "tokens_in_trees"), Tolerance(relative=0.01))
    run(main, Config, plot=plot, tolerance={"works.*": TIMING, "threads": TIMING} | counts)
