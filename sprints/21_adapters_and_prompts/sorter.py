"""What can a prefix not do? A transformer of one layer that sorts upwards is asked to sort downwards.

    uv run sprints/21_adapters_and_prompts/sorter.py
    uv run sprints/21_adapters_and_prompts/sorter.py --preset full
    uv run sprints/21_adapters_and_prompts/sorter.py --preset ten_digits

A row is `> 4 0 7 4 = 0 4 4 7`. The model has learnt to continue it behind the equals sign, smallest digit first; now it
is to begin with the largest. Prefixes, LoRA and full fine-tuning get as many fresh rows, steps and rates to try.
Without options it is one model, one prefix, and the rate that was best for each; `--preset full` has five models and
the search.
Theory: notes/06_what_a_prefix_cannot_do.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure

from adaptation.sorters import Arm, Task, TunedSorter, compare
from adaptation.sorting import UP
from shared.checks.intervals import error_bars
from shared.lab.compare import TIMING, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory

FULL = {
    "base_steps": 1500, "prefix_lengths": (1, 16, 64), "prefix_rates": (0.03, 0.1, 0.3),
    "lora_rates": (0.003, 0.01, 0.03), "full_rates": (0.001, 0.003, 0.01), "test_rows": 2000, "seeds": 5,
}  # fmt: skip
PRESETS = {"full": FULL, "ten_digits": FULL | {"length": 10, "base_steps": 1200}}
Rates = Annotated[tuple[PositiveFloat, ...], Different]


@dataclass(frozen=True)
class Config(ScriptConfig):
    length: PositiveInt = 16  # digits of a row
    d_model: PositiveInt = 32  # features of a token
    heads: PositiveInt = 2  # of the one layer
    base_steps: PositiveInt = 1000  # in which the model learns to sort upwards
    base_rate: PositiveFloat = 3e-3  # learning rate meanwhile
    steps: PositiveInt = 600  # in which each way to tune learns downwards
    prefix_lengths: Annotated[tuple[PositiveInt, ...], Different] = (16,)  # places of the prefixes
    prefix_rates: Rates = (0.1,)  # learning rates that each prefix tries
    rank: PositiveInt = 8  # of LoRA in the attention: as many numbers as a prefix of twice so many places
    lora_rates: Rates = (0.01,)
    full_rates: Rates = (0.003,)
    batch_size: PositiveInt = 64  # rows in a step
    test_rows: PositiveInt = 1000  # that each model is tested on, and as many to choose the rate by
    seeds: PositiveInt = 1  # base models, and runs of each way

    def check(self) -> None:
        check_heads(self.d_model, self.heads)


@dataclass(frozen=True)
class Results:
    base: dict[str, list[float]]
    tuned: dict[str, TunedSorter]


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    keep_freed_memory()
    task = Task(
        config.length, config.d_model, config.heads, "up", UP, config.base_steps, config.base_rate, config.steps,
        config.batch_size, config.test_rows,
    )  # fmt: skip
    arms = [
        *(Arm("prefix", length, config.prefix_rates) for length in config.prefix_lengths),
        Arm("lora", config.rank, config.lora_rates),
        Arm("full", 0, config.full_rates),
    ]
    tuned, base = compare(arms, task, config.seeds, config.seed)
    for name, shares in base.items():
        print(f"untuned, {name}: rows right {sum(shares) / len(shares):.1%}")
    return Results(base, tuned)


def plot(results: Results) -> Figure:
    """Draw, for each way, the rows and the digits that are right, and how far the attention moved."""
    figure, (right, moved) = new_figure(9.0, 3.4, columns=2)
    for row, found in enumerate(results.tuned.values()):
        for offset, colour, interval in ((-0.14, "C0", found.exact_interval), (0.14, "C1", found.digits_interval)):
            right.errorbar(
                interval[0], row + offset, xerr=error_bars([interval[1]]), fmt="o", capsize=3, color=colour
            )  # fmt: skip
        right.scatter(found.exact, [row - 0.14] * len(found.exact), s=10, alpha=0.5, color="C0")
        moved.scatter([max(change, 1e-9) for change in found.moved], [row] * len(found.moved), s=22, color="C2")
    names = list(results.tuned)
    first = next(iter(results.tuned.values()))
    right.annotate("rows", (first.exact_interval[0], -0.14), xytext=(8, 6), textcoords="offset points", color="C0")
    right.annotate("digits", (first.digits_interval[0], 0.14), xytext=(8, -10), textcoords="offset points", color="C1")
    right.set_yticks(range(len(names)), names)
    right.set(xlim=(-0.04, 1.04), xlabel="share that is right, sorting downwards", ylim=(len(names) - 0.5, -0.5))
    moved.set_yticks(range(len(names)), [""] * len(names))
    moved.set(xscale="log", xlim=(1e-9, 3), ylim=(len(names) - 0.5, -0.5))
    moved.set_xlabel("share of the attention over the tokens that moved")
    return figure


MAY_CHANGE = ("rate", "searched", "moved")  # which rate wins is a matter of digits
TOLERANCE = {"base.*": TRAINED, "tuned.*": TRAINED} | {f"tuned.*.{name}*": TIMING for name in MAY_CHANGE}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
