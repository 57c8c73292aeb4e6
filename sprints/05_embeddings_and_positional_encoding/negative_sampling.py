"""What does negative sampling minimise? Its gradient by hand, its expectation over the noise, and its optimum.

    uv run sprints/05_embeddings_and_positional_encoding/negative_sampling.py

The words are ingredients and the context of one is the rest of its recipe, so all pairs fit into one small matrix and
the loss is known exactly. Theory: notes/03_negative_sampling.md
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn.functional import logsigmoid
from tqdm import tqdm

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.text.cookbook import Cookbook


@dataclass(frozen=True)
class Config(ScriptConfig):
    recipes: int = 2000  # recipes to count in
    negatives: int = 5  # words of noise for each pair
    power: float = 0.75  # power of the counts in the noise distribution
    draws: int = 200_000  # pairs to draw for the mean of the sampled loss
    features: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64)  # lengths of the vectors to fit
    steps: int = 400  # optimizer steps of a fit


@dataclass(frozen=True)
class Results:
    ingredients: int
    gradient_difference_autograd: float
    gradient_difference_finite: float
    expected_loss: float
    sampled_loss: float
    standard_error: float
    loss_of_zeros: float
    optimum: float
    slope_at_the_optimum: float
    features: list[int]
    losses: list[float]
    correlation_with_pmi: list[float]


def by_hand(centre: Tensor, context: Tensor, noise: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
    """Return the loss of one pair of vectors against vectors of noise, and its gradients in the same order.

    loss = -log s(context . centre) - sum over the noise of log s(-noise . centre), s the logistic function

    Args:
        centre, context: (features)
        noise: (negatives, features)
    """
    positive, negative = context @ centre, noise @ centre  # (), (negatives)
    loss = -logsigmoid(positive) - logsigmoid(-negative).sum()
    # The derivative by a score is probability minus label: the label of the pair is 1, that of noise 0.
    d_positive, d_negative = torch.sigmoid(positive) - 1, torch.sigmoid(negative)
    return loss, (d_positive * context + d_negative @ noise, d_positive * centre, d_negative[:, None] * centre)


def finite_differences(loss: Callable[[], Tensor], vector: Tensor, step: float = 1e-6) -> Tensor:
    """Return the gradient of a loss by a float64 tensor that it reads, from central differences."""
    gradient = torch.zeros_like(vector)
    for index in range(vector.numel()):
        ends = []
        for sign in (1, -1):
            vector.flatten()[index] += sign * step
            ends.append(loss())
            vector.flatten()[index] -= sign * step
        gradient.flatten()[index] = (ends[0] - ends[1]) / (2 * step)
    return gradient


def check_gradients(negatives: int, generator: torch.Generator) -> tuple[float, float]:
    """Return by how much the gradients by hand differ from autograd's and from finite differences."""
    sizes = ((12,), (12,), (negatives, 12))
    vectors = [torch.randn(size, dtype=torch.float64, generator=generator) for size in sizes]
    _, ours = by_hand(*vectors)
    leaves = [vector.clone().requires_grad_() for vector in vectors]
    theirs = torch.autograd.grad(by_hand(*leaves)[0], leaves)
    finite = [finite_differences(lambda: by_hand(*vectors)[0], vector) for vector in vectors]
    from_autograd, from_finite = (
        max((a - b).abs().max().item() for a, b in zip(ours, other, strict=True)) for other in (theirs, finite)
    )
    return from_autograd, from_finite


def count_pairs(recipes: int) -> Tensor:
    """Return how often each ingredient stands in a recipe with each other one, (ingredients, ingredients)."""
    cookbook = Cookbook()
    names = [ingredient.name for pantry in cookbook.pantry.values() for ingredient in pantry]
    listed = torch.zeros(recipes, len(names), dtype=torch.float64)
    for index in range(recipes):
        for ingredient in cookbook.recipe("train", index).ingredients:
            listed[index, names.index(ingredient.name)] = 1
    return (listed.T @ listed).fill_diagonal_(0)


def expected_loss(scores: Tensor, counts: Tensor, noise: Tensor, negatives: int) -> Tensor:
    """Return the mean loss of a pair, over all pairs and all noise.

    sum over i, j of  -p(i, j) log s(scores[i, j]) - negatives p(i) noise(j) log s(-scores[i, j])
    """
    pairs = counts / counts.sum()
    unrelated = pairs.sum(dim=1, keepdim=True) * noise
    return -(pairs * logsigmoid(scores) + negatives * unrelated * logsigmoid(-scores)).sum()


