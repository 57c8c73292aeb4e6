"""What recipes are like: how many are valid, how varied they are, and how far from what the grammar writes."""

import math
import statistics
from collections import Counter
from dataclasses import dataclass

import torch

from decoding_demo.sampling_settings import SamplingSettings
from shared.checks.intervals import share_interval
from shared.nn.gpt import GPT
from shared.text.batches import pad_rows
from shared.text.cookbook import Cookbook
from shared.text.grammar import Parser


@dataclass(frozen=True)
class RecipeMeasures:
    """What recipes of one origin are like.

    valid, interval: share that the grammar accepts, with its 95 % interval.
    entropy, entropy_error: nats a recipe, with the standard error.
    cost: -log probability of the valid ones in the exact distribution, nats a recipe.
    perplexity: exp of the same per token.
    divergence: KL(valid ones || exact), nats a recipe.
    distinct_...: shares of distinct items.
    """

    kind: str
    value: int | float
    valid: float
    interval: tuple[float, float]
    entropy: float
    entropy_error: float
    cost: float | None
    perplexity: float | None
    divergence: float | None
    distinct_recipes: float
    distinct_titles: float
    distinct_trigrams: float


@torch.no_grad()
def score_draws(model: GPT, rows: list[list[int]], settings: SamplingSettings) -> tuple[list[float], list[float]]:
    """Return, for each row, its log-probability under the sampler, and the entropies of all draws added up.

    The mean of either, the first negated, estimates the entropy of what is written.
    """
    log_probs, entropies, device = [], [], next(model.parameters()).device
    for start in range(0, len(rows), 25):
        batch = rows[start : start + 25]
        tokens = pad_rows(batch).tokens.to(device)
        mask = (torch.arange(1, tokens.shape[1]) < torch.tensor([[len(row)] for row in batch])).to(device)
        logits = model(tokens)[:, :-1]  # (batch, tokens, vocab)
        log_q = settings.apply(logits.flatten(0, 1), tokens).log_softmax(-1).unflatten(0, logits.shape[:2])
        drawn = log_q.gather(-1, tokens[:, 1:, None])[..., 0]
        entropy = torch.special.entr(log_q.exp()).sum(-1)
        log_probs += drawn.where(mask, 0.0).sum(-1).tolist()
        entropies += entropy.where(mask, 0.0).sum(-1).tolist()
    return log_probs, entropies


def grammar_entropy(text: str) -> float:
    """Return the entropies of all choices of the grammar on the way to a recipe, added up."""
    parser = Parser(text)
    Cookbook().write(parser)
    return parser.entropy


def measure_recipes(
    kind: str, value: int | float, texts: list[str], lengths: list[int], log_probs: list[float], entropies: list[float]
) -> RecipeMeasures:
    """Return the measures of recipes, given how probable each was to be drawn."""
    cookbook = Cookbook()
    exact = [cookbook.log_prob(text) for text in texts]
    valid = [index for index, log_p in enumerate(exact) if log_p > -math.inf]
    share, count = len(valid) / len(texts), len(valid)
    cost = -math.fsum(exact[index] for index in valid)
    gain = math.fsum(log_probs[index] for index in valid)
    words = [text.split() for text in texts]
    trigrams = Counter(triple for row in words for triple in zip(row, row[1:], row[2:], strict=False))
    return RecipeMeasures(
        kind=kind,
        value=value,
        valid=share,
        interval=share_interval(count, len(texts)),
        entropy=statistics.fmean(entropies),
        entropy_error=statistics.stdev(entropies) / math.sqrt(len(texts)),
        cost=cost / count if count else None,
        perplexity=math.exp(cost / sum(lengths[index] for index in valid)) if count else None,
        # The valid ones are drawn with probability q / share.
        divergence=(cost + gain) / count - math.log(share) if count else None,
        distinct_recipes=len(set(texts)) / len(texts),
        distinct_titles=len({text.partition("\n")[0] for text in texts}) / len(texts),
        distinct_trigrams=len(trigrams) / trigrams.total(),
    )
