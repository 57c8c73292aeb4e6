"""How good can a judge of recipes be, and which spoilings can nobody see?

    uv run sprints/11_finetune_gpt2_classification/optimum.py

The exact probability that a recipe is spoiled, for recipes whose label is known. Theory: notes/03_the_optimum.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Different
from shared.lab.run import run
from shared.text.cookbook import Cookbook
from text_classification.classification_scores import calibration
from text_classification.spoiled_recipes import DISHES, KINDS, Dish, Spoiler


@dataclass(frozen=True)
class Config(ScriptConfig):
    texts: AtLeastTwo = 4000  # recipes of the training stream, half of them spoiled
    dishes: Annotated[tuple[Dish, ...], Different] = DISHES  # kinds of dish that the recipes are of


@dataclass(frozen=True)
class SpoilingKind:
    """Recipes spoiled in one way: the shares that are still possible, and that the best judge calls spoiled."""

    texts: int
    possible: float
    caught: float


@dataclass(frozen=True)
class Results:
    kinds: dict[str, SpoilingKind]
    possible: float
    genuine_accepted: float
    accuracy: float
    expected_accuracy: float
    standard_error: float
    loss: float
    histogram: dict[str, list[int]]
    calibration_error: float
    reliability: dict[str, list[float]]


def main(config: Config) -> Results:
    cookbook, half = Cookbook(dishes=config.dishes), config.texts // 2
    generator = torch.Generator().manual_seed(config.seed)
    spoiler = Spoiler(cookbook)
    texts = [cookbook.recipe("train", 500_000_000 + index).text for index in tqdm(range(2 * half), desc="recipes")]
    names = list(KINDS)
    weights = torch.tensor(list(KINDS.values()))
    kinds = [names[kind] for kind in torch.multinomial(weights, half, replacement=True, generator=generator).tolist()]
    only = {name: Spoiler(cookbook, {name: 1.0}) for name in names}
    texts[half:] = [only[kind].spoil(text, generator) for kind, text in zip(kinds, texts[half:], strict=True)]
    spoiled = torch.tensor([spoiler.posterior(text) for text in tqdm(texts, desc="posteriors")], dtype=torch.float64)
    labels = torch.arange(2 * half) >= half
    right = (spoiled > 0.5) == labels
    by_kind = {name: spoiled[half:][torch.tensor([kind == name for kind in kinds])] for name in names}
    edges = torch.linspace(0, 1, 21)
    error, reliability = calibration(torch.stack((1 - spoiled, spoiled), 1), labels.long())
    results = Results(
        kinds={name: SpoilingKind(len(p), mean(p < 1), mean(p > 0.5)) for name, p in by_kind.items()},
        possible=mean(spoiled[half:] < 1),
        genuine_accepted=mean(spoiled[:half] <= 0.5),
        accuracy=mean(right),
        expected_accuracy=torch.maximum(spoiled, 1 - spoiled).mean().item(),
        standard_error=right.double().std().item() / (2 * half) ** 0.5,
        loss=-torch.where(labels, spoiled, 1 - spoiled).log().mean().item(),
        histogram={
            name: torch.histogram(part, edges.double()).hist.long().tolist()
            for name, part in (("genuine", spoiled[:half]), ("spoiled", spoiled[half:]))
        },
        calibration_error=error,
        reliability=reliability,
    )
    for name, kind in results.kinds.items():
        print(f"{name:<9} {kind.texts:5d} texts, {kind.possible:6.1%} still possible, {kind.caught:6.1%} caught")
    print(f"genuine recipes accepted: {results.genuine_accepted:.1%}")
    print(f"accuracy {results.accuracy:.2%} +- {results.standard_error:.2%}, expected {results.expected_accuracy:.2%}")
    return results


def mean(values: torch.Tensor) -> float:
    """Return the share of true values; there may be none of a kind among a few texts."""
    return values.double().sum().item() / max(1, len(values))


def plot(results: Results) -> Figure:
    """Draw how the exact probabilities are spread, and that they are calibrated."""
    figure, (spread, reliability) = new_figure(10, 3.8, columns=2)
    middles = [(index + 0.5) / 20 for index in range(20)]
    for shift, (name, counts) in zip((-0.01, 0.01), results.histogram.items(), strict=True):
        spread.bar([middle + shift for middle in middles], counts, width=0.02, label=name)
    spread.set(xlabel="exact P(spoiled | text)", ylabel="recipes", yscale="log")
    spread.legend()
    reliability.plot([0.5, 1], [0.5, 1], color="grey", linestyle="--", label="calibrated")
    bins = results.reliability
    shares = [a * (1 - a) / n for a, n in zip(bins["accuracy"], bins["count"], strict=True)]
    errors = [2 * share**0.5 for share in shares]
    reliability.errorbar(bins["confidence"], bins["accuracy"], errors, marker="o", label="exact, two standard errors")
    reliability.set(xlabel="confidence of the best judge", ylabel="share that it gets right")
    reliability.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
