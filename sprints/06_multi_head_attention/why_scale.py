"""Why divide the scores by the root of head_dim? Without it softmax freezes as heads get wider.

    uv run sprints/06_multi_head_attention/why_scale.py
    uv run sprints/06_multi_head_attention/why_scale.py --head-dims 16 64 --keys 1024

Queries and keys are independent normal numbers; everything is measured with the scale and without. Theory:
notes/03_the_scale.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.attention import attend

PRESETS = {"many_keys": {"head_dims": (64,), "keys": 1024}}
# A query whose largest weight is above this looks at one key alone.
FROZEN = 0.99


@dataclass(frozen=True)
class Config(ScriptConfig):
    head_dims: tuple[PositiveInt, ...] = (1, 4, 16, 64, 256, 1024)  # features of a head
    keys: AtLeastTwo = 64  # keys that each query looks at
    queries: PositiveInt = 2000  # queries to average over
    runs: PositiveInt = 5  # draws of queries and keys, for the spread


@dataclass(frozen=True)
class ScoreStatistics:
    """Means over the queries of each run, by head_dim and run."""

    variance: list[list[float]]
    entropy: list[list[float]]
    frozen: list[list[float]]
    gradient_norm: list[list[float]]


@dataclass(frozen=True)
class Results:
    head_dims: list[int]
    scaled: ScoreStatistics
    unscaled: ScoreStatistics
    uniform_entropy: float
    normal_entropy: list[float | None]
    freezing_variance: float
    difference_from_attend: float


def softmax_entropy(weights: Tensor) -> Tensor:
    """Return the entropy of each row of weights in nats: ln(keys) for an average, 0 for a choice."""
    return -torch.special.xlogy(weights, weights).sum(dim=-1)


def gradient_norm(scores: Tensor, generator: torch.Generator) -> float:
    """Return the mean norm of what softmax passes back to the scores, given a normal gradient of the weights."""
    scores = scores.detach().requires_grad_()
    upstream = torch.randn(scores.shape, generator=generator).to(scores)
    (gradient,) = torch.autograd.grad(scores.softmax(dim=-1), scores, upstream)
    return gradient.norm(dim=-1).mean().item()


def measure(scores: Tensor, generator: torch.Generator) -> tuple[float, float, float, float]:
    """Return variance, entropy, share of frozen queries and gradient norm of scores (queries, keys)."""
    weights = scores.softmax(dim=-1)
    return (
        scores.var().item(),
        softmax_entropy(weights).mean().item(),
        (weights.amax(dim=-1) > FROZEN).float().mean().item(),
        gradient_norm(scores, generator),
    )


def draw_scores(config: Config, head_dim: int, generator: torch.Generator) -> tuple[Tensor, float]:
    """Return dot products of normal queries with normal keys, and how far `attend` is from their scaled softmax."""
    query, key = (
        torch.randn(1, config.queries, tokens, head_dim, generator=generator).to(pick_device(config.device))
        for tokens in (1, config.keys)
    )
    scores = query @ key.mT  # (1, queries, 1, keys): every query has keys of its own
    expected = attend(query, key, key)[1]
    difference = ((scores / math.sqrt(head_dim)).softmax(dim=-1) - expected).abs().max().item()
    return scores.flatten(0, 2), difference


def main(config: Config) -> Results:
    generator, differences = seed_everything(config.seed), []
    quantities: dict[str, list[list[tuple[float, ...]]]] = {"scaled": [], "unscaled": []}
    for head_dim in config.head_dims:
        draws: dict[str, list[tuple[float, ...]]] = {"scaled": [], "unscaled": []}
        for _ in range(config.runs):
            scores, difference = draw_scores(config, head_dim, generator)
            differences.append(difference)
            draws["unscaled"].append(measure(scores, generator))
            draws["scaled"].append(measure(scores / math.sqrt(head_dim), generator))
        for kind, values in draws.items():
            quantities[kind].append(values)
            means = [sum(column) / len(column) for column in zip(*values, strict=True)]
            print(f"head_dim {head_dim:>5} {kind:<9} variance {means[0]:8.2f}  entropy {means[1]:.3f}", end="")
            print(f"  frozen {means[2]:.1%}  gradient {means[3]:.4f}")
    kinds = {
        kind: ScoreStatistics(*([list(column) for column in columns] for columns in _by_quantity(values)))
        for kind, values in quantities.items()
    }
    uniform, freezing = math.log(config.keys), 2 * math.log(config.keys)
    results = Results(
        head_dims=list(config.head_dims),
        **kinds,
        uniform_entropy=uniform,
        normal_entropy=[uniform - variance / 2 if variance < freezing else None for variance in config.head_dims],
        freezing_variance=freezing,
        difference_from_attend=max(differences),
    )
    print(f"an average has entropy ln({config.keys}) = {uniform:.3f}; normal scores freeze at variance {freezing:.1f}")
    return results


def _by_quantity(values: list[list[tuple[float, ...]]]) -> list[list[list[float]]]:
    """Turn (head_dims, runs, quantities) into (quantities, head_dims, runs)."""
    return torch.tensor(values, dtype=torch.float64).permute(2, 0, 1).tolist()


def plot(results: Results) -> Figure:
    """Draw all quantities by head_dim, with the scale and without."""
    figure, grid = new_figure(9.0, 6.4, rows=2, columns=2)
    axes = list(grid.flat)
    for name, kind in (("scaled", results.scaled), ("unscaled", results.unscaled)):
        for panel, values in zip(axes, (kind.variance, kind.entropy, kind.frozen, kind.gradient_norm), strict=True):
            means = [sum(runs) / len(runs) for runs in values]
            panel.plot(results.head_dims, means, marker="o", label=name)
    axes[0].plot(results.head_dims, results.head_dims, color="black", linestyle=":", label="head_dim")
    axes[0].set(title="variance of the scores", yscale="log")
    axes[1].axhline(results.uniform_entropy, color="black", linestyle=":", label="average: ln(keys)")
    axes[1].axvline(results.freezing_variance, color="grey", linestyle="--", label="head_dim = 2 ln(keys)")
    axes[1].set(title="entropy of the weights", ylabel="nats", ylim=(0, 5.8))
    axes[2].set(title="saturated queries (one weight above 0.99)", ylabel="share", ylim=(-0.02, 1))
    axes[3].set(title="norm of the gradient of the scores", ylim=(0, None))
    for panel in axes:
        panel.set(xlabel="head_dim", xscale="log")
    for panel in axes[:2]:
        panel.legend(fontsize=8, ncols=2)
    return figure


if __name__ == "__main__":
    # A query or two of 2000 lie at the threshold, or freeze, by the last digit of a score.
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*.frozen*": Tolerance(absolute=0.002)})
