"""Pairs of ingredients of one recipe: so few that the loss of negative sampling is known exactly."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from shared.text.cookbook import Cookbook

Matrix = Float[Tensor, "ingredients ingredients"]


def count_pairs(cookbook: Cookbook, recipes: int) -> Matrix:
    """Return how often each ingredient stands in a recipe with each other one."""
    names = [ingredient.name for pantry in cookbook.pantry.values() for ingredient in pantry]
    listed = torch.zeros(recipes, len(names), dtype=torch.float64)
    for index in range(recipes):
        for ingredient in cookbook.recipe("train", index).ingredients:
            listed[index, names.index(ingredient.name)] = 1
    return (listed.T @ listed).fill_diagonal_(0)


def noise_distribution(counts: Matrix, power: float) -> Float[Tensor, " ingredients"]:
    """Return the distribution that noise is drawn from: by the counts of ingredients to a power."""
    noise = counts.sum(dim=0) ** power
    return noise / noise.sum()


def expected_loss(
    scores: Matrix, counts: Matrix, noise: Float[Tensor, " ingredients"], negatives: int
) -> Float[Tensor, ""]:
    """Return the mean loss of a pair, over all pairs and all noise.

    -sum over i, j of [p(i, j) log s(scores[i, j]) + negatives p(i) noise(j) log s(-scores[i, j])]
    """
    pairs = counts / counts.sum()
    unrelated = pairs.sum(dim=1, keepdim=True) * noise
    return -(pairs * logsigmoid(scores) + negatives * unrelated * logsigmoid(-scores)).sum()


def fit_vectors(
    counts: Matrix, noise: Float[Tensor, " ingredients"], *, features: int, negatives: int, steps: int,
    generator: torch.Generator,
) -> Float[Tensor, "2 ingredients features"]:  # fmt: skip
    """Return the vectors of a length, as centres and as contexts, whose products minimise the expected loss."""
    counts, noise = counts.float(), noise.float()
    vectors = (0.1 * torch.randn(2, len(counts), features, generator=generator)).requires_grad_()
    optimizer = torch.optim.Adam([vectors], lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        expected_loss(vectors[0] @ vectors[1].T, counts, noise, negatives).backward()
        optimizer.step()
    return vectors.detach()
