"""Methods that go on from the same start, over seeds: means, intervals, and differences from the control in pairs."""

from dataclasses import dataclass
from typing import NamedTuple

from shared.checks.intervals import MeanInterval, mean_interval


class Cost(NamedTuple):
    """The decoder's tokens and passes in a step, and how the judge of the method did, if it has one."""

    tokens: float
    passes: float
    judge: list[float] | None


class SeedResult(NamedTuple):
    """What is measured at the start and after each method, and what each method costs."""

    start: dict[str, float]
    metrics: dict[str, dict[str, float]]
    costs: dict[str, Cost]


@dataclass(frozen=True)
class MethodResult:
    """A method on a task: mean and half of its 95 % interval over the seeds, and the same of the paired differences.

    `tokens` and `passes` are those of the decoder in a step, relative to the control. `judge` is how often the judge of
    professor forcing was right, in the second half of the training, and in how many steps the model heard it.
    """

    metrics: dict[str, MeanInterval]
    differences: dict[str, MeanInterval]
    tokens: float
    passes: float
    judge: list[float] | None


def summarise(seeds: list[SeedResult], name: str, control: str) -> MethodResult:
    """Return what a method did over the seeds, beside the control of each seed."""
    keys = seeds[0].start
    values, control_values = (
        {key: [seed.metrics[each][key] for seed in seeds] for key in keys} for each in (name, control)
    )
    cost, control_cost = seeds[0].costs[name], seeds[0].costs[control]
    judges = [judge for seed in seeds if (judge := seed.costs[name].judge) is not None]
    return MethodResult(
        metrics={key: mean_interval(values[key]) for key in keys},
        differences={
            key: mean_interval([mine - other for mine, other in zip(values[key], control_values[key], strict=True)])
            for key in keys
        },
        tokens=cost.tokens / control_cost.tokens,
        passes=cost.passes / control_cost.passes,
        judge=[mean_interval(list(share))[0] for share in zip(*judges, strict=True)] or None,
    )
