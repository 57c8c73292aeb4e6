"""What is a policy gradient? Two answers, one of them right: every number, with three baselines.

    uv run sprints/16_grpo_cooking/two_arms.py
    uv run sprints/16_grpo_cooking/two_arms.py --probability 0.05 --rewards 11 10

A policy gives answer A with the probability p = sigmoid(theta), otherwise answer B. Only what is drawn has a reward.
Theory: notes/01_policy_gradients.md and notes/02_baselines.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import OpenFraction, PositiveFloat, PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    probability: OpenFraction = 0.25  # of answer A at the start
    rewards: tuple[float, float] = (1.0, 0.0)  # of A and of B
    draws: PositiveInt = 1_000  # steps, of one answer each
    learning_rate: PositiveFloat = 0.3  # of theta


@dataclass(frozen=True)
class Estimate:
    """What one draw says of the gradient under a baseline: the estimate from A, from B, and mean and variance."""

    baseline: float
    from_a: float
    from_b: float
    mean: float
    variance: float


@dataclass(frozen=True)
class Results:
    probability: float
    rewards: list[float]
    exact: float
    estimates: dict[str, Estimate]
    learnt: dict[str, float]


def estimate(p: float, rewards: tuple[float, float], baseline: float) -> Estimate:
    """Return what (R - baseline) d log pi / d theta is for each answer, and its mean and variance."""
    first = (rewards[0] - baseline) * (1 - p)  # d log p / d theta = 1 - p
    second = (baseline - rewards[1]) * p  # d log (1 - p) / d theta = -p
    mean = p * first + (1 - p) * second
    return Estimate(baseline, first, second, mean, p * first**2 + (1 - p) * second**2 - mean**2)


def learn(config: Config, baseline: str) -> float:
    """Return p after so many steps, each from one draw."""
    generator = torch.Generator().manual_seed(config.seed)
    theta = math.log(config.probability / (1 - config.probability))
    for _ in range(config.draws):
        p = 1 / (1 + math.exp(-theta))
        drawn_a = torch.rand((), generator=generator).item() < p
        seen = estimate(p, config.rewards, baselines(p, config.rewards)[baseline])
        theta += config.learning_rate * (seen.from_a if drawn_a else seen.from_b)
        theta = min(max(theta, -30.0), 30.0)
    return 1 / (1 + math.exp(-theta))


def baselines(p: float, rewards: tuple[float, float]) -> dict[str, float]:
    """Return three baselines: none, the mean reward, and the one of least variance."""
    # E[R g^2] / E[g^2], where g = d log pi / d theta
    squares = p * (1 - p) ** 2, (1 - p) * p**2
    best = sum(r * square for r, square in zip(rewards, squares, strict=True)) / sum(squares)
    return {"none": 0.0, "mean reward": p * rewards[0] + (1 - p) * rewards[1], "least variance": best}


def main(config: Config) -> Results:
    p, rewards = config.probability, config.rewards
    exact = (rewards[0] - rewards[1]) * p * (1 - p)
    estimates = {name: estimate(p, rewards, baseline) for name, baseline in baselines(p, rewards).items()}
    shifted = (rewards[0] + 10, rewards[1] + 10)
    estimates["none, rewards + 10"] = estimate(p, shifted, 0.0)
    for name, each in estimates.items():
        print(f"{name:<20} b {each.baseline:.3f}: A {each.from_a:+.4f}, B {each.from_b:+.4f}, ", end="")
        print(f"mean {each.mean:.4f} (exact {exact:.4f}), variance {each.variance:.4f}")
    return Results(p, list(rewards), exact, estimates, {name: learn(config, name) for name in baselines(p, rewards)})


def plot(results: Results) -> Figure:
    """Draw how a gradient comes of draws, from left to right; above without a baseline, below with the mean reward."""
    figure, axes = drawings.canvas(9.4, 4.3)
    for name, top in (("none", 3.75), ("mean reward", 1.6)):
        draw_row(axes, results, results.estimates[name], top)
    drawings.text(axes, f"exactly dJ/dθ = {results.exact:.4f}", 8.5, 2.0)
    return figure


def draw_row(axes: Axes, results: Results, seen: Estimate, top: float) -> None:
    """Draw probabilities, rewards, gradients of the logarithm, and their products and mean."""
    p, size = results.probability, 0.62
    reward = "reward R" if seen.baseline == 0 else f"R − {seen.baseline:.4g}"
    columns = [
        ("probability", [p, 1 - p], drawings.QUERY),
        (reward, [reward - seen.baseline for reward in results.rewards], drawings.KEY),
        ("d log π / dθ", [1 - p, -p], drawings.VALUE),
        ("product", [f"{seen.from_a:.4f}", f"{seen.from_b:.4f}"], drawings.MIXED),
    ]
    for index, (title, numbers, colour) in enumerate(columns):
        x = 0.5 + 1.75 * index
        rows = ("A", "B") if index == 0 else ()
        drawings.cells(axes, [[n] for n in numbers], x, top, colour=colour, size=size, row_names=rows, title=title)
        if index < len(columns) - 1:
            drawings.text(axes, ("draw", "×", "=")[index], x + 1.2, top - size, size=10)
    drawings.arrow(axes, (6.5, top - size), (7.9, top - size), "mean by probability")
    drawings.cells(axes, [[f"{seen.mean:.4f}"]], 8.15, top - size / 2, colour=drawings.MIXED, size=size)
    drawings.text(axes, f"variance {seen.variance:.3f}", 8.46, top - 1.75 * size)


if __name__ == "__main__":
    run(main, Config, plot=plot)
