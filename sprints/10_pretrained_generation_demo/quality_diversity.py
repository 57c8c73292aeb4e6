"""Which sampling setting is best? Quality against diversity, in a world where both can be measured exactly.

    uv run sprints/10_pretrained_generation_demo/quality_diversity.py

Quality is the share of recipes that the grammar accepts. Diversity is the entropy of what is written, in nats a recipe;
the grammar's own recipes have all the quality and all the diversity that can be had together.
Theory: notes/05_quality_and_diversity.md
"""

from dataclasses import dataclass
from typing import Annotated, Any

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from decoding_demo.recipe_measures import RecipeMeasures, grammar_entropy, measure_recipes, score_draws
from decoding_demo.sampling_settings import SamplingSettings
from decoding_demo.shipped_model import ShippedModel
from shared.generation.decoding import generate
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Different, PositiveFloat, PositiveFraction, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device
from shared.text.cookbook import Cookbook

KINDS = ("temperature", "top_p", "top_k")
BESIDE = ((-8, -4), (-2, 8), (-2, -14))  # points from a marker to the name of its setting, for each kind
NEAR = 2.5  # nats around the grammar's entropy that the right panel shows
# A draw near the border of two tokens falls to either, by the last digit of a logit, and another recipe follows.
TOLERANCE = {"points.*": Tolerance(relative=0.03, absolute=0.03)}


@dataclass(frozen=True)
class Config(ScriptConfig):
    recipes: AtLeastTwo = 100  # recipes to write with each setting
    temperature: Annotated[tuple[PositiveFloat, ...], Different] = (0.5, 0.7, 0.85, 1.0, 1.2)  # temperatures
    top_p: Annotated[tuple[PositiveFraction, ...], Different] = (
        0.5,
        0.8,
        0.9,
        0.95,
        0.99,
    )  # at temperature 1
    top_k: Annotated[tuple[PositiveInt, ...], Different] = (1, 5, 20)  # top-k values, at temperature 1; 1 is greedy

    def check(self) -> None:
        for kind in KINDS:
            for value in vars(self)[kind]:
                SamplingSettings.check(kind, value)


@dataclass(frozen=True)
class Results:
    points: dict[str, RecipeMeasures]
    grammar: RecipeMeasures


def main(config: Config) -> Results:
    shipped = ShippedModel()
    model, tokenizer = shipped.gpt.to(pick_device(config.device)), shipped.tokenizer
    end = tokenizer.end_token
    own = [Cookbook().recipe("validation", index) for index in range(config.recipes)]
    ids = tokenizer.encode_batch([recipe.text for recipe in own])
    log_probs = [recipe.log_prob for recipe in own]
    texts, lengths = [recipe.text for recipe in own], [len(row) + 1 for row in ids]
    grammar = measure_recipes("grammar", 1.0, texts, lengths, log_probs, list(map(grammar_entropy, texts)))
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
        draws = score_draws(model, closed, SamplingSettings(**chosen))
        points[f"{kind} {value}"] = measure_recipes(kind, value, texts, [len(row) - 1 for row in closed], *draws)
    for name, point in (points | {"grammar": grammar}).items():
        print(f"{name:<18}{point.valid:6.1%} valid  {point.entropy:6.2f} +- {point.entropy_error:.2f} nats a recipe")
    return Results(points, grammar)


def plot(results: Results) -> Figure:
    """Draw validity against entropy, whole and near the optimum, where each point has its setting beside it."""
    figure, (whole, near) = new_figure(width=9, height=4.4, columns=2)
    best = results.grammar.entropy
    lowest = min((p.interval[0] for p in results.points.values() if abs(p.entropy - best) < NEAR), default=0.5)
    row = (1 - lowest) / 15  # height of a row of names
    for axes in (whole, near):
        axes.plot(best, 1, "*", color="black", markersize=14, label="the grammar")
        for place, kind in enumerate(KINDS):
            points = sorted((p for p in results.points.values() if p.kind == kind), key=lambda p: p.value)
            errors = [[p.valid - p.interval[0] for p in points], [p.interval[1] - p.valid for p in points]]
            across, valid = [p.entropy for p in points], [p.valid for p in points]
            line = axes.errorbar(
                across, valid, errors, marker="os^"[place], capsize=2, linewidth=1, label=kind.replace("_", "-")
            )
            for index, (x, point) in enumerate(zip(across, points, strict=True)):
                is_near = abs(x - best) < NEAR
                if (axes is near) == is_near:
                    # Names stand in rows of their own, three for each kind, where points would cover each other.
                    y = lowest - row * (3 * place + index % 3 + 1) if is_near else point.valid
                    offset = (0, -3) if is_near else BESIDE[place]
                    axes.annotate(
                        f"{point.value:g}", (x, y), offset, textcoords="offset points", fontsize=8,
                        ha="center" if is_near else "right", color=line[0].get_color(),
                    )  # fmt: skip
    whole.set(xlabel="entropy of what is written, nats a recipe", ylabel="valid recipes, share", ylim=(0, 1.05))
    near.set(xlabel=f"the same, within {NEAR} nats of the grammar", xlim=(best - NEAR, best + NEAR))
    near.set_ylim(lowest - 11 * row, 1 + row)
    whole.legend(loc="lower left", fontsize=9)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
