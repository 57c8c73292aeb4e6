"""Which scores minimise the loss of negative sampling? There is a formula, and longer vectors come nearer to it.

    uv run sprints/05_embeddings_and_positional_encoding/shifted_pmi.py

All pairs of ingredients fit into one small matrix, so the expected loss and its optimum are known exactly.
Theory: notes/03_negative_sampling.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from embedding_study.ingredient_pairs import count_pairs, expected_loss, fit_vectors, noise_distribution
from shared.lab.compare import ROUNDING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Fraction, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.text.cookbook import Cookbook


@dataclass(frozen=True)
class Config(ScriptConfig):
    recipes: PositiveInt = 2000  # recipes to count in
    negatives: PositiveInt = 5  # words of noise for each pair
    power: Fraction = 0.75  # power of the counts in the noise distribution
    features: tuple[PositiveInt, ...] = (1, 2, 4, 8, 16, 32, 64)  # lengths of the vectors to fit
    steps: PositiveInt = 400  # optimizer steps of a fit


@dataclass(frozen=True)
class Results:
    loss_of_zeros: float
    optimum: float
    slope_at_the_optimum: float
    features: list[int]
    losses: list[float]
    correlation_with_pmi: list[float]


def shifted_pmi(counts: Tensor, noise: Tensor, negatives: int) -> Tensor:
    """Return the scores at which the expected loss is lowest: log [p(i, j) / (p(i) noise(j))] - log negatives."""
    pairs = counts / counts.sum()
    return (pairs / (pairs.sum(dim=1, keepdim=True) * noise)).log() - torch.tensor(negatives).log()


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    counts = count_pairs(Cookbook(), config.recipes)  # (ingredients, ingredients)
    if not counts.sum(dim=1).all():
        raise ValueError(f"each ingredient must occur, some do not in {config.recipes} recipes: give more --recipes")
    noise = noise_distribution(counts, config.power)  # (ingredients)
    # A pair that never occurs wants the score minus infinity, where it costs nothing; a very low score will do.
    best = shifted_pmi(counts, noise, config.negatives).clamp(min=-100).requires_grad_()
    optimum = expected_loss(best, counts, noise, config.negatives)
    (slope,) = torch.autograd.grad(optimum, best)
    loss_of_zeros = expected_loss(torch.zeros_like(counts), counts, noise, config.negatives).item()
    print(f"loss of zero vectors {loss_of_zeros:.4f}, of shifted PMI {optimum.item():.4f}")
    occurs, losses, correlations = counts > 0, [], []
    for features in (bar := tqdm(config.features, desc="fits")):
        centres, contexts = fit_vectors(
            counts, noise, features=features, negatives=config.negatives, steps=config.steps, generator=generator
        )
        scores = (centres @ contexts.T).double()
        losses.append(expected_loss(scores, counts, noise, config.negatives).item())
        correlations.append(torch.corrcoef(torch.stack([scores[occurs], best.detach()[occurs]]))[0, 1].item())
        bar.write(f"{features:3d} features  loss {losses[-1]:.4f}  correlation with shifted PMI {correlations[-1]:.3f}")
    return Results(
        loss_of_zeros=loss_of_zeros,
        optimum=optimum.item(),
        slope_at_the_optimum=slope.abs().max().item(),
        features=list(config.features),
        losses=losses,
        correlation_with_pmi=correlations,
    )


def plot(results: Results) -> Figure:
    """Draw the loss by the length of the vectors, between that of zeros and the optimum."""
    figure, axes = new_figure()
    axes.plot(results.features, results.losses, marker="o", label="vectors")
    axes.axhline(results.loss_of_zeros, color="gray", linestyle="--", label="all scores zero")
    axes.axhline(results.optimum, color="black", label="optimum")
    axes.set_xscale("log", base=2)
    axes.set(xlabel="features of a vector", ylabel="expected loss of a pair (nats)", ylim=(0, None))
    axes.set_xticks(results.features, [str(features) for features in results.features])
    axes.legend()
    return figure


TOLERANCE = {
    "*": ROUNDING,
    "losses.*": Tolerance(absolute=0.01),
    "correlation_with_pmi.*": Tolerance(absolute=0.03),
}

if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
