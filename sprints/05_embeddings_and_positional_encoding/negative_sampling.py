"""What does negative sampling minimise? Its gradient by hand, and its expectation over the noise.

    uv run sprints/05_embeddings_and_positional_encoding/negative_sampling.py

The words are ingredients and the context of one is the rest of its recipe, so all pairs fit into one small matrix and
the loss is known exactly. Where it is lowest, shifted_pmi.py finds out. Theory: notes/03_negative_sampling.md
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from embedding_study.ingredient_pairs import count_pairs, expected_loss, noise_distribution
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo, Fraction, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.text.cookbook import Cookbook


@dataclass(frozen=True)
class Config(ScriptConfig):
    recipes: PositiveInt = 2000  # recipes to count in
    negatives: PositiveInt = 5  # words of noise for each pair
    power: Fraction = 0.75  # power of the counts in the noise distribution
    draws: AtLeastTwo = 200_000  # pairs to draw for the mean of the sampled loss


@dataclass(frozen=True)
class Results:
    ingredients: int
    gradient_difference_autograd: float
    gradient_difference_finite: float
    expected_loss: float
    sampled_loss: float
    standard_error: float


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
        max((left - right).abs().max().item() for left, right in zip(ours, other, strict=True))
        for other in (theirs, finite)
    )
    return from_autograd, from_finite


def sampled_losses(scores: Tensor, counts: Tensor, noise: Tensor, config: Config, generator: torch.Generator) -> Tensor:
    """Return the losses of pairs that are drawn by their counts, each with noise drawn for it, (draws)."""
    drawn = torch.multinomial(counts.flatten(), config.draws, replacement=True, generator=generator)
    centres, contexts = drawn // len(counts), drawn % len(counts)
    negatives = torch.multinomial(noise, config.draws * config.negatives, replacement=True, generator=generator)
    negatives = negatives.view(config.draws, config.negatives)
    noise_scores = scores[centres[:, None], negatives]
    return -logsigmoid(scores[centres, contexts]) - logsigmoid(-noise_scores).sum(dim=1)


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    from_autograd, from_finite = check_gradients(config.negatives, generator)
    counts = count_pairs(Cookbook(), config.recipes)
    noise = noise_distribution(counts, config.power)
    scores = torch.randn(counts.shape, dtype=torch.float64, generator=generator)
    sampled = sampled_losses(scores, counts, noise, config, generator)
    results = Results(
        ingredients=len(counts),
        gradient_difference_autograd=from_autograd,
        gradient_difference_finite=from_finite,
        expected_loss=expected_loss(scores, counts, noise, config.negatives).item(),
        sampled_loss=sampled.mean().item(),
        standard_error=sampled.std().item() / len(sampled) ** 0.5,
    )
    print(f"gradients by hand differ from autograd's by {from_autograd:.1e}, from finite ones by {from_finite:.1e}")
    print(f"expected loss {results.expected_loss:.4f}, ", end="")
    print(f"sampled {results.sampled_loss:.4f} +- {results.standard_error:.4f}")
    return results


if __name__ == "__main__":
    run(main, Config)
