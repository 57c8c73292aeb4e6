"""What can a prefix do? A model knows two orders and is told by a sign; the sign is withheld, and a prefix learns it.

    uv run sprints/21_adapters_and_prompts/elicit.py
    uv run sprints/21_adapters_and_prompts/elicit.py --preset full

The model of `sorter.py`, of one layer, learns `> 4 0 7 = 0 4 7` and `< 4 0 7 = 7 4 0`. Then every row begins with `?`,
which it has never read, and the answer is to be downwards. Without options it is one model, at rates that suited the
five of `--preset full`. Theory: notes/06_what_a_prefix_cannot_do.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure

from adaptation.sorters import Arm, Task, TunedSorter, compare
from adaptation.sorting import BLANK
from shared.checks.intervals import error_bars
from shared.lab.compare import TIMING, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory

PRESETS = {
    "full": {
        "lengths": (1, 4, 16), "prefix_rates": (0.03, 0.1, 0.3), "lora_rates": (0.003, 0.01, 0.03), "test_rows": 2000,
        "seeds": 5,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Config(ScriptConfig):
    lengths: Annotated[tuple[PositiveInt, ...], Different] = (1, 4)  # places of the prefixes
    rank: PositiveInt = 8  # of LoRA in the attention
    prefix_rates: Annotated[tuple[PositiveFloat, ...], Different] = (0.3,)  # that each prefix tries
    lora_rates: Annotated[tuple[PositiveFloat, ...], Different] = (0.01,)  # that LoRA tries
    base_steps: PositiveInt = 2000  # in which the model learns both orders
    base_rate: PositiveFloat = 3e-3  # learning rate meanwhile
    steps: PositiveInt = 600  # of each way to tune, as in sorter.py
    d_model: PositiveInt = 32  # features of a token
    heads: PositiveInt = 2  # of the one layer
    length: PositiveInt = 10  # digits of a row
    batch_size: PositiveInt = 64  # rows in a step
    test_rows: PositiveInt = 1000  # that each model is tested on
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
        config.length, config.d_model, config.heads, "both", BLANK, config.base_steps, config.base_rate, config.steps,
        config.batch_size, config.test_rows,
    )  # fmt: skip
    arms = [Arm("prefix", length, config.prefix_rates) for length in config.lengths]
    tuned, base = compare([*arms, Arm("lora", config.rank, config.lora_rates)], task, config.seeds, config.seed)
    for name, shares in base.items():
        print(f"untuned, {name}: rows right {sum(shares) / len(shares):.1%}")
    return Results(base, tuned)


def plot(results: Results) -> Figure:
    """Draw the rows that are right: by the base behind each sign, and by each way to tune it behind no sign."""
    figure, axes = new_figure(7.0, 3.4)
    names = [*(f"untuned, {name}" for name in results.base), *(f"{name}, behind ?" for name in results.tuned)]
    shares = [*results.base.values(), *(found.exact for found in results.tuned.values())]
    for row, values in enumerate(shares):
        colour = "C7" if row < len(results.base) else "C0"
        axes.scatter(values, [row + 0.16] * len(values), s=14, alpha=0.5, color=colour)
        axes.plot(sum(values) / len(values), row, "o", color=colour)
    for row, found in enumerate(results.tuned.values(), start=len(results.base)):
        half = error_bars([found.exact_interval[1]])
        axes.errorbar(found.exact_interval[0], row, xerr=half, capsize=4, color="C0")
    axes.set_yticks(range(len(names)), names)
    axes.set(xlim=(-0.03, 1.03), xlabel="share of the rows that are right", ylim=(len(names) - 0.5, -0.5))
    return figure


MAY_CHANGE = ("rate", "searched", "moved")  # which rate wins is a matter of digits
TOLERANCE = {"base.*": TRAINED, "tuned.*": TRAINED} | {f"tuned.*.{name}*": TIMING for name in MAY_CHANGE}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
