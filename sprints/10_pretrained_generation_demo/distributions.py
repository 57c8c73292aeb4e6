"""What do temperature, top-k, top-p and a repetition penalty do to the next token, and what would be right?

    uv run sprints/10_pretrained_generation_demo/distributions.py

The cookbook's grammar knows what can follow, and with which probability: the exact distribution stands beside the
model's, before and after each setting. Theory: notes/04_the_exact_distribution.md
"""

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import trange

from decoding_demo.exact_next_token import next_tokens
from decoding_demo.sampling_settings import SamplingSettings
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.nn.pretrained import SHIPPED_FOLDER, load_causal_model
from shared.text.cookbook import Cookbook
from shared.text.tokenizers import Tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel

SETTINGS = {
    "model": SamplingSettings(),
    "temperature 0.5": SamplingSettings(temperature=0.5),
    "temperature 1.5": SamplingSettings(temperature=1.5),
    "top-k 5": SamplingSettings(top_k=5),
    "top-p 0.9": SamplingSettings(top_p=0.9),
    "penalty 1.3": SamplingSettings(repetition_penalty=1.3),
}
# The first validation recipe that contains the words is cut behind them.
PLACES = {"servings": "\nServes", "a pan": " in a", "a listed spice": "Stir in the"}
SHOWN = 10
DRAWN = ("temperature 0.5", "temperature 1.5", "top-k 5")


@dataclass(frozen=True)
class Config(ScriptConfig):
    positions: PositiveInt = 600  # places, drawn from validation recipes, to average over


@dataclass(frozen=True)
class Distance:
    """How far a distribution is from the exact one; None stands for infinity.

    kl: KL(exact || distribution), nats. wrong: probability of tokens that cannot follow. lost: exact probability of
    tokens that are never drawn any more. variation: half the sum of absolute differences.
    """

    kl: float | None
    wrong: float
    lost: float
    variation: float


@dataclass(frozen=True)
class CutRecipe:
    prompt: str
    tokens: list[str]
    exact: list[float]
    probabilities: dict[str, list[float]]
    distances: dict[str, Distance]


@dataclass(frozen=True)
class Results:
    places: dict[str, CutRecipe]
    mean: dict[str, Distance]
    infinite: dict[str, float]
    tokens_per_recipe: float


def distance(exact: Tensor, drawn: Tensor) -> Distance:
    """Compare two distributions over the vocabulary, in float64."""
    possible = exact > 0
    lost = exact[drawn == 0].sum().item()
    kl = None if lost else (exact * (exact / drawn).log())[possible].sum().item()
    return Distance(kl, drawn[~possible].sum().item(), lost, (exact - drawn).abs().sum().item() / 2)


@torch.no_grad()
def distributions(model: "PreTrainedModel", tokenizer: Tokenizer, text: str) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the exact distribution of the token after a text, and what each setting draws from (each (vocab,))."""
    tokens = torch.tensor([[tokenizer.end_token, *tokenizer.encode(text)]])
    logits = model(tokens).logits[:, -1]
    drawn = {name: settings.apply(logits, tokens)[0].double().softmax(-1) for name, settings in SETTINGS.items()}
    exact = torch.zeros(logits.shape[-1], dtype=torch.float64)
    for token, probability in next_tokens(Cookbook().write, tokenizer, text).items():
        exact[token] = probability
    return exact, drawn


def look(model: "PreTrainedModel", tokenizer: Tokenizer, words: str) -> CutRecipe:
    """Return the distributions behind the first occurrence of some words in the validation recipes."""
    texts = (recipe.text for recipe in Cookbook().recipes("validation"))
    text = next(text for text in texts if words in text)
    prompt = text[: text.index(words) + len(words)]
    exact, drawn = distributions(model, tokenizer, prompt)
    best = (exact + drawn["model"]).topk(SHOWN).indices
    return CutRecipe(
        prompt=prompt,
        tokens=[tokenizer.decode([token]) for token in best.tolist()],
        exact=exact[best].tolist(),
        probabilities={name: probabilities[best].tolist() for name, probabilities in drawn.items()},
        distances={name: distance(exact, probabilities) for name, probabilities in drawn.items()},
    )


def average(distances: list[Distance]) -> Distance:
    """Return the mean of each measure; that of KL over the places where it is finite."""
    kl = [distance.kl for distance in distances if distance.kl is not None]
    measures = ("wrong", "lost", "variation")
    means = {name: math.fsum(vars(distance)[name] for distance in distances) / len(distances) for name in measures}
    return Distance(kl=math.fsum(kl) / len(kl) if kl else None, **means)


def main(config: Config) -> Results:
    model, tokenizer = load_causal_model()[0], Tokenizer.load(SHIPPED_FOLDER)
    places = {name: look(model, tokenizer, words) for name, words in PLACES.items()}
    generator = torch.Generator().manual_seed(config.seed)
    by_setting: dict[str, list[Distance]] = {name: [] for name in SETTINGS}
    lengths = []
    for index in trange(config.positions, unit="place"):
        ids = tokenizer.encode(Cookbook().recipe("validation", index).text)
        lengths.append(len(ids) + 1)
        cut = int(torch.randint(len(ids) + 1, (), generator=generator))
        exact, drawn = distributions(model, tokenizer, tokenizer.decode(ids[:cut]))
        for name, probabilities in drawn.items():
            by_setting[name].append(distance(exact, probabilities))
    mean = {name: average(distances) for name, distances in by_setting.items()}
    infinite = {
        name: sum(distance.kl is None for distance in distances) / config.positions
        for name, distances in by_setting.items()
    }
    for name, means in mean.items():
        figures = (f"{measure} {value:.5f}" for measure, value in asdict(means).items() if value is not None)
        print(f"{name:<18}{'  '.join(figures)}")
    return Results(places, mean, infinite, sum(lengths) / len(lengths))


def plot(results: Results) -> Figure:
    """Draw, for two places, the model's distribution, what a setting makes of it, and the exact one."""
    shown = [results.places[name] for name in ("servings", "a pan")]
    figure, grid = new_figure(width=8.4, height=5.8, rows=2, columns=len(DRAWN))
    for row, place in zip(grid, shown, strict=True):
        highest = max(max(probabilities) for probabilities in place.probabilities.values())
        for axes, name in zip(row, DRAWN, strict=True):
            ticks = range(len(place.tokens))
            axes.bar(ticks, place.probabilities["model"], color="lightgrey", label="model")
            axes.bar(ticks, place.probabilities[name], width=0.5, label="after the setting")
            axes.plot(ticks, place.exact, "_", color="black", markersize=9, markeredgewidth=2, label="exact")
            axes.set_xticks(ticks, [token.strip() for token in place.tokens], rotation=90, fontsize=9)
            axes.set_title(name, fontsize=10)
            axes.set_ylim(0, 1.08 * highest)
        row[0].set_ylabel(f"probability after\n“{place.prompt[-12:].strip()}”")
    figure.legend(*grid[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
