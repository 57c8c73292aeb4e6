"""What does one step of GRPO do? One question, four answers, every number from the rewards to the loss.

    uv run sprints/16_grpo_cooking/one_group.py
    uv run sprints/16_grpo_cooking/one_group.py --rewards 1 1 1 1

The answers are made up; rewards, advantages and loss come from the functions that the training uses.
Theory: notes/04_grpo.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from kitchen.grpo import Objective, group_advantages, grpo_loss
from kitchen.problems import KitchenProblem
from kitchen.rewards import VERIFIED, score
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

PROBLEM = KitchenProblem("40 g dill for 4, how much for 3?", "40/4=10;10*3=30", "30 g", "scale")
TEXTS = (
    "<think>40/4=10;10*3=30</think><answer>30 g</answer>",
    "<think>40/4=10;10*3=33</think><answer>33 g</answer>",
    "<think>40/4=10;10*3=30</think><answer>30 g</answer>",
    "<think>40*3=120",
)
LENGTHS = (4, 4, 4, 2)  # tokens of each answer, as a picture has room for


@dataclass(frozen=True)
class Config(ScriptConfig):
    rewards: tuple[float, ...] | None = None  # of the four answers (default: what the verifier gives)

    def check(self) -> None:
        if self.rewards is not None and len(self.rewards) != len(TEXTS):
            raise ValueError(f"--rewards must be {len(TEXTS)} numbers, one for each answer; got {len(self.rewards)}")


@dataclass(frozen=True)
class Results:
    rewards: list[float]
    mean: float
    deviation: float
    advantages: list[float]
    loss: float
    slopes: list[float]
    lengths: list[int]


def main(config: Config) -> Results:
    rewards = list(config.rewards or score(VERIFIED, [PROBLEM] * len(TEXTS), TEXTS)[0])
    grouped = torch.tensor([rewards])
    advantages, _ = group_advantages(grouped)
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    log_probs = torch.zeros(mask.shape, requires_grad=True)  # as when the answers were drawn: every ratio is 1
    same = log_probs.detach()
    loss, _, _ = grpo_loss(log_probs, same, same, advantages[0], mask, Objective(beta=0.0))
    loss.backward()
    assert log_probs.grad is not None
    slopes = (-log_probs.grad[:, 0]).tolist()
    for text, reward, advantage, slope in zip(TEXTS, rewards, advantages[0].tolist(), slopes, strict=True):
        print(f"{reward:.2f} {advantage:+.3f} {slope:+.4f}  {text}")
    spread = grouped.std().item()
    return Results(rewards, grouped.mean().item(), spread, advantages[0].tolist(), loss.item(), slopes, list(LENGTHS))


def plot(results: Results) -> Figure:
    """Draw the loop from left to right: prompt, answers, rewards, advantages, and what each token is told."""
    figure, axes = drawings.canvas(10.4, 3.6)
    drawings.box(axes, "40 g dill\nfor 4, how\nmuch for 3?", 0.1, 1.15, 1.25, 1.1, drawings.QUERY)
    size, top = 0.62, 2.95
    short = ("10·3=30 → 30 g", "10·3=33 → 33 g", "10·3=30 → 30 g", "40·3=120 …")
    for row, words in enumerate(short):
        middle = top - (row + 0.5) * size
        drawings.arrow(axes, (1.4, 1.7), (1.95, middle))
        drawings.box(axes, words, 2.0, middle - 0.24, 1.75, 0.48, drawings.KEY)
    drawings.text(axes, "the policy draws a group", 2.87, 3.2, bold=True)
    columns = (
        ("rewards", [f"{reward:.2f}" for reward in results.rewards], drawings.VALUE, 4.55),
        ("advantages", [f"{advantage:+.2f}" for advantage in results.advantages], drawings.MIXED, 6.45),
    )
    for title, numbers, colour, x in columns:
        drawings.cells(axes, [[number] for number in numbers], x, top, colour=colour, size=size, title=title)
    drawings.arrow(axes, (3.85, 1.7), (4.45, 1.7), "check")
    drawings.arrow(axes, (5.25, 1.7), (6.35, 1.7), "− mean, ÷ std")
    drawings.text(axes, f"mean {results.mean:.3f}, std {results.deviation:.3f}", 5.8, 0.2)
    drawings.arrow(axes, (7.15, 1.7), (7.75, 1.7), "loss")
    slopes = [[f"{slope:+.2f}"] * length for slope, length in zip(results.slopes, results.lengths, strict=True)]
    strengths = [[min(1.0, 4 * abs(slope))] * len(row) for slope, row in zip(results.slopes, slopes, strict=True)]
    drawings.cells(
        axes, slopes, 7.85, top, size=size, strengths=strengths, colour=drawings.MIXED, title="push on each log π"
    )
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
