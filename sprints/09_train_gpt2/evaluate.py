"""How good is a trained model, on all of the validation text, and where does it lose?

    uv run sprints/09_train_gpt2/evaluate.py
    uv run sprints/09_train_gpt2/evaluate.py --checkpoint sprints/09_train_gpt2/checkpoints/train.pt

The default scores the model that the repository ships, section by section of the recipe, against the exact optimum,
and counts the faults in the recipes that it writes. Theory: notes/02_the_optimum.md
"""

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from matplotlib.figure import Figure
from tqdm import trange
from transformers import GPT2LMHeadModel

from shared.generation.decoding import generate
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.paths import DATA
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.gpt import GPT, GPTConfig
from shared.text.batches import pad_rows
from shared.text.cookbook import Cookbook
from shared.text.corpora import cookbook_tokenizer
from shared.text.grammar import Choice, Parser
from shared.text.tokenizers import Tokenizer, encode_documents
from shared.training.checkpoints import load_checkpoint
from shared.training.losses import perplexity, token_losses

SHIPPED = DATA / "models" / "cookbook-gpt2"
IMPROBABLE = 1e-3
SECTIONS = ("title and servings", "ingredients", "method", "tip")


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: Path = SHIPPED  # folder in the format of transformers
    checkpoint: Path | None = None  # checkpoint of train.py, instead of a folder
    stream: Literal["test", "validation"] = "test"  # recipes to score: test or validation
    recipes: int = 500  # recipes to score
    samples: int = 300  # recipes to write at each temperature
    temperatures: tuple[float, ...] = (1.0, 0.9, 0.8)  # temperatures; faults are counted at the first


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


class Tracer(Parser):
    """A parser that remembers where in the text each choice was settled and how improbable it was."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.trace: list[tuple[int, float]] = []

    def choose(self, options: Choice, rule: str = "wording") -> int:
        start = self.position
        index = super().choose(options, rule)
        self.trace.append((start, -options.log_probs[index]))
        return index


def load(config: Config) -> tuple[GPT, Tokenizer]:
    """Return the model and its tokenizer, from a checkpoint or a folder."""
    if config.checkpoint is None:
        return GPT.from_transformers(GPT2LMHeadModel.from_pretrained(config.model)), Tokenizer.load(config.model)
    checkpoint = load_checkpoint(config.checkpoint)
    saved = checkpoint["config"]
    tokenizer = cookbook_tokenizer(saved["vocab_size"])
    sizes = {name: saved[name] for name in ("context", "layers", "heads", "d_model", "positions")}
    model = GPT(GPTConfig(vocab_size=tokenizer.vocab_size, **sizes))
    model.load_state_dict(checkpoint["model"])
    return model, tokenizer


def by_section(text: str, places: list[tuple[int, float]]) -> list[float]:
    """Return the sum of the values in each section of a recipe, given where in the text each value belongs."""
    starts, position = [], 0
    for part in text.split("\n\n"):
        starts.append(position)
        position += len(part) + 2
    sums = [0.0] * len(starts)
    for place, value in places:
        sums[sum(start <= place for start in starts) - 1] += value
    return sums


class Score(NamedTuple):
    """Of a recipe: its targets, the nats in each section, the least possible, and the mass of improbable tokens."""

    targets: int
    nats: list[float]
    optimum: list[float]
    improbable: float


@torch.no_grad()
def score(model: GPT, tokenizer: Tokenizer, cookbook: Cookbook, config: Config) -> list[Score]:
    """Return the score of each recipe."""
    device, end, scores = next(model.parameters()).device, tokenizer.end_token, []
    for start in trange(0, config.recipes, 50, unit="batch"):
        count = min(50, config.recipes - start)
        texts = [cookbook.recipe(config.stream, index).text for index in range(start, start + count)]
        rows = encode_documents(texts, tokenizer)
        tokens = pad_rows(rows).tokens.to(device)
        logits = model(tokens)
        losses, probabilities = token_losses(logits, tokens), logits.softmax(dim=-1)
        rare = (probabilities * (probabilities < IMPROBABLE)).sum(dim=-1)  # (batch, tokens)
        for text, row, nats, masses in zip(texts, rows, losses.tolist(), rare.tolist(), strict=True):
            places, position = [], 0
            for token, loss in zip(row[1:], nats, strict=False):
                places.append((position, loss))
                position += len(tokenizer.decode([token])) if token != end else 0
            tracer = Tracer(text)
            cookbook.write(tracer)
            targets = len(row) - 1
            parts = by_section(text, places), by_section(text, tracer.trace)
            scores.append(Score(targets, *parts, sum(masses[:targets])))
    return scores


def write(model: GPT, tokenizer: Tokenizer, config: Config, temperature: float) -> list[str]:
    """Return recipes that the model writes, the same ones at every call."""
    rows = generate(
        model,
        [[tokenizer.end_token]] * config.samples,
        max_new_tokens=model.config.context - 1,
        end_token=tokenizer.end_token,
        temperature=temperature,
        generator=torch.Generator(next(model.parameters()).device).manual_seed(config.seed),
    )
    return [tokenizer.decode(row) for row in rows]


def main(config: Config) -> Results:
    keep_freed_memory()
    device = pick_device(config.device)
    seed_everything(config.seed)
    model, tokenizer = load(config)
    model, cookbook = model.to(device).eval(), Cookbook()
    scores = score(model, tokenizer, cookbook, config)
    targets = sum(score.targets for score in scores)
    ours, best = torch.tensor([[score.nats, score.optimum] for score in scores]).unbind(1)  # (recipes, sections)
    gaps = (ours - best).sum(1)
    texts = {temperature: write(model, tokenizer, config, temperature) for temperature in config.temperatures}
    faults = {
        temperature: Counter("none" if fault is None else fault.rule for fault in map(cookbook.fault, written))
        for temperature, written in texts.items()
    }
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
        valid={f"{temperature:g}": found["none"] / config.samples for temperature, found in faults.items()},
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


if __name__ == "__main__":
    run(main, Config, plot=plot)
