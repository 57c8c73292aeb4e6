"""Where does weight decay make an optimizer end: Adam's, which is part of the gradient, and AdamW's, which is not?

    uv run sprints/03_models_and_training_loops/where_weight_decay_ends.py

Two weights, a loss whose minimum is known, and so is the minimum of the loss with the penalty decay / 2 |w|^2. The
learning rate falls to zero, so that each optimizer arrives; then the same with noise in the gradient.
Theory: notes/11_weight_decay.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import NonNegativeFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

# Running means over twenty steps, so that they follow a learning rate that falls within a short run.
BETAS = (0.9, 0.95)
OPTIMIZERS: dict[str, tuple[Callable, float]] = {  # and the learning rate at the start
    "SGD": (torch.optim.SGD, 0.1),
    "Adam": (partial(torch.optim.Adam, betas=BETAS), 0.1),
    "AdamW": (partial(torch.optim.AdamW, betas=BETAS), 0.1),
}
CURVATURE, MINIMUM = ((2.0, 1.0), (1.0, 6.0)), (1.5, 0.5)


@dataclass(frozen=True)
class Config(ScriptConfig):
    decay: NonNegativeFloat = 0.5  # weight decay
    noise: tuple[NonNegativeFloat, ...] = (0.0, 1.0, 2.0, 4.0)  # standard deviations of the noise in the gradient
    steps: PositiveInt = 3000  # steps, with a rate that falls to zero
    seeds: PositiveInt = 3  # runs with other noise, with seeds from --seed on


@dataclass(frozen=True)
class Results:
    noise: list[float]
    minimum: list[float]
    minimum_with_penalty: list[float]
    adamw_by_theory: list[list[float]]
    ends: dict[str, list[list[float]]]
    largest_deviation: float


def minimum_with_penalty(strength: float) -> list[float]:
    """Return where the loss plus strength / 2 |w|^2 is lowest."""
    curvature, minimum = torch.tensor(CURVATURE, dtype=torch.float64), torch.tensor(MINIMUM, dtype=torch.float64)
    return torch.linalg.solve(curvature + strength * torch.eye(2), curvature @ minimum).tolist()


def descend(make: Callable, peak: float, decay: float, noise: Tensor) -> Tensor:
    """Return where an optimizer ends, its rate falling from `peak` to zero; row t of `noise` blurs gradient t."""
    curvature, minimum = torch.tensor(CURVATURE, dtype=torch.float64), torch.tensor(MINIMUM, dtype=torch.float64)
    weights = torch.zeros(2, dtype=torch.float64)
    optimizer = make([weights], lr=peak, weight_decay=decay)
    for step, blur in enumerate(noise):
        optimizer.param_groups[0]["lr"] = peak * (1 - step / len(noise))
        weights.grad = curvature @ (weights - minimum) + blur
        optimizer.step()
    return weights


def main(config: Config) -> Results:
    penalized = minimum_with_penalty(config.decay)
    print("minimum of the loss ({:.3f}, {:.3f}), with the penalty ({:.3f}, {:.3f})".format(*MINIMUM, *penalized))
    ends, deviations = {}, []
    for name, (make, peak) in tqdm(OPTIMIZERS.items(), desc="optimizers"):
        ends[name] = []
        for size in config.noise:
            by_seed = []
            for seed in range(config.seed, config.seed + (config.seeds if size else 1)):
                noise = size * torch.randn(config.steps, 2, generator=seed_everything(seed), dtype=torch.float64)
                by_seed.append(descend(make, peak, config.decay, noise))
            ends[name].append(torch.stack(by_seed).mean(0).tolist())
            deviations.append(torch.stack(by_seed).std(0, correction=0).max().item())
    for name, places in ends.items():
        shown = (f"({x:.3f}, {y:.3f}) with noise {size:g}" for size, (x, y) in zip(config.noise, places, strict=True))
        print(f"{name:<6}ends at {', '.join(shown)}")
    return Results(
        noise=list(config.noise),
        minimum=list(MINIMUM),
        minimum_with_penalty=penalized,
        # AdamW divides the gradient by its root mean square, here about that of the noise, and the decay by nothing.
        adamw_by_theory=[minimum_with_penalty(config.decay * size) for size in config.noise],
        ends=ends,
        largest_deviation=max(deviations),
    )


def plot(results: Results) -> Figure:
    """Draw the first weight of each end by noise, beside the two minima."""
    figure, axes = new_figure()
    axes.axhline(results.minimum[0], color="black", label="minimum of the loss")
    axes.axhline(results.minimum_with_penalty[0], color="black", linestyle="--", label="minimum with the penalty")
    for (name, places), marker in zip(results.ends.items(), "osD", strict=True):
        firsts = [first for first, _ in places]
        axes.plot(results.noise, firsts, marker=marker, fillstyle="none", markersize=9, label=name)
    axes.plot(results.noise, [first for first, _ in results.adamw_by_theory], "C2:", label="AdamW by theory")
    axes.set(xlabel="standard deviation of the gradient's noise", ylabel="first weight at the end", ylim=(0, None))
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
