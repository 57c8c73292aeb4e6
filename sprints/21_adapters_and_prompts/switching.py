"""A batch whose rows have adapters of their own: is it the same as one after the other, and what does it cost?

    uv run sprints/21_adapters_and_prompts/switching.py
    uv run sprints/21_adapters_and_prompts/switching.py --adapters 1 16 --rows 16 --tokens 1

Adapters are random, far from the identity. Times are ratios to the base model's, measured in turns. Theory:
notes/09_adding_and_switching.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from adaptation.adapted_layer import perturb
from adaptation.places import places_of
from adaptation.switching import choose, make_switchable, switch_back
from adaptation.trials import step_times
from shared.checks.intervals import median_interval
from shared.lab.compare import TIMING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveInt
from shared.lab.run import run
from shared.nn.adapters import activate, inject
from shared.nn.lora import LoRAConfig
from shared.nn.pretrained import SHIPPED, Logits, load_causal_model


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # the base
    adapters: Annotated[tuple[PositiveInt, ...], Different] = (1, 2, 4, 8)  # in a batch, as many rows of each
    rows: PositiveInt = 8  # of a batch
    tokens: PositiveInt = 64  # of a row
    rank: PositiveInt = 8  # of each adapter
    rounds: PositiveInt = 30  # passes that are timed

    def check(self) -> None:
        if wrong := [count for count in self.adapters if self.rows % count]:
            raise ValueError(f"every adapter gets as many rows; {self.rows} rows cannot be shared by {wrong[0]}")


@dataclass(frozen=True)
class Passed:
    """A mixed batch beside its rows with one adapter at a time: largest difference, and times over the base's."""

    difference: float
    mixed: tuple[float, float, float]
    one_after_the_other: tuple[float, float, float]


@dataclass(frozen=True)
class Results:
    largest_logit: float
    change: float
    counts: dict[str, Passed]


def with_adapters(model: nn.Module, config: Config) -> list[str]:
    """Give a model random adapters and return their names."""
    generator = torch.Generator().manual_seed(config.seed)
    names = [f"adapter_{number}" for number in range(max(config.adapters))]
    for name in names:
        inject(model, LoRAConfig(places_of(model).linear, config.rank, 2 * config.rank), name, generator)
        perturb(model, 0.02, generator)  # of the active adapter
    return names


def passes(model: nn.Module, tokens: Tensor, names: list[str]) -> tuple[Callable[[], Tensor], Callable[[], Tensor]]:
    """Return two ways to compute the logits of a batch: all rows at once, and one adapter after the other."""
    logits, share = Logits(model), len(tokens) // len(names)
    rows: list[str | None] = [name for name in names for _ in range(share)]

    def mixed() -> Tensor:
        choose(model, rows)
        return logits(tokens)

    def apart() -> Tensor:
        parts = []
        for name, part in zip(names, tokens.split(share), strict=True):
            activate(model, name)
            parts.append(logits(part))
        return torch.cat(parts)

    return mixed, apart


@torch.no_grad()
def main(config: Config) -> Results:
    torch.set_num_threads(1)
    base, _ = load_causal_model(config.model)
    model, _ = load_causal_model(config.model)
    switched, _ = load_causal_model(config.model)
    names = with_adapters(model, config)
    make_switchable(switched, with_adapters(switched, config))
    generator = torch.Generator().manual_seed(config.seed)
    tokens = torch.randint(base.config.vocab_size, (config.rows, config.tokens), generator=generator)
    plain, found, changed = Logits(base), {}, 0.0
    for number in config.adapters:
        chosen = names[:number]
        mixed, (_, apart) = passes(switched, tokens, chosen)[0], passes(model, tokens, chosen)
        difference = (mixed() - apart()).abs().max().item()
        changed = (mixed() - plain(tokens)).abs().max().item()
        times = step_times({"base": lambda: plain(tokens), "mixed": mixed, "apart": apart}, config.rounds)
        middles = []
        for name in ("mixed", "apart"):
            shares = [one / other for one, other in zip(times[name], times["base"], strict=True)]
            middles.append(median_interval(shares, generator))
        found[str(number)] = Passed(difference, *middles)
        shown = f"mixed {middles[0][0]:.2f}, apart {middles[1][0]:.2f} times the base"
        print(f"{number} adapters: differ by {difference:.1e}; {shown}")
    switch_back(switched)
    return Results(plain(tokens).abs().max().item(), changed, found)


def plot(results: Results) -> Figure:
    """Draw both times over the number of adapters in a batch."""
    figure, axes = new_figure(6.8, 3.9)
    counts = [int(count) for count in results.counts]
    for index, (name, part) in enumerate((("one batch", "mixed"), ("one after the other", "one_after_the_other"))):
        middles = [getattr(passed, part) for passed in results.counts.values()]
        means = [middle for middle, _, _ in middles]
        bars = [[middle - low for middle, low, _ in middles], [high - middle for middle, _, high in middles]]
        axes.errorbar(counts, means, yerr=bars, marker="o", capsize=4, color=f"C{index}")
        axes.text(counts[-1] * 1.03, means[-1], name, color=f"C{index}", va="center")
    axes.axhline(1, color="black", linestyle="--")
    axes.text(counts[-1] * 1.03, 0.97, "base model", va="top")
    axes.set_xticks(counts)
    axes.set(
        xlabel="adapters in the batch",
        ylabel="time of a pass / base model's",
        ylim=(0, None),
        xlim=(None, counts[-1] * 1.45),
    )
    return figure


TOLERANCE = {"counts.*": TIMING, "counts.*.difference": Tolerance(absolute=1e-4)}

if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
