"""Which sampling setting is best? Quality against diversity, in a world where both can be measured exactly.

    uv run sprints/10_pretrained_generation_demo/quality_diversity.py

Quality is the share of recipes that the grammar accepts. Diversity is the entropy of what is written, in nats a recipe;
the grammar's own recipes have all the quality and all the diversity that can be had together.
Theory: notes/03_quality_and_diversity.md
"""

import math
import statistics
from collections import Counter
from dataclasses import dataclass
from typing import Any

import torch
from matplotlib.figure import Figure
from tqdm import tqdm
from transformers import GPT2LMHeadModel

from decoding_demo.sampling_settings import Settings
from shared.generation.decoding import generate
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run
from shared.lab.runtime import pick_device
from shared.nn.gpt import GPT
from shared.nn.pretrained import SHIPPED_FOLDER
from shared.text.batches import pad_rows
from shared.text.cookbook import Cookbook
from shared.text.grammar import Parser
from shared.text.tokenizers import Tokenizer

KINDS = ("temperature", "top_p", "top_k")


@dataclass(frozen=True)
class Config(ScriptConfig):
    recipes: int = 100  # recipes to write with each setting
    temperature: tuple[float, ...] = (0.5, 0.7, 0.85, 1.0, 1.2)  # temperatures
    top_p: tuple[float, ...] = (0.5, 0.8, 0.9, 0.95, 0.99)  # top-p values, at temperature 1
    top_k: tuple[int, ...] = (1, 5, 20)  # top-k values, at temperature 1; 1 is greedy


@dataclass(frozen=True)
class Point:
    """What recipes of one origin are like.

    valid, interval: share that the grammar accepts, with its 95 % interval.
    entropy, entropy_error: nats a recipe, with the standard error.
    cost: -log probability of the valid ones in the exact distribution, nats a recipe.
    perplexity: exp of the same per token.
    divergence: KL(valid ones || exact), nats a recipe.
    distinct_...: shares of distinct items.
    """

    kind: str
    value: float
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


@dataclass(frozen=True)
class Results:
    points: dict[str, Point]
    grammar: Point


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927)."""
    z, share = 1.96, successes / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    # At no or only successes the interval ends at the share; rounding must not put it a hair inside.
    return min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half))


@torch.no_grad()
def score(model: GPT, rows: list[list[int]], settings: Settings) -> tuple[list[float], list[float]]:
    """Return, for each row, its log-probability under the sampler, and the entropies of all draws added up.

    The mean of either, the first negated, estimates the entropy of what is written; the second varies less.
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


def entropy(text: str) -> float:
    """Return the entropies of all choices of the grammar on the way to a recipe, added up."""
    parser = Parser(text)
    Cookbook().write(parser)
    return parser.entropy


def describe(
    kind: str, value: float, texts: list[str], lengths: list[int], log_probs: list[float], entropies: list[float]
) -> Point:
    """Return the measures of recipes, given how probable each was to be drawn."""
    cookbook = Cookbook()
    exact = [cookbook.log_prob(text) for text in texts]
    valid = [index for index, log_p in enumerate(exact) if log_p > -math.inf]
    share, count = len(valid) / len(texts), len(valid)
    cost = -math.fsum(exact[index] for index in valid)
    gain = math.fsum(log_probs[index] for index in valid)
    words = [text.split() for text in texts]
    trigrams = Counter(triple for row in words for triple in zip(row, row[1:], row[2:], strict=False))
    return Point(
        kind=kind,
        value=value,
        valid=share,
        interval=wilson(count, len(texts)),
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


def main(config: Config) -> Results:
    device = pick_device(config.device)
    model = GPT.from_transformers(GPT2LMHeadModel.from_pretrained(SHIPPED_FOLDER)).to(device).eval()
    tokenizer = Tokenizer.load(SHIPPED_FOLDER)
    end = tokenizer.end_token
    own = [Cookbook().recipe("validation", index) for index in range(config.recipes)]
    ids = tokenizer.encode_batch([recipe.text for recipe in own])
    log_probs = [recipe.log_prob for recipe in own]
    texts, lengths = [recipe.text for recipe in own], [len(row) + 1 for row in ids]
    grammar = describe("grammar", 1.0, texts, lengths, log_probs, [entropy(recipe.text) for recipe in own])
    settings = [(kind, value) for kind in KINDS for value in vars(config)[kind]]
    points = {}
    for kind, value in tqdm(settings, unit="setting"):
        chosen: dict[str, Any] = {kind: value}
        rows = generate(
            model,
            [[end]] * config.recipes,
            max_new_tokens=model.config.context - 1,
            end_token=end,
            generator=torch.Generator().manual_seed(config.seed),
            **chosen,
        )
        closed = [[end, *row, end][: model.config.context] for row in rows]
        texts = [tokenizer.decode(row) for row in rows]
        points[f"{kind} {value}"] = describe(
            kind, value, texts, [len(row) - 1 for row in closed], *score(model, closed, Settings(**chosen))
        )
    for name, point in (points | {"grammar": grammar}).items():
        print(f"{name:<18}{point.valid:6.1%} valid  {point.entropy:6.2f} +- {point.entropy_error:.2f} nats a recipe")
    return Results(points, grammar)


def plot(results: Results) -> Figure:
    """Draw validity against entropy, whole and near the optimum, and against the share of distinct trigrams."""
    figure, (whole, near, trigrams) = new_figure(width=13, height=4.4, columns=3)
    for axes, measure in ((whole, "entropy"), (near, "entropy"), (trigrams, "distinct_trigrams")):
        axes.plot(
            vars(results.grammar)[measure], 1, "*", color="black", markersize=14, label="the grammar: the optimum"
        )
        for kind, marker in zip(KINDS, "os^", strict=True):
            points = sorted((p for p in results.points.values() if p.kind == kind), key=lambda p: p.value)
            errors = [[p.valid - p.interval[0] for p in points], [p.interval[1] - p.valid for p in points]]
            across, valid = [vars(p)[measure] for p in points], [p.valid for p in points]
            axes.errorbar(across, valid, errors, marker=marker, capsize=2, linewidth=1, label=kind.replace("_", "-"))
            for x, point in zip(across, points, strict=True):
                if axes is near or point.valid < 0.9 or point.entropy < results.grammar.entropy - 2:
                    place = (x, point.valid)
                    axes.annotate(
                        f"{point.value:g}", place, (4, 4), textcoords="offset points", fontsize=8, clip_on=True
                    )
    for axes in (whole, trigrams):
        axes.set_ylim(0, 1.05)
        axes.margins(x=0.12)
    near.set_xlim(results.grammar.entropy - 1.2, results.grammar.entropy + 2.8)
    near.set_ylim(0.68, 1.02)
    whole.set(ylabel="valid recipes", xlabel="entropy of what is written, nats a recipe")
    near.set(xlabel="the same, near the optimum")
    trigrams.set(xlabel="distinct trigrams of words, share")
    whole.legend(loc="lower left", fontsize=9)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
