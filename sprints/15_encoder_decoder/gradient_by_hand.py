"""What does REINFORCE estimate? Three answers, their rewards, the exact gradient, and every estimate there is.

    uv run sprints/15_encoder_decoder/gradient_by_hand.py
    uv run sprints/15_encoder_decoder/gradient_by_hand.py --rewards 10 10.5 11

A model of three logits says one of three answers. The gradient of the expected reward is a sum, and the mean of the
estimates is one too, so that nothing has to be drawn. Theory: notes/07_policy_gradients.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

PROBABILITIES = (0.5, 0.3, 0.2)


@dataclass(frozen=True)
class Config(ScriptConfig):
    rewards: tuple[float, float, float] = (0.0, 0.5, 1.0)  # of the answers A, B and C


@dataclass(frozen=True)
class Results:
    rewards: list[float]
    expected: float
    exact: list[float]
    plain: list[list[float]]
    advantages: list[float]
    with_baseline: list[list[float]]
    spread: float
    spread_with_baseline: float


def estimates(probabilities: Tensor, weights: Tensor) -> Tensor:
    """Return for each answer the estimate that drawing it gives: its weight x the gradient of its log-probability.

    The gradient of log q(i) by the logits is 1 at i, less the probabilities.
    """
    return weights[:, None] * (torch.eye(3, dtype=torch.double) - probabilities)  # (answer, logit)


def spread(probabilities: Tensor, each: Tensor, mean: Tensor) -> float:
    """Return the root of the mean squared distance of one estimate from their mean."""
    return (probabilities @ (each - mean).square().sum(dim=1)).sqrt().item()


def main(config: Config) -> Results:
    q = torch.tensor(PROBABILITIES, dtype=torch.double)
    rewards = torch.tensor(config.rewards, dtype=torch.double)
    expected = q @ rewards
    logits = q.log().requires_grad_()
    (exact,) = torch.autograd.grad((logits.softmax(dim=0) * rewards).sum(), logits)
    plain, better = estimates(q, rewards), estimates(q, rewards - expected)
    for name, each in (("without a baseline", plain), ("with the expected reward as baseline", better)):
        print(f"{name}: the mean of the estimates is {[round(value, 3) for value in (q @ each).tolist()]}, ", end="")
        print(f"the spread of one {spread(q, each, exact):.3f}")
    print(f"expected reward {expected:.3f}, its gradient by autograd {[round(value, 3) for value in exact.tolist()]}")
    return Results(
        rewards=rewards.tolist(),
        expected=expected.item(),
        exact=exact.tolist(),
        plain=plain.tolist(),
        advantages=(rewards - expected).tolist(),
        with_baseline=better.tolist(),
        spread=spread(q, plain, exact),
        spread_with_baseline=spread(q, better, exact),
    )


def plot(results: Results) -> Figure:
    """Draw what each answer's draw pulls at, with and without a baseline, and the mean of both."""
    figure, axes = drawings.canvas(8.6, 3.0)
    size, y = 0.6, 2.38
    names = ["A", "B", "C"]

    def rounded(rows: list[list[float]]) -> list[list[str]]:
        return [[f"{number + 0.0:.2f}".replace("-0.00", "0.00").replace("-", "−") for number in row] for row in rows]

    columns = [[q, r] for q, r in zip(PROBABILITIES, results.rewards, strict=True)]
    drawings.cells(axes, columns, 0.55, y, size=size, row_names=names, column_names=["q", "r"], title="drawn")
    for x, title, rows, wide in (
        (3.0, "r × gradient of log q", results.plain, results.spread),
        (6.4, "(r − b) × gradient of log q", results.with_baseline, results.spread_with_baseline),
    ):
        largest = max(abs(number) for row in [*results.plain, *results.with_baseline] for number in row)
        strengths = [[0.05 + 0.6 * abs(number) / largest for number in row] for row in rows]
        drawings.cells(
            axes, rounded(rows), x, y, colour=drawings.QUERY, size=size, strengths=strengths, row_names=names,
            column_names=["logit A", "logit B", "logit C"], title=title,
        )  # fmt: skip
        drawings.text(axes, f"spread of one draw {wide:.2f}", x + 1.5 * size, 0.12)
    drawings.text(axes, "mean of the rows, weighted with q", 0.1, 0.38, align="left")
    for x in (3.0, 6.4):
        for index, number in enumerate(results.exact):
            mean = f"{number:.3f}".replace("-", "−")
            drawings.text(axes, mean, x + (index + 0.5) * size, 0.38, bold=True)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
