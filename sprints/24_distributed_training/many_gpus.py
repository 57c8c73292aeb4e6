"""What would 8, 64 and 1,024 GPUs gain? The α-β model's answer for one language model, with overlap and without.

    uv run sprints/24_distributed_training/many_gpus.py
    uv run sprints/24_distributed_training/many_gpus.py --parameters 124e6 --gigabytes-between 3

A prediction: nothing here was run on a GPU. The defaults are those of a server with 8 A100 and a network card of
200 Gbit/s for each. Theory: notes/12_how_fast.md
"""

from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure

from parallel_study.alpha_beta import Link, even_buckets, hierarchical_seconds, ring_seconds, step_seconds
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveFraction, PositiveInt
from shared.lab.run import run

MOST_BUCKETS = 100_000


@dataclass(frozen=True)
class Config(ScriptConfig):
    gpus: Annotated[tuple[PositiveInt, ...], Different] = (8, 64, 256, 1024)  # GPUs in all
    inside: PositiveInt = 8  # GPUs of a server
    parameters: PositiveFloat = 1.56e9  # of the model: GPT-2 XL
    bytes_a_gradient: PositiveInt = 4  # float32: 4, bfloat16: 2
    tokens: PositiveInt = 8192  # of a GPU and step, where the work grows with the GPUs
    batch: PositiveInt = 524_288  # tokens of a step, where the batch stays as it is
    teraflops: PositiveFloat = 312.0  # a GPU's peak, in bfloat16
    utilization: PositiveFraction = 0.4  # part of the peak that one GPU alone reaches
    gigabytes_within: PositiveFloat = 300.0  # a second, between two GPUs of a server in one direction
    gigabytes_between: PositiveFloat = 25.0  # a second, from a GPU to one of another server
    latency: PositiveFloat = 10.0  # microseconds of a message
    bucket: PositiveFloat = 25.0  # megabytes of gradients that are reduced at once

    def check(self) -> None:
        wrong = [count for count in self.gpus if count % self.inside]
        if wrong:
            raise ValueError(f"GPUs stand in whole servers of {self.inside}; give --gpus that it divides, not {wrong}")
        buckets = self.parameters * self.bytes_a_gradient / (self.bucket * 1e6)
        if buckets > MOST_BUCKETS:
            raise ValueError(f"{buckets:.0g} buckets are more than {MOST_BUCKETS:,}: give a larger --bucket")


@dataclass(frozen=True)
class Step:
    """Milliseconds of a step that computes for `compute`; shares are of perfect scaling."""

    tokens: int  # of a GPU
    compute: float
    reduction: float
    at_the_end: float
    overlapped: float
    efficiency_at_the_end: float
    efficiency_overlapped: float


@dataclass(frozen=True)
class Results:
    weak: dict[str, Step]  # the work grows with the GPUs
    strong: dict[str, Step]  # the batch stays as it is
    one_ring: dict[str, float]  # milliseconds of a reduction in one ring around all GPUs


def predicted_step(config: Config, gpus: int, tokens: int) -> Step:
    """Return what the model predicts for so many GPUs with so many tokens each."""
    compute = 6 * config.parameters * tokens / (config.teraflops * 1e12 * config.utilization)
    forward, backward = compute / 3, compute * 2 / 3
    size, alpha = config.parameters * config.bytes_a_gradient, config.latency / 1e6
    within, between = Link(alpha, config.gigabytes_within * 1e9), Link(alpha, config.gigabytes_between * 1e9)
    sizes, ready = even_buckets(size, config.bucket * 1e6, backward)
    transfers = [hierarchical_seconds(part, gpus // config.inside, config.inside, within, between) for part in sizes]
    reduction = sum(transfers)
    at_the_end, overlapped = compute + reduction, step_seconds(forward, ready, transfers, backward)
    return Step(tokens, 1e3 * compute, 1e3 * reduction, 1e3 * at_the_end, 1e3 * overlapped, compute / at_the_end,
                compute / overlapped)  # fmt: skip


def main(config: Config) -> Results:
    weak = {str(gpus): predicted_step(config, gpus, config.tokens) for gpus in config.gpus}
    strong = {str(gpus): predicted_step(config, gpus, max(1, config.batch // gpus)) for gpus in config.gpus}
    slowest = Link(config.latency / 1e6, config.gigabytes_between * 1e9)
    buckets, _ = even_buckets(config.parameters * config.bytes_a_gradient, config.bucket * 1e6, 1.0)
    rings = {str(gpus): 1e3 * sum(ring_seconds(size, gpus, slowest) for size in buckets) for gpus in config.gpus}
    for name, steps in (("weak", weak), ("strong", strong)):
        for gpus, step in steps.items():
            shares = f"{step.efficiency_at_the_end:.0%}, overlapped {step.efficiency_overlapped:.0%}"
            print(f"{name:<7}{gpus:>5} GPUs, {step.tokens:>6,} tokens each: ", end="")
            print(f"computes {step.compute:.0f} ms, reduces {step.reduction:.0f} ms: {shares}")
    return Results(weak, strong, rings)


def plot(results: Results) -> Figure:
    """Draw efficiency by the number of GPUs, for a batch that grows and for one that stays."""
    figure, axes = new_figure(7.2, 3.2, columns=2)
    panels = (("tokens of a GPU stay the same (weak)", results.weak), ("batch stays the same (strong)", results.strong))
    for panel, (title, steps) in zip(axes, panels, strict=True):
        counts = [int(gpus) for gpus in steps]
        for colour, name, words in (
            (COLOURS[0], "efficiency_overlapped", "overlapped"),
            (COLOURS[1], "efficiency_at_the_end", "sent at the end"),
        ):
            values = [getattr(step, name) for step in steps.values()]
            panel.plot(counts, values, "o-", color=colour)
            place, above = min(1, len(counts) - 1), colour == COLOURS[0]
            panel.annotate(words, (counts[place], values[place]), xytext=(0, 7) if above else (-10, -10),
                           textcoords="offset points", ha="center" if above else "right", color=colour,
                           fontsize=9)  # fmt: skip
        panel.set_xscale("log", base=2)
        panel.set_xticks(counts, [f"{count:,}" for count in counts])
        panel.set(xlabel="GPUs", ylim=(0, 1.12))
        panel.set_title(title, fontsize=10)
    axes[0].set_ylabel("share of perfect scaling")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
