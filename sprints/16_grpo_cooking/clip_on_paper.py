"""What does PPO's clip allow? The objective of one token by its ratio, for an answer to be reinforced and one not.

    uv run sprints/16_grpo_cooking/clip_on_paper.py
    uv run sprints/16_grpo_cooking/clip_on_paper.py --clip-high 0.28

min(ratio A, clip(ratio) A) at points that one can work out, and its slope by autograd. Theory: notes/03_clipping.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from kitchen.grpo import Objective, grpo_loss
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import OpenFraction, PositiveFloat
from shared.lab.run import run

ADVANTAGES = (1.0, -1.0)


@dataclass(frozen=True)
class Config(ScriptConfig):
    clip_low: OpenFraction = 0.2  # how far below 1 the ratio may go
    clip_high: PositiveFloat = 0.2  # how far above 1 the ratio may go
    ratios: tuple[PositiveFloat, ...] = (0.5, 1.0, 1.1, 1.5)  # points to work out


@dataclass(frozen=True)
class Point:
    """The objective of a token, and its slope by the token's log-probability."""

    ratio: float
    advantage: float
    objective: float
    slope: float


@dataclass(frozen=True)
class Results:
    clip_low: float
    clip_high: float
    points: list[Point]


def measure(ratio: float, advantage: float, config: Config) -> Point:
    """Return what the loss of the sprint says of one token."""
    log_prob = torch.tensor([[ratio]]).log().requires_grad_()
    zero, objective = torch.zeros(1, 1), Objective(0.0, config.clip_low, config.clip_high)
    mask = torch.ones(1, 1, dtype=torch.bool)
    loss, _, _ = grpo_loss(log_prob, zero, zero, torch.tensor([advantage]), mask, objective)
    loss.backward()
    assert log_prob.grad is not None
    return Point(ratio, advantage, -loss.item(), -log_prob.grad.item())


def main(config: Config) -> Results:
    points = [measure(ratio, advantage, config) for advantage in ADVANTAGES for ratio in config.ratios]
    for point in points:
        print(f"A {point.advantage:+.0f}, ratio {point.ratio}: {point.objective:+.2f}, slope {point.slope:+.2f}")
    return Results(config.clip_low, config.clip_high, points)


def plot(results: Results) -> Figure:
    """Draw the objective by the ratio; where it is flat there is no gradient."""
    figure, axes = new_figure(8.6, 3.6, columns=2)
    low, high = 1 - results.clip_low, 1 + results.clip_high
    ratios = torch.linspace(0.3, 1.7, 300)
    titles = {1.0: "A = +1: a token of a good answer", -1.0: "A = −1: a token of a bad answer"}
    for axis, (advantage, title) in zip(axes, titles.items(), strict=True):
        plain, clipped = ratios * advantage, ratios.clamp(low, high) * advantage
        axis.plot(ratios, plain, "--", color="C5", label="ratio · A")
        axis.plot(ratios, torch.minimum(plain, clipped), color="C0", linewidth=2.2, label="min(ratio · A, clip · A)")
        axis.axvspan(low, high, color="#dddddd", alpha=0.5, linewidth=0)
        for point in results.points:
            if point.advantage == advantage:
                axis.plot(point.ratio, point.objective, "o", color="C3")
                shown, offset = f"{point.objective:.2g}".replace("-", "−"), (5, -12) if advantage > 0 else (5, 5)
                axis.annotate(shown, (point.ratio, point.objective), offset, textcoords="offset points")
        axis.set(title=title, xlabel="ratio: policy / policy that drew the token")
        flat = (1.5, high - 0.22) if advantage > 0 else (0.48, -low - 0.1)
        axis.text(*flat, "no gradient", ha="center", fontsize=9)
    axes[0].set_ylabel("objective of the token")
    axes[0].legend(loc="upper left", fontsize=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