def sampled_losses(scores: Tensor, counts: Tensor, noise: Tensor, config: Config, generator: torch.Generator) -> Tensor:
    """Return the losses of pairs that are drawn by their counts, each with noise drawn for it, (draws)."""
    drawn = torch.multinomial(counts.flatten(), config.draws, replacement=True, generator=generator)
    centres, contexts = drawn // len(counts), drawn % len(counts)
    negatives = torch.multinomial(noise, config.draws * config.negatives, replacement=True, generator=generator)
    negatives = negatives.view(config.draws, config.negatives)
    noise_scores = scores[centres[:, None], negatives]
    return -logsigmoid(scores[centres, contexts]) - logsigmoid(-noise_scores).sum(dim=1)


def shifted_pmi(counts: Tensor, noise: Tensor, negatives: int) -> Tensor:
    """Return the scores at which the expected loss is lowest: log p(i, j) / (p(i) noise(j)) - log negatives."""
    pairs = counts / counts.sum()
    return (pairs / (pairs.sum(dim=1, keepdim=True) * noise)).log() - torch.tensor(negatives).log()


def fit(counts: Tensor, noise: Tensor, features: int, config: Config, generator: torch.Generator) -> Tensor:
    """Return the scores of vectors of a length that minimise the expected loss."""
    counts, noise = counts.float(), noise.float()
    vectors = (0.1 * torch.randn(2, len(counts), features, generator=generator)).requires_grad_()
    optimizer = torch.optim.Adam([vectors], lr=0.05)
    for _ in range(config.steps):
        optimizer.zero_grad()
        expected_loss(vectors[0] @ vectors[1].T, counts, noise, config.negatives).backward()
        optimizer.step()
    return (vectors[0] @ vectors[1].T).detach().double()


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    differences = check_gradients(config.negatives, generator)
    counts = count_pairs(config.recipes)
    noise = counts.sum(dim=0) ** config.power
    noise /= noise.sum()

    scores = torch.randn(counts.shape, dtype=torch.float64, generator=generator)
    expected = expected_loss(scores, counts, noise, config.negatives).item()
    sampled = sampled_losses(scores, counts, noise, config, generator)
    # A pair that never occurs wants the score minus infinity, where it costs nothing; a very low score will do.
    best = shifted_pmi(counts, noise, config.negatives).clamp(min=-100).requires_grad_()
    optimum = expected_loss(best, counts, noise, config.negatives)
    (slope,) = torch.autograd.grad(optimum, best)
    seen, losses, correlations = counts > 0, [], []
    for features in tqdm(config.features, desc="fits"):
        fitted = fit(counts, noise, features, config, generator)
        losses.append(expected_loss(fitted, counts, noise, config.negatives).item())
        correlations.append(torch.corrcoef(torch.stack([fitted[seen], best.detach()[seen]]))[0, 1].item())
    results = Results(
        ingredients=len(counts),
        gradient_difference_autograd=differences[0],
        gradient_difference_finite=differences[1],
        expected_loss=expected,
        sampled_loss=sampled.mean().item(),
        standard_error=sampled.std().item() / len(sampled) ** 0.5,
        loss_of_zeros=expected_loss(torch.zeros_like(scores), counts, noise, config.negatives).item(),
        optimum=optimum.item(),
        slope_at_the_optimum=slope.abs().max().item(),
        features=list(config.features),
        losses=losses,
        correlation_with_pmi=correlations,
    )
    print(f"gradients by hand differ from autograd's by {differences[0]:.1e}, from finite ones by {differences[1]:.1e}")
    print(f"expected loss {expected:.4f}, sampled {results.sampled_loss:.4f} +- {results.standard_error:.4f}")
    print(f"loss of zero vectors {results.loss_of_zeros:.4f}, of shifted PMI {results.optimum:.4f}")
    for features, loss, correlation in zip(config.features, losses, correlations, strict=True):
        print(f"{features:3d} features  loss {loss:.4f}  correlation with shifted PMI {correlation:.3f}")
    return results


def plot(results: Results) -> Figure:
    """Draw the loss by the length of the vectors, between that of zeros and the optimum."""
    figure, axes = new_figure()
    axes.plot(results.features, results.losses, marker="o", label="vectors")
    axes.axhline(results.loss_of_zeros, color="gray", linestyle="--", label="all scores zero")
    axes.axhline(results.optimum, color="black", label="optimum: shifted PMI")
    axes.set_xscale("log", base=2)
    axes.set(xlabel="features of a vector", ylabel="expected loss of a pair", ylim=(0, None))
    axes.set_xticks(results.features, [str(features) for features in results.features])
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
