"""How good is a trained model, on recipes that nothing was chosen on, and where does it lose?

    uv run sprints/09_train_gpt2/evaluate.py
    uv run sprints/09_train_gpt2/evaluate.py --checkpoint runs/09_train_gpt2/train/checkpoints/cookbook.pt

The default scores the model that the repository ships, section by section of the recipe, against the exact optimum,
and counts the faults in the recipes that it writes. Theory: notes/12_the_shipped_model.md
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from matplotlib.figure import Figure

from pretraining_study.recipe_sections import IMPROBABLE, SECTIONS, score_recipes
from pretraining_study.saved_models import from_checkpoint, from_folder
from pretraining_study.written_texts import count_faults, write_texts
from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, ExistingFile, ExistingFolder, NonNegativeFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.pretrained import SHIPPED_FOLDER
from shared.text.cookbook import Cookbook
from shared.training.losses import perplexity


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: ExistingFolder = SHIPPED_FOLDER  # folder in the format of transformers
    checkpoint: ExistingFile | None = None  # checkpoint of train.py, instead of a folder
    stream: Literal["test", "validation"] = "test"  # recipes to score: test or validation
    recipes: AtLeastTwo = 500  # recipes to score
    samples: PositiveInt = 300  # recipes to write at each temperature
    temperatures: tuple[NonNegativeFloat, ...] = (1.0, 0.9, 0.8)  # temperatures; faults are counted at the first


@dataclass(frozen=True)
class Results:
    parameters: int
    loss: float
    perplexity: float
    optimum: float
    above_optimum: float
    standard_error: float
    nats_per_recipe: dict[str, float]
    optimum_per_recipe: dict[str, float]
    improbable_per_recipe: float
    valid: dict[str, float]
    faults: dict[str, int]
    sample: str


def main(config: Config) -> Results:
    keep_freed_memory()
    seed_everything(config.seed)
    model, tokenizer = from_checkpoint(config.checkpoint) if config.checkpoint else from_folder(config.model)
    model, cookbook = model.to(pick_device(config.device)), Cookbook()
    scores = score_recipes(model, tokenizer, cookbook, config.stream, config.recipes)
    targets = sum(score.targets for score in scores)
    ours, best = torch.tensor([[score.nats, score.optimum] for score in scores]).unbind(1)  # (recipes, sections)
    gaps = (ours - best).sum(1)
    texts = {
        temperature: write_texts(model, tokenizer, config.samples, seed=config.seed, temperature=temperature)
        for temperature in config.temperatures
    }
    faults = {temperature: count_faults(written, cookbook) for temperature, written in texts.items()}
    first = config.temperatures[0]
    results = Results(
        parameters=model.parameter_count(),
        loss=ours.sum().item() / targets,
        perplexity=perplexity(ours.sum().item() / targets),
        optimum=best.sum().item() / targets,
        above_optimum=(ours.sum() / best.sum()).item() - 1,
        # of the relative gap, over recipes
        standard_error=gaps.std().item() / math.sqrt(len(scores)) / best.sum(1).mean().item(),
        nats_per_recipe=dict(zip(SECTIONS, ours.mean(0).tolist(), strict=True)),
        optimum_per_recipe=dict(zip(SECTIONS, best.mean(0).tolist(), strict=True)),
        improbable_per_recipe=sum(score.improbable for score in scores) / len(scores),
        valid={f"{temperature:g}": counts["none"] / config.samples for temperature, counts in faults.items()},
        faults=dict(faults[first].most_common()),
        sample=texts[first][0],
    )
    print(f"\n{results.sample}\n")
    print(f"loss {results.loss:.4f}, optimum {results.optimum:.4f} nats per token:", end=" ")
    print(f"{results.above_optimum:.2%} +- {results.standard_error:.2%} above")
    for section in SECTIONS:
        print(f"  {section:<20}{results.nats_per_recipe[section]:7.2f}{results.optimum_per_recipe[section]:7.2f} nats")
    for temperature, share in results.valid.items():
        print(f"{share:.1%} of {config.samples} recipes at temperature {temperature} are valid")
    print(f"first faults at temperature {first:g}: {results.faults}")
    print(f"mass of tokens below {IMPROBABLE}: {results.improbable_per_recipe:.3f} per recipe")
    return results


def plot(results: Results) -> Figure:
    """Draw the least that each section of a recipe costs any model, and what it costs this one above that."""
    figure, (left, right) = new_figure(width=9, columns=2)
    least, paid = list(results.optimum_per_recipe.values()), list(results.nats_per_recipe.values())
    left.bar(SECTIONS, least, color="C1")
    right.bar(SECTIONS, [nats - optimum for nats, optimum in zip(paid, least, strict=True)])
    left.set(title="optimum", ylabel="nats per recipe")
    right.set(title="the model, above the optimum")
    for axes in (left, right):
        axes.tick_params("x", labelsize=8)
    return figure


TOLERANCE = {
    "above_optimum": Tolerance(absolute=1e-4),
    "standard_error": Tolerance(absolute=1e-4),
    "improbable_per_recipe": Tolerance(relative=0.01),
    # A draw near the border of two tokens falls to either, by the last digit of a logit.
    "valid*": Tolerance(absolute=0.02),
    "faults*": Tolerance(compared=False),
    "sample": TRAINED,
}

if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
